/** What makes a partition crash or go down: asked by the console, or an exception from the hypervisor. */
import { Problem, type CrashRequest } from '@fadump-lab/shared/contracts'
import { intersect, memoryRange, rangeLength } from '@fadump-lab/shared/units'
import { fadumpRules } from '../fadump/profile-rules.ts'
import { invalidateDump, unregisterFadump } from '../fadump/register.ts'
import type { KernelHost } from '../kernel/kernel-host.ts'
import type { RunningKernel } from '../kernel/running-kernel.ts'
import { crash, crashingCpuOf, type Crash } from './crash.ts'

export interface PartitionRequest {
  readonly partition: string
  readonly correlationId: string
}

/**
 * Crashes the kernel, up to where firmware has taken over. A second crash waits until the first is through; by then
 * the kernel is gone, and nothing is left to do (C093). Errors: `not-found`, `wrong-state`, `invalid-configuration`.
 */
export async function crashPartition(
  host: KernelHost,
  request: PartitionRequest & CrashRequest,
): Promise<void> {
  const first = await host.running(request.partition, request.correlationId)
  const cpu = crashingCpuOf(first.record, request.cpu)
  await host.crashMutex.run(request.partition, async () => {
    const kernel = await host.find(request.partition, request.correlationId)
    if (kernel === undefined || kernel.memory.epoch !== first.memory.epoch) return
    await tellAndCrash(host, kernel, { cause: request.cause, cpu })
  })
}

/**
 * System reset exception 0x100 on every CPU. Answers as soon as it is known that a kernel of that boot is up; what the
 * exception leads to goes on behind. Errors: `stale-boot`, `not-found`, `wrong-state`.
 */
export async function systemReset(
  host: KernelHost,
  request: PartitionRequest & { readonly epoch: number },
): Promise<() => Promise<void>> {
  const kernel = await host.running(request.partition, request.correlationId)
  const { epoch } = kernel.memory
  if (epoch !== request.epoch) {
    throw new Problem(
      'stale-boot',
      `boot ${request.epoch} of partition ${request.partition} is over; the present one is ${epoch}`,
      { extensions: { epoch } },
    )
  }
  return () =>
    host.crashMutex.run(request.partition, async () => {
      const present = await host.find(request.partition, request.correlationId)
      if (present === undefined || present.memory.epoch !== epoch) return
      const cpu = crashingCpuOf(present.record, undefined)
      await tellAndCrash(host, present, { cause: 'system-reset', cpu })
    })
}

/** An orderly shutdown: an active dump is invalidated, and modern kernels take back a registration (C119, C120). */
export async function shutdownPartition(
  host: KernelHost,
  request: PartitionRequest & { readonly action: 'reboot' | 'power-off' },
): Promise<void> {
  await host.fadumpMutex.run(request.partition, async () => {
    const kernel = await host.running(request.partition, request.correlationId)
    const { fadump, profile, rtas } = kernel.record
    if (fadump.isDumpActive) await invalidateDump(kernel)
    else if (fadump.isRegistered && fadumpRules[profile].unregistersAtShutdown) {
      await unregisterFadump(kernel)
    }
    const isReboot = request.action === 'reboot'
    await kernel.firmware.callRtas({
      token: (isReboot ? rtas.systemReboot : rtas.powerOff) ?? 0,
      // power-off: no event shall power the partition on again.
      args: isReboot ? [] : [0xffff_ffff, 0xffff_ffff],
    })
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

async function tellAndCrash(host: KernelHost, kernel: RunningKernel, event: Crash): Promise<void> {
  await host.tell({
    aggregate: 'kernel',
    subject: kernel.record.partition,
    event: 'crashed',
    correlationId: kernel.firmware.boot.correlationId,
    detail: { ...event, ...(await lostPages(kernel)) },
  })
  await crash(kernel, event)
}
