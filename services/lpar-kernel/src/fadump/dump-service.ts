/** The dump service of user space: writes 1 to `fadump_registered`, unless it reads 1 already. */
import type { RunningKernel } from '../kernel/running-kernel.ts'
import { registerFadump } from './register.ts'

/** What firmware or kernel refuse is in the kernel's log; the service only tries. */
export async function runDumpService(kernel: RunningKernel): Promise<void> {
  const { fadump, dumpService } = kernel.record
  if (!dumpService || !fadump.isEnabled || fadump.isRegistered || fadump.isDumpActive) return
  await registerFadump(kernel)
  if (kernel.record.isServiceDue) await kernel.update({ isServiceDue: false })
}
