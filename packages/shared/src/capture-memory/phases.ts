/**
 * The life of a capture kernel as its memory sees it, phase by phase, and the ways it ends when memory does not
 * suffice. Order matters: a phase holds what the earlier ones left.
 */

export interface PhaseRow {
  readonly name: string
  /** What takes memory in this phase. */
  readonly what: string
  /** One letter, for tables and sweeps. */
  readonly code: string
  /** How it fails when memory ends in it, unless the target, the driver or a sysctl make it otherwise. */
  readonly failsAs: FailureKind
}

export const phases = [
  {
    name: 'firmware hand-over',
    what: 'RTAS, device tree, crash info header and ELF core header lie in boot memory',
    code: 'H',
    failsAs: 'hang',
  },
  {
    name: 'kernel',
    what: 'image, memory map of all RAM, hash tables, per-CPU areas, slabs',
    code: 'K',
    failsAs: 'hang',
  },
  {
    name: 'initramfs unpack',
    what: 'the compressed image and the unpacked files at the same time',
    code: 'I',
    failsAs: 'out of memory panic',
  },
  {
    name: 'user space',
    what: 'init and its daemons; the image is freed',
    code: 'U',
    failsAs: 'oom kill',
  },
  {
    name: 'udev',
    what: 'parallel workers load drivers; key derivation of LUKS',
    code: 'D',
    failsAs: 'oom kill',
  },
  {
    name: 'network modules',
    what: 'the driver and the network user space',
    code: 'M',
    failsAs: 'oom kill',
  },
  {
    name: 'link up',
    what: 'the driver fills the receive rings of every queue of every port',
    code: 'L',
    failsAs: 'oom kill',
  },
  { name: 'address', what: 'lease, route, sockets', code: 'A', failsAs: 'oom kill' },
  {
    name: 'collector process',
    what: 'most udev workers are gone; makedumpfile with its bitmaps and threads',
    code: 'C',
    failsAs: 'oom kill',
  },
  {
    name: 'transfer',
    what: 'client, socket buffers or write-back, page cache',
    code: 'T',
    failsAs: 'killed in mid-copy',
  },
  {
    name: 'done',
    what: 'what the transfer took is free again',
    code: 'N',
    failsAs: 'killed in mid-copy',
  },
] as const satisfies readonly PhaseRow[]

export type Phase = (typeof phases)[number]['name']

export const phaseNames: readonly Phase[] = phases.map(({ name }) => name)

export interface FailureRow {
  /** The start of the sentence that explains it. */
  readonly title: string
  readonly what: string
  /**
   * How the capture kernel ends: a panic reaches firmware by ibm,os-term; `failure action` is what the initramfs does
   * when the collector fails; `nothing` stays until somebody resets the partition.
   */
  readonly ends: 'panic' | 'failure action' | 'nothing'
}

/** How a capture kernel fails for want of memory. What becomes of the dump follows from `ends` (firmware's business). */
export const failures = {
  hang: {
    title: 'The capture kernel hangs',
    what: 'memory ends before there is a console, or write-back over NFS needs memory in order to free memory',
    ends: 'nothing',
  },
  'rootfs full': {
    title: 'No space left in the root file system (write error)',
    what: 'the unpacked initramfs exceeds the limit of tmpfs: no root file system, panic',
    ends: 'panic',
  },
  'out of memory panic': {
    title: 'Out of memory and no process to kill',
    what: 'no process to kill exists yet, or vm.panic_on_oom=1',
    ends: 'panic',
  },
  'oom kill': {
    title: 'Out of memory',
    what: 'the OOM killer takes the largest process',
    ends: 'failure action',
  },
  'allocation failure': {
    title: 'Page allocation failure',
    what: 'an allocation above order 3 fails without an OOM kill: the driver gives up, there is no network',
    ends: 'failure action',
  },
  'killed in mid-copy': {
    title: 'Out of memory in mid-copy',
    what: 'the OOM killer takes the collector or its client while the dump is under way',
    ends: 'failure action',
  },
} as const satisfies Readonly<Record<string, FailureRow>>

export type FailureKind = keyof typeof failures
