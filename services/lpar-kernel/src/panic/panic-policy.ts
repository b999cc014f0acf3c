/** What a kernel does when it has panicked and firmware has not taken over. */
import { splitCommandLine } from '@fadump-lab/shared/fadump'
import type { RunningKernel } from '../kernel/running-kernel.ts'

/** `panic=0` stays where it is; anything else restarts the partition. */
export async function followPanicPolicy(kernel: RunningKernel): Promise<'halted' | 'rebooting'> {
  const { commandLine, rtas } = kernel.record
  const panic = splitCommandLine(commandLine).findLast(({ name }) => name === 'panic')?.value
  if (panic === '0' || rtas.systemReboot === undefined) {
    await kernel.update({ isHalted: true })
    return 'halted'
  }
  await kernel.firmware.callRtas({ token: rtas.systemReboot, args: [] })
  return 'rebooting'
}
