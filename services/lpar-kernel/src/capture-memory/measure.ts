/** A capture kernel's allocations on real memory under a real limit, where a composition has capture processes. */
import { allocationSteps, phaseNames, type Phase } from '@fadump-lab/shared/capture-memory'
import { MiB } from '@fadump-lab/shared/units'
import type { CaptureOutcome, CaptureStep } from '../capture-process/port.ts'
import type { KernelHost } from '../kernel/kernel-host.ts'
import type { RunningKernel } from '../kernel/running-kernel.ts'
import type { CaptureLife } from './capture-life.ts'

export interface Measured {
  readonly outcome: CaptureOutcome
  /** What was measured, for people. */
  readonly sentence: string
}

/** Runs the work of `life` to the end of `last` and tells how it ended; `undefined` when nothing can be measured. */
export async function measure(
  host: KernelHost,
  kernel: RunningKernel,
  { life, last }: { readonly life: CaptureLife; readonly last: Phase },
): Promise<Measured | undefined> {
  const { captureProcess } = host.deps
  if (captureProcess === undefined) return undefined
  const { system, reservePages } = life
  const limitMiB = system.bootMemoryMiB
  const pageBytes = system.pageKiB * 1024
  const reserveBytes = reservePages * pageBytes
  const steps = stepsThrough(life, last)
  const outcome = await captureProcess.run({ limitMiB, reserveBytes, steps })
  if (outcome === undefined) return undefined
  await host.tell({
    aggregate: 'kernel',
    subject: kernel.record.partition,
    event: 'captureMeasured',
    correlationId: kernel.firmware.boot.correlationId,
    detail: { limitMiB, last, ...outcome },
  })
  return { outcome, sentence: sentenceOf(outcome, limitMiB, last) }
}

function stepsThrough({ system }: CaptureLife, last: Phase): CaptureStep[] {
  const end = phaseNames.indexOf(last)
  return allocationSteps(system)
    .filter(({ phase }) => phaseNames.indexOf(phase) <= end)
    .map(({ pages, ...step }) => ({ ...step, bytes: pages * system.pageKiB * 1024 }))
}

function sentenceOf(outcome: CaptureOutcome, limitMiB: number, last: Phase): string {
  const under = `Measured under a real limit of ${limitMiB} MiB:`
  if (outcome.end === 'survived') {
    return `${under} the capture process lived through phase "${last}", at most ${inMiB(outcome.peakBytes)} MiB in use.`
  }
  const { phase, consumer, usedBytes } = outcome
  return (
    `${under} the OOM killer took the capture process in phase "${phase}" while it allocated for ${consumer}, ` +
    `${inMiB(usedBytes)} MiB in use before.`
  )
}

function inMiB(bytes: number): number {
  return Math.round(bytes / Number(MiB))
}
