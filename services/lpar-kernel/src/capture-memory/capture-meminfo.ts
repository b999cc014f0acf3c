/** /proc/meminfo of a capture kernel: its own account in the kernel's format (fs/proc/meminfo.c). */
import type { KernelProfileName } from '@fadump-lab/shared/contracts'
import type { CaptureLife } from './capture-life.ts'

/** Rows of 3.4 in their order; those that are not computed here are 0 in a capture kernel. */
const rows2011 = [
  'MemTotal',
  'MemFree',
  'Buffers',
  'Cached',
  'SwapCached',
  'Active',
  'Inactive',
  'Active(anon)',
  'Inactive(anon)',
  'Active(file)',
  'Inactive(file)',
  'Unevictable',
  'Mlocked',
  'SwapTotal',
  'SwapFree',
  'Dirty',
  'Writeback',
  'AnonPages',
  'Mapped',
  'Shmem',
  'Slab',
  'SReclaimable',
  'SUnreclaim',
] as const

/** Rows of 7.2 that 3.4 does not have come behind. */
const rowsModern = [
  'MemTotal',
  'MemFree',
  'MemAvailable',
  ...rows2011.slice(2),
  'CmaTotal',
  'CmaFree',
] as const

/** Owners whose pages are those of processes. */
const processOwners = [
  'user space',
  'udev workers that leave',
  'udev workers that stay',
  'LUKS key derivation',
  'network user space',
  'collector',
  'collector threads',
  'page bitmaps',
  'transfer client',
  'another process',
] as const
const slabOwners = [
  'slabs and page tables',
  'per-CPU slabs and lists',
  'memory controller',
] as const

/** `extraBytes`: what vmcore streams hold beyond the pages that the transfer has taken. */
export function captureMeminfo(
  life: CaptureLife,
  profile: KernelProfileName,
  extraBytes: number,
): string {
  const values = valuesOf(life, extraBytes)
  const names = profile === 'v5' ? rows2011 : rowsModern
  return names
    .map((name) => `${`${name}:`.padEnd(16)}${String(values[name] ?? 0).padStart(8)} kB\n`)
    .join('')
}

/** kB. */
function valuesOf(life: CaptureLife, extraBytes: number): Readonly<Record<string, number>> {
  const { pages, reservePages, system } = life
  const kB = (count: number) => Math.max(0, count) * system.pageKiB
  const held = (owners: readonly string[]) =>
    owners.reduce((sum, owner) => sum + pages.heldBy(owner), 0)
  const free = pages.free - Math.ceil(extraBytes / (system.pageKiB * 1024))
  const cache = pages.heldBy('page cache')
  const rootfs = pages.heldBy('unpacked initramfs')
  const anonymous = held(processOwners)
  const slab = held(slabOwners)
  return {
    MemTotal: kB(life.managedPages),
    MemFree: kB(free),
    MemAvailable: kB(free + cache - reservePages),
    Cached: kB(cache + rootfs),
    Active: kB(anonymous),
    Inactive: kB(cache + rootfs),
    'Active(anon)': kB(anonymous),
    'Inactive(anon)': kB(rootfs),
    'Inactive(file)': kB(cache),
    Dirty: kB(cache),
    AnonPages: kB(anonymous),
    // ramfs is page cache and nothing else.
    Shmem: system.rootfsPercent === 100 ? 0 : kB(rootfs),
    Slab: kB(slab),
    SUnreclaim: kB(slab),
  }
}
