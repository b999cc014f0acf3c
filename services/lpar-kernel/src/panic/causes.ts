/**
 * The ways to crash, as a table: what the kernel finds (TRAP, DAR, DSISR, where), what it says, and by which road it
 * comes to `crash_fadump`.
 *
 * `oops`: die → oops_end → crash_fadump(regs, "die oops"); in v5 any oops of a registered partition dumps, whatever
 * panic_on_oops says (C090). `panic`: the panic notifier calls crash_fadump(NULL, message), so the header gets the
 * registers of crash_fadump itself (C091). `reset`: exception 0x100 on every CPU.
 *
 * `{…}` in a line is filled in at the crash: cpu, registers, places.
 */
import type { CrashCause, KernelProfileName } from '@fadump-lab/shared/contracts'
import type { TextPlace } from '../memory/kernel-text.ts'

export interface CrashPath {
  readonly road: 'oops' | 'panic' | 'reset'
  /** The exception vector; 0 when no exception led here. */
  readonly trap: bigint
  readonly dar: bigint
  readonly dsisr: bigint
  /** Where the CPU was: the registers of the header, unless the road is `panic`. */
  readonly nip: TextPlace
  readonly link: TextPlace
  /** Call trace below, innermost first. */
  readonly callers: readonly TextPlace[]
  /** What stands before the registers in the log. */
  readonly announces: readonly string[]
  /** `Oops: …, sig: n`: what `die` is told; absent when nothing dies. */
  readonly oops?: { readonly text: string; readonly signal: number }
  /** The panic message; `crash_fadump` is told `die oops` or `System Reset` otherwise. */
  readonly panic?: string
  readonly task: { readonly command: string; readonly pid: number }
}

const sysrqCallers: readonly TextPlace[] = [
  ['write_sysrq_trigger', 0x9c],
  ['proc_reg_write', 0x8c],
  ['vfs_write', 0xcc],
]
const shell = { command: 'bash', pid: 2412 }
const nothing = { trap: 0n, dar: 0n, dsisr: 0n } as const

/** DSISR of a data storage interrupt: no translation found; the store bit on top. */
const loadFault = 0x4000_0000n
const storeFault = 0x4200_0000n

const v5: Record<CrashCause, CrashPath> = {
  // sysrq_handle_crash of 3.4 stores through a NULL pointer.
  sysrq: {
    road: 'oops',
    trap: 0x300n,
    dar: 0n,
    dsisr: storeFault,
    nip: ['sysrq_handle_crash', 0xc],
    link: ['__handle_sysrq', 0x154],
    callers: sysrqCallers,
    announces: [
      'SysRq : Trigger a crash',
      'Unable to handle kernel paging request for data at address 0x{dar8}',
      'Faulting instruction address: 0x{nip}',
    ],
    oops: { text: 'Kernel access of bad area', signal: 11 },
    task: shell,
  },
  'null-dereference': {
    road: 'oops',
    trap: 0x300n,
    dar: 0x10n,
    dsisr: loadFault,
    nip: ['ehea_poll', 0x10],
    link: ['ehea_poll', 0x8],
    callers: [
      ['start_secondary', 0x28c],
      ['cpu_idle', 0x154],
    ],
    announces: [
      'Unable to handle kernel paging request for data at address 0x{dar8}',
      'Faulting instruction address: 0x{nip}',
    ],
    oops: { text: 'Kernel access of bad area', signal: 11 },
    task: { command: 'swapper', pid: 0 },
  },
  bug: {
    road: 'oops',
    trap: 0x700n,
    dar: 0n,
    dsisr: 0n,
    nip: ['ext4_evict_inode', 0x8],
    link: ['ext4_evict_inode', 0x4],
    callers: [
      ['vfs_write', 0x110],
      ['do_exit', 0x2f4],
    ],
    announces: ['kernel BUG at fs/ext4/inode.c:177!'],
    oops: { text: 'Exception in kernel mode', signal: 5 },
    task: { command: 'rm', pid: 3120 },
  },
  panic: {
    road: 'panic',
    ...nothing,
    nip: ['panic', 0x7c],
    link: ['do_exit', 0x8f0],
    callers: [],
    announces: [],
    panic: 'Attempted to kill init! exitcode=0x0000000b',
    task: { command: 'init', pid: 1 },
  },
  // 3.4 on POWER has no detector of hard lockups; its soft lockup detector with softlockup_panic=1 plays that part.
  'hard-lockup': {
    road: 'panic',
    ...nothing,
    nip: ['arch_local_irq_restore', 0x54],
    link: ['watchdog_timer_fn', 0x1c8],
    callers: [],
    announces: ['BUG: soft lockup - CPU#{cpu} stuck for 22s! [kworker/{cpu}:1:1187]'],
    panic: 'softlockup: hung tasks',
    task: { command: 'kworker', pid: 1187 },
  },
  'system-reset': {
    road: 'reset',
    trap: 0x100n,
    dar: 0n,
    dsisr: 0n,
    nip: ['plpar_hcall_norets', 0x18],
    link: ['pseries_dedicated_idle_sleep', 0xe8],
    callers: [
      ['cpu_idle', 0x154],
      ['start_secondary', 0x28c],
    ],
    announces: [],
    oops: { text: 'System Reset', signal: 6 },
    task: { command: 'swapper', pid: 0 },
  },
}

