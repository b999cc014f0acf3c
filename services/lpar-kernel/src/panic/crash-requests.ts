/** Crashes that are asked for, of which one kernel dies once. */
import { Problem, type CrashRequest } from '@fadump-lab/shared/contracts'
import { intersect, memoryRange, rangeLength } from '@fadump-lab/shared/units'
import type { KernelHost } from '../kernel/kernel-host.ts'
import type { RunningKernel } from '../kernel/running-kernel.ts'
import { crash, crashingCpuOf, type Crash } from './crash.ts'

export interface PartitionRequest {
  readonly partition: string
  readonly correlationId: string
}

/**
 * Crashes the kernel, up to where firmware has taken over. A second crash waits until the first is through; by then
 * the kernel is gone, and nothing is left to do (C093). With `epoch`, the kernel of that boot only. Errors: `not-found`,
 * `wrong-state`, `invalid-configuration`, `stale-boot`.
 */
export async function crashPartition(
  host: KernelHost,
  request: PartitionRequest & CrashRequest & { readonly epoch?: number | undefined },
): Promise<void> {
  const first = await host.running(request.partition, request.correlationId, request.epoch)
  const cpu = crashingCpuOf(first.record, request.cpu)
  await host.crashMutex.run(request.partition, async () => {
    const kernel = await host.find(request.partition, request.correlationId)
    if (kernel === undefined || kernel.memory.epoch !== first.memory.epoch) return
    await tellAndCrash(host, kernel, { cause: request.cause, cpu })
  })
}

/** C086: what lives in the CMA area is overwritten by the copy of boot memory, and is in no dump. */
async function lostPages({
  record,
  memory,
}: RunningKernel): Promise<{ readonly cmaBytesLost?: number }> {
  const { isRegistered, cmaArea } = record.fadump
  if (!isRegistered || cmaArea === undefined) return {}
  let lost = 0n
  for await (const range of memory.populated(cmaArea)) {
    lost += rangeLength(intersect(range, cmaArea) ?? memoryRange(0n, 0n))
  }
  return lost === 0n ? {} : { cmaBytesLost: Number(lost) }
}

/** The crash of a kernel that nobody else of this host crashes: its `crashMutex` is held. */
export async function tellAndCrash(
  host: KernelHost,
  kernel: RunningKernel,
  event: Crash,
): Promise<void> {
  const last = await stopOthers(host, kernel)
  if (last === undefined) return
  try {
    await crashTold(host, last, event)
  } finally {
    // Refused when the boot is over. When it is not, and cannot be recorded, the next crash waits a while and goes on.
    await last.amend(() => ({ isCrashing: false })).catch(() => false)
  }
}

/** Attempts against other hosts that change the record meanwhile. */
const stopAttemptsMax = 16

/**
 * `smp_send_stop`: no other request, of this host or another, records a step any more that it has begun on the record of
 * before. Of two hosts that crash one kernel the first goes on, as `crash_fadump` has it with `crashing_cpu`; the other waits. Gives the
 * kernel as it is then, with what they had recorded; `undefined` when its boot is over. Errors: `conflict`.
 */
async function stopOthers(
  host: KernelHost,
  { record: { partition, epoch }, firmware }: RunningKernel,
): Promise<RunningKernel | undefined> {
  for (let attempt = 1; attempt <= stopAttemptsMax; attempt += 1) {
    const kernel = await host.find(partition, firmware.boot.correlationId)
    if (kernel === undefined || kernel.record.epoch !== epoch) return undefined
    if (!(await kernel.untilNoneCrashes())) return undefined
    if (await kernel.update({ isCrashing: true })) return kernel
  }
  throw new Problem('conflict', `other hosts go on changing partition ${partition}`)
}

async function crashTold(host: KernelHost, kernel: RunningKernel, event: Crash): Promise<void> {
  await host.tell({
    aggregate: 'kernel',
    subject: kernel.record.partition,
    event: 'crashed',
    correlationId: kernel.firmware.boot.correlationId,
    detail: { cause: event.cause, cpu: event.cpu, ...(await lostPages(kernel)) },
  })
  await crash(kernel, event)
}
