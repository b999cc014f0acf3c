/** A capture kernel that comes up with little to spare says so: a dump that gets through today may not tomorrow. */
import type { KernelHost } from '../kernel/kernel-host.ts'
import type { RunningKernel } from '../kernel/running-kernel.ts'
import { rehearsalOf } from './capture-record.ts'

const warning = 4

export async function tellWarnings(host: KernelHost, kernel: RunningKernel): Promise<void> {
  const { capture, partition } = kernel.record
  if (capture === undefined) return
  const { verdict, explanation, warnings, peakPhase, marginMiB } = rehearsalOf(capture)
  if (verdict !== 'warn') return
  await kernel.printk([{ text: `kdump: ${explanation}`, level: warning }])
  await host.tell({
    aggregate: 'kernel',
    subject: partition,
    event: 'captureWarning',
    correlationId: kernel.firmware.boot.correlationId,
    detail: {
      explanation,
      phase: peakPhase,
      kinds: warnings.map(({ kind }) => kind).join(', '),
      marginMiB: Math.round(marginMiB * 10) / 10,
    },
  })
}
