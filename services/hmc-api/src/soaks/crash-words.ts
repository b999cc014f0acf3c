/** What a kernel logs when it crashes (Linux 3.4 and 6.12), and how many CPUs its dump has. */
import type { CrashCause, KernelProfileName } from '@fadump-lab/shared/contracts'
import type { PlannedCause } from './plan.ts'

const words: Readonly<Record<KernelProfileName, Readonly<Record<CrashCause, string>>>> = {
  v5: {
    sysrq: 'SysRq : Trigger a crash',
    'null-dereference': 'paging request for data at address 0x00000010',
    bug: 'kernel BUG at fs/ext4/inode.c:177!',
    panic: 'Kernel panic - not syncing: Attempted to kill init!',
    'hard-lockup': 'BUG: soft lockup - CPU#',
    'system-reset': 'Oops: System Reset, sig: 6',
  },
  modern: {
    sysrq: 'sysrq: Trigger a crash',
    'null-dereference': 'BUG: Kernel NULL pointer dereference on read at 0x00000010',
    bug: 'kernel BUG at fs/ext4/inode.c:177!',
    panic: 'Kernel panic - not syncing: Attempted to kill init!',
    'hard-lockup': 'self-detected hard LOCKUP',
    'system-reset': 'System Reset',
  },
}

export function crashWords(profile: KernelProfileName, cause: PlannedCause): string {
  return words[profile][cause === 'dump-restart' ? 'system-reset' : cause]
}

/** `panic()` of 3.4 takes all other CPUs offline before firmware is told; what is offline has no note (C060). */
export function cpuNotesOf(
  profile: KernelProfileName,
  cause: PlannedCause,
  online: number,
): number {
  const stopsOthers = profile === 'v5' && (cause === 'panic' || cause === 'hard-lockup')
  return stopsOthers ? 1 : online
}

/** Firmware alone has dumped it: the header names no CPU in v5 until it crashes, and all possible ones in modern (C062). */
export function cpuNotesOfFirmware(profile: KernelProfileName, possible: number): number {
  return profile === 'v5' ? 0 : possible
}
