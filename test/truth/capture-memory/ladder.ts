/**
 * What Linux 7.2.12 did in capture boots under QEMU 11.1 (pseries, POWER9, radix MMU), read from its serial logs: the
 * memory it counted, the initramfs sizes it could and could not unpack, what an OOM kill and an OOM panic did to a dump.
 */
import type { SystemDescription, Verdict } from '@fadump-lab/shared/capture-memory'

type Described = SystemDescription & { readonly memoryMiB: number; readonly cpus: number }

export interface MemTotalRow {
  readonly title: string
  readonly system: Described
  /** MemTotal of /proc/meminfo, kB. */
  readonly memTotalKiB: number
}

const preset = 'linux-7.2' as const

export const memTotals: readonly MemTotalRow[] = [
  {
    title: '320 MiB, 64 KiB pages',
    system: { preset, memoryMiB: 2048, cpus: 2, pageKiB: 64, bootMemoryMiB: 320 },
    memTotalKiB: 286_720,
  },
  {
    title: '512 MiB, 64 KiB pages, 4 CPUs',
    system: { preset, memoryMiB: 4096, cpus: 4, pageKiB: 64, bootMemoryMiB: 512 },
    memTotalKiB: 480_640,
  },
  {
    title: '320 MiB, 4 KiB pages',
    system: { preset, memoryMiB: 1024, cpus: 2, pageKiB: 4, bootMemoryMiB: 320 },
    memTotalKiB: 265_892,
  },
  {
    title: '512 MiB, 4 KiB pages, 4 CPUs',
    system: { preset, memoryMiB: 2048, cpus: 4, pageKiB: 4, bootMemoryMiB: 512 },
    memTotalKiB: 445_164,
  },
  {
    title: '320 MiB of a partition of 1 GiB',
    system: { preset, memoryMiB: 1024, cpus: 2, pageKiB: 64, bootMemoryMiB: 320 },
    memTotalKiB: 286_720,
  },
  {
    title: '320 MiB of a partition grown to 3 GiB',
    system: { preset, memoryMiB: 3072, cpus: 2, pageKiB: 64, bootMemoryMiB: 320 },
    memTotalKiB: 284_544,
  },
  {
    title: '320 MiB, nr_cpus=1',
    system: { preset, memoryMiB: 2048, cpus: 2, nrCpus: 1, pageKiB: 64, bootMemoryMiB: 320 },
    memTotalKiB: 287_040,
  },
]

export interface LadderRow {
  readonly run: string
  readonly title: string
  readonly system: Described
  readonly verdict: Verdict
  /** Kind and phase of the failure. */
  readonly kind?: string
  readonly phase?: string
  readonly warning?: string
  /** What the kernel or the shell said. */
  readonly line: string
}

const network = {
  preset,
  memoryMiB: 2048,
  cpus: 2,
  bootMemoryMiB: 320,
  card: 'ibmveth',
  target: 'ssh',
} as const

/** The image in KiB (`Freeing initrd memory`, or the write error); unpacked it has 6.4 MiB more. */
const initramfs = (imageKiB: number) => ({
  initramfsMiB: imageKiB / 1024,
  rootfsMiB: imageKiB / 1024 + 6.45,
})

export const ladder: readonly LadderRow[] = [
  {
    run: 'o-net-ok',
    title: 'makedumpfile over ibmveth, initramfs of 4.3 MiB',
    system: network,
    verdict: 'pass',
    line: 'makedumpfile Completed.',
  },
  {
    run: 'o-pad60',
    title: '60 MiB that do not compress in the initramfs',
    system: { ...network, ...initramfs(65_792) },
    verdict: 'pass',
    line: 'makedumpfile Completed.',
  },
  {
    run: 'o-pad100',
    title: '100 MiB that do not compress in the initramfs',
    system: { ...network, ...initramfs(106_752) },
    verdict: 'fail',
    kind: 'rootfs full',
    phase: 'initramfs unpack',
    line: 'rootfs image is not initramfs (write error); looks like an initrd',
  },
  {
    run: 'o-pad140',
    title: '140 MiB that do not compress in the initramfs',
    system: { ...network, ...initramfs(147_712) },
    verdict: 'fail',
    kind: 'rootfs full',
    phase: 'initramfs unpack',
    line: 'Kernel panic - not syncing: VFS: Unable to mount root fs on "" or unknown-block(1,0)',
  },
  {
    run: 'o-hog-oom',
    title: 'a process without bound beside the dump',
    system: { ...network, otherProcessMiB: 2048 },
    verdict: 'warn',
    warning: 'other process killed',
    line: 'Out of memory: Killed process 110 (tail)',
  },
  {
    run: 'o-hog-poo1',
    title: 'the same with vm.panic_on_oom=1',
    system: { ...network, otherProcessMiB: 2048, panicOnOom: true },
    verdict: 'fail',
    kind: 'out of memory panic',
    phase: 'transfer',
    line: 'Kernel panic - not syncing: Out of memory: system-wide panic_on_oom is enabled',
  },
]

/** Runs o-net-ok: MemFree of /proc/meminfo at the end of a phase, kB. */
export const memFree = [
  { phase: 'user space', memFreeKiB: 241_024 },
  { phase: 'address', memFreeKiB: 203_264 },
] as const

/** `mount` of the capture kernel: size of rootfs, kB, with an initramfs of 4352 kB. */
export const rootfsSizeKiB = 141_440
