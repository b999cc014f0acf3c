/**
 * Non-maskable interrupts by way of firmware (`fwnmi_init`, `pSeries_system_reset_exception` in
 * arch/powerpc/platforms/pseries): the handlers are registered at boot; Linux 3.4 gives the interlock back at once, as its
 * first act on a system reset. Later kernels do so for machine checks only, because PowerVM does not ask for more.
 */
import type { KernelProfileName } from '@fadump-lab/shared/contracts'
import { rtasStatus } from '@fadump-lab/shared/rtas'
import { splitCommandLine } from '@fadump-lab/shared/fadump'
import type { KernelRecord } from '../kernel/kernel-record.ts'
import type { RunningKernel } from '../kernel/running-kernel.ts'
import type { FirmwareClient } from './firmware-client.ts'

/** `system_reset_fwnmi` and `machine_check_fwnmi`, real addresses in front of the page that firmware owns. */
const handlers = [0x6a00, 0x6c00] as const

const interlocksSystemReset: Readonly<Record<KernelProfileName, boolean>> = {
  v5: true,
  modern: false,
}

/** `fwnmi_active`: whether firmware has taken the handlers. */
export async function registerNmiHandlers(
  firmware: Pick<FirmwareClient, 'callRtas'>,
  { nmiRegister, nmiInterlock }: KernelRecord['rtas'],
): Promise<boolean> {
  if (nmiRegister === undefined || nmiInterlock === undefined) return false
  const status = await firmware.callRtas({ token: nmiRegister, args: handlers })
  return status === rtasStatus.success
}

/** `debugger`: xmon has the CPUs, and the kernel does nothing more until somebody types at its console. */
export async function takeSystemReset(kernel: RunningKernel): Promise<'dies' | 'debugger'> {
  const { profile, rtas, commandLine, isFwnmiActive } = kernel.record
  if (interlocksSystemReset[profile] && isFwnmiActive && rtas.nmiInterlock !== undefined) {
    const status = await kernel.firmware.callRtas({ token: rtas.nmiInterlock, args: [] })
    if (status !== rtasStatus.success) {
      await kernel.printk([{ text: `FWNMI: nmi-interlock failed: ${status}`, level: 3 }])
    }
  }
  if (!hasDebugger(commandLine)) return 'dies'
  await kernel.printk([{ text: 'Entering xmon', level: 0 }])
  await kernel.update({ isHalted: true })
  return 'debugger'
}

/** `xmon=on`, `rw`, `ro` or `early`, the last one that is said. */
function hasDebugger(commandLine: string): boolean {
  const value = splitCommandLine(commandLine).findLast(({ name }) => name === 'xmon')?.value
  return value !== undefined && value !== 'off'
}
