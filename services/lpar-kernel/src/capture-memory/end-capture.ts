/**
 * The end of a capture kernel whose memory has ended: its log says what Linux says, the process dies, and what follows
 * follows: a panic goes to firmware and comes back with the dump, a failure action that is a clean way down invalidates
 * it first (spec §14.4), a shell waits.
 */
import {
  failureActionDefault,
  type FailureAction,
  type Partition,
} from '@fadump-lab/shared/contracts'
import { failures, type Failure } from '@fadump-lab/shared/capture-memory'
import { fromAscii, invariant, rangeLength } from '@fadump-lab/shared/units'
import { invalidateDump } from '../fadump/register.ts'
import { doesNotReturn } from '../firmware/firmware-client.ts'
import type { KernelHost } from '../kernel/kernel-host.ts'
import type { RunningKernel } from '../kernel/running-kernel.ts'
import { followPanicPolicy } from '../panic/panic-policy.ts'
import { CaptureLife } from './capture-life.ts'
import { lifeOf, recordOf, rehearsalOf, type CaptureRecord } from './capture-record.ts'
import { failureLines, panicText } from './kernel-words.ts'
import type { Report } from './oom-report.ts'
import { measure } from './measure.ts'

/** Boots in a row that panic for want of memory before the harness stops what a real partition does for ever. */
export const failedBootsMax = 3

/** `continues`: the dump goes to the fallback target. */
export type CaptureEnd = 'ended' | 'continues'

/** The capture of `kernel` has failed: its record holds the life in which memory ended. */
export async function endCapture(
  host: KernelHost,
  kernel: RunningKernel,
  partition: Pick<Partition, 'capture'>,
): Promise<CaptureEnd> {
  const { capture } = kernel.record
  invariant(capture !== undefined, 'only a capture kernel can fail to capture')
  const { explanation: predicted, failure } = rehearsalOf(capture)
  invariant(failure !== undefined, 'memory has ended, so the model of the same system fails')
  const measured = await measure(host, kernel, { life: lifeOf(capture), last: failure.phase })
  const explanation = measured === undefined ? predicted : `${predicted} ${measured.sentence}`
  // Whoever asks later is told what log and event tell now.
  if (measured !== undefined) await kernel.update({ capture: { ...capture, failure: explanation } })
  const action = partition.capture?.failureAction ?? failureActionDefault
  const report = reportOf(kernel, capture, { failure, explanation })
  if (failure.kind !== 'hang') await kernel.printk(failureLines(report))
  await tellFailure(host, kernel, { failure, explanation, action })
  const end: Ending = { host, kernel, report, action }
  switch (failures[failure.kind].ends) {
    case 'panic':
      await panic(end)
      return 'ended'
    case 'nothing':
      await stayDown(end, explanation)
      return 'ended'
    case 'failure action':
      return runFailureAction(end, capture)
  }
}

interface Ending {
  readonly host: KernelHost
  readonly kernel: RunningKernel
  readonly report: Report
  readonly action: FailureAction
}

function reportOf(
  { record }: RunningKernel,
  capture: CaptureRecord,
  told: Pick<Report, 'failure' | 'explanation'>,
): Report {
  const bytes = record.memoryRegions.reduce((sum, region) => sum + rangeLength(region), 0n)
  const presentPages = Number(bytes / record.pageSize)
  return { profile: record.profile, life: lifeOf(capture), presentPages, ...told }
}

async function tellFailure(
  host: KernelHost,
  kernel: RunningKernel,
  told: { readonly failure: Failure; readonly explanation: string; readonly action: FailureAction },
): Promise<void> {
  const { failure, explanation, action } = told
  const { ends } = failures[failure.kind]
  host.deps.metrics.count('fadump_boots_total', { kind: 'capture', outcome: 'out of memory' })
  await host.tell({
    aggregate: 'kernel',
    subject: kernel.record.partition,
    event: 'captureFailed',
    correlationId: kernel.firmware.boot.correlationId,
    detail: {
      explanation,
      phase: failure.phase,
      kind: failure.kind,
      follows: ends === 'failure action' ? action : ends,
      ...(failure.victim === undefined ? {} : { killed: failure.victim }),
    },
  })
}

/** The kernel is there no more: the console is told why, unless it has seen the partition run before. */
async function stayDown({ kernel }: Ending, detail: string): Promise<void> {
  await kernel.update({ isHalted: true })
  const { state } = await kernel.firmware.partition()
  if (state === 'running') return
  await kernel.firmware.reportBootProgress({ event: 'bootFailed', detail })
}

/**
 * `panic`: `ibm,os-term` with nothing registered, then what the command line says. Firmware reboots the partition and
 * presents the dump again, where the same happens again: a few times here, for ever in life.
 */
async function panic(end: Ending): Promise<void> {
  const { kernel, report } = end
  const { capture, osTermAddress, rtas, fadump } = kernel.record
  const failedBoots = capture?.failedBoots ?? 0
  if (failedBoots >= failedBootsMax) {
    await stayDown(end, `${report.explanation} ${failedBoots} boots in a row have panicked so.`)
    return
  }
  if (fadump.canTerminate) {
    const message = `OS panic: ${panicText(report)} (${report.explanation})`
    await kernel.memory.write(osTermAddress, fromAscii(`${message.slice(0, osTermTextMax)}\0`))
    const call = { token: rtas.osTerm ?? 0, args: [Number(osTermAddress)] }
    if ((await kernel.firmware.callRtas(call)) === doesNotReturn) return
  }
  await followPanicPolicy(kernel)
}

/** `rtas_os_term_buf`, its NUL left out. */
const osTermTextMax = 2047

async function runFailureAction(end: Ending, capture: CaptureRecord): Promise<CaptureEnd> {
  const { kernel, action, report } = end
  const { rtas } = kernel.record
  if (action === 'dump to fallback' && (await fallBack(end, capture))) return 'continues'
  if (action === 'shell') {
    await kernel.firmware.reportBootProgress({ event: 'bootFailed', detail: report.explanation })
    return 'ended'
  }
  // machine_restart, machine_halt and machine_power_off all lead through fadump_cleanup.
  await kernel.update({ vmcore: undefined })
  await invalidateDump(kernel)
  if (action === 'halt') await stayDown(end, `${report.explanation} The kernel has halted.`)
  else if (action === 'poweroff') {
    await kernel.firmware.callRtas({ token: rtas.powerOff ?? 0, args: [0xffff_ffff, 0xffff_ffff] })
  } else await kernel.firmware.callRtas({ token: rtas.systemReboot ?? 0, args: [] })
  return 'ended'
}

/** `dump_to_rootfs`: the network is given up, and the dump goes to a local file system, if that fits. */
async function fallBack({ host, kernel }: Ending, capture: CaptureRecord): Promise<boolean> {
  const { system } = lifeOf(capture)
  if (system.target === 'local') return false
  const local = new CaptureLife({ ...system, target: 'local', card: undefined })
  if (local.through('transfer') !== undefined) return false
  const beforeTransfer = new CaptureLife(local.system)
  beforeTransfer.through('collector process')
  const fallback = recordOf(beforeTransfer, { enteredAt: host.deps.clock.iso() })
  if (!(await kernel.update({ capture: fallback }))) return false
  await kernel.printk(['kdump: the dump goes to the fallback target: the local root file system'])
  await host.tell({
    aggregate: 'kernel',
    subject: kernel.record.partition,
    event: 'captureFallback',
    correlationId: kernel.firmware.boot.correlationId,
    detail: { target: 'local' },
  })
  return true
}
