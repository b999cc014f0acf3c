/**
 * An orderly end of the operating system: reboot, power-off, and kexec into another kernel. All of them go through
 * `machine_shutdown`, where fadump cleans up: an active dump is invalidated, and 6.10 takes a registration back, which
 * 3.4 leaves (C119, C120).
 */
import { iplQueue, type ShutdownRequest } from '@fadump-lab/shared/contracts'
import { fadumpRules } from '../fadump/profile-rules.ts'
import { invalidateDump, unregisterFadump } from '../fadump/register.ts'
import type { KernelHost } from '../kernel/kernel-host.ts'
import type { RunningKernel } from '../kernel/running-kernel.ts'
import type { PartitionRequest } from './crash-requests.ts'

/** Errors: `not-found`, `wrong-state`. */
export async function shutdownPartition(
  host: KernelHost,
  request: PartitionRequest & ShutdownRequest,
): Promise<void> {
  await host.fadumpMutex.run(request.partition, async () => {
    const kernel = await host.running(request.partition, request.correlationId)
    await machineShutdown(kernel)
    if (request.action === 'kexec') return kexec(host, kernel, request.bootArguments)
    const { rtas } = kernel.record
    const isReboot = request.action === 'reboot'
    await kernel.firmware.callRtas({
      token: (isReboot ? rtas.systemReboot : rtas.powerOff) ?? 0,
      // power-off: no event shall power the partition on again.
      args: isReboot ? [] : [0xffff_ffff, 0xffff_ffff],
    })
  })
}

async function machineShutdown(kernel: RunningKernel): Promise<void> {
  const { fadump, profile } = kernel.record
  if (fadump.isDumpActive) await invalidateDump(kernel)
  else if (fadump.isRegistered && fadumpRules[profile].unregistersAtShutdown) {
    await unregisterFadump(kernel)
  }
}

/**
 * The next kernel starts without firmware: same boot generation, same memory, registration as it stands. It is booted
 * by whoever takes the job, so that it comes up even if this host dies.
 */
async function kexec(
  host: KernelHost,
  kernel: RunningKernel,
  bootArguments: string | undefined,
): Promise<void> {
  const { partition, frame, epoch, commandLine, kexecs, profile } = kernel.record
  await kernel.printk([
    profile === 'v5' ? 'Starting new kernel' : 'kexec_core: Starting new kernel',
  ])
  await kernel.update({ kexec: { bootArguments: bootArguments ?? commandLine } })
  const { correlationId } = kernel.firmware.boot
  const job = { partition, frame, epoch, correlationId }
  await host.deps.queues.open(iplQueue).add(`${partition}-${epoch}-kexec-${kexecs + 1}`, job)
}