const modern: Record<CrashCause, CrashPath> = {
  sysrq: {
    road: 'panic',
    ...nothing,
    nip: ['sysrq_handle_crash', 0x24],
    link: ['__handle_sysrq', 0x1bc],
    callers: sysrqCallers,
    announces: ['sysrq: Trigger a crash'],
    panic: 'sysrq triggered crash',
    task: shell,
  },
  'null-dereference': {
    ...v5['null-dereference'],
    callers: [
      ['do_idle', 0x2a0],
      ['start_secondary', 0x28c],
    ],
    announces: [
      'BUG: Kernel NULL pointer dereference on read at 0x{dar8}',
      'Faulting instruction address: 0x{nip}',
    ],
    task: { command: 'swapper/{cpu}', pid: 0 },
  },
  bug: { ...v5.bug, announces: ['kernel BUG at fs/ext4/inode.c:177!'] },
  panic: v5.panic,
  'hard-lockup': {
    road: 'panic',
    ...nothing,
    nip: ['arch_local_irq_restore', 0x54],
    link: ['system_reset_exception', 0x1c0],
    callers: [],
    announces: [
      'watchdog: CPU {cpu} self-detected hard LOCKUP @ {nipSymbol}',
      'watchdog: CPU {cpu} TB:{timeBase}, last heartbeat TB:{heartbeat} (10231ms ago)',
    ],
    panic: 'Hard LOCKUP',
    task: { command: 'kworker/{cpu}:1', pid: 1187 },
  },
  // Modern kernels dump from the exception itself: nothing is printed before.
  'system-reset': {
    ...v5['system-reset'],
    link: ['check_and_cede_processor', 0x48],
    callers: [],
    task: { command: 'swapper/{cpu}', pid: 0 },
  },
}

const paths: Readonly<Record<KernelProfileName, Readonly<Record<CrashCause, CrashPath>>>> = {
  v5,
  modern,
}

export function crashPath(profile: KernelProfileName, cause: CrashCause): CrashPath {
  return paths[profile][cause]
}

/** Machine state of a CPU that takes an exception, and of one that has disabled interrupts (`panic`, `die`). */
export const crashMachineState: Readonly<
  Record<KernelProfileName, { readonly interrupted: bigint; readonly disabled: bigint }>
> = {
  v5: { interrupted: 0x8000_0000_0000_9032n, disabled: 0x8000_0000_0000_1032n },
  modern: { interrupted: 0x8000_0000_0280_b033n, disabled: 0x8000_0000_0000_1033n },
}

/** SRR1 says why a program check came: a trap instruction (`BUG`). */
export const programCheckTrap = 0x2_0000n

/** Where `crash_fadump` saves its own registers, and what it was called by. */
export const panicPlaces: Readonly<
  Record<KernelProfileName, { readonly nip: TextPlace; readonly link: TextPlace }>
> = {
  v5: { nip: ['crash_fadump', 0xa4], link: ['ppc_panic_event', 0x24] },
  modern: { nip: ['crash_fadump', 0x22c], link: ['ppc_panic_fadump_handler', 0x9c] },
}

/**
 * Where `smp_send_stop` leaves the other CPUs: `panic` of 3.4 sends it before it calls the panic notifiers, and each CPU
 * takes itself out of the online mask. 6.10 leaves them alone when fadump will dump (`crash_smp_send_stop`).
 */
export const stoppedPlaces: Readonly<Partial<Record<KernelProfileName, TextPlace>>> = {
  v5: ['stop_this_cpu', 0x20],
}

/**
 * `CRASH_TIMEOUT`: how long the first CPU in `crash_fadump` waits after a system reset for the others to come in, 500
 * turns of 1 ms of which the last is not waited for (C097). 3.4 does not wait.
 */
export const secondaryWaitMs: Readonly<Record<KernelProfileName, number>> = { v5: 0, modern: 499 }

/** What the other CPUs do after a system reset: v5 waits for `die_lock`, modern spins in `crash_fadump`. */
export const resetWaitPlaces: Readonly<Record<KernelProfileName, TextPlace>> = {
  v5: ['die', 0x64],
  modern: ['crash_fadump', 0xa8],
}
