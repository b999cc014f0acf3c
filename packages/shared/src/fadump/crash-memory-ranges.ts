/**
 * Which memory of the crashed kernel becomes a PT_LOAD, and where its bytes are now. 3.4 works it out in the first
 * kernel at registration (`fadump_setup_crash_memory_ranges`), 6.10 in the capture kernel
 * (`fadump_populate_elfcorehdr`). The reserved dump area is never part of it.
 */
import {
  coalesce,
  memoryRange,
  rangeLength,
  rangeOf,
  realAddress,
  subtract,
  type MemoryRange,
  type RealAddress,
} from '../units/index.ts'
import type { KernelProfile } from './kernel-profiles.ts'

export interface CrashMemoryInput {
  readonly profile: Pick<KernelProfile, 'kernelSource'>
  /** `memblock.memory`, ascending. */
  readonly memoryRegions: readonly MemoryRange[]
  /** Ascending; the first begins at 0. */
  readonly bootRegions: readonly MemoryRange[]
  /** Destination of the boot region that begins at 0; the others follow it. */
  readonly bootDestination: RealAddress
  /** The reserved dump area. */
  readonly area: MemoryRange
}

export interface CrashMemoryRange {
  /** Addresses of the crashed kernel: `p_paddr` and `p_filesz`. */
  readonly range: MemoryRange
  /** Where the first byte is now: `p_offset` in the ELF core header. */
  readonly savedAt: RealAddress
}

/** The ranges in PT_LOAD order; empty ones are left out. */
export function crashMemoryRanges(input: CrashMemoryInput): CrashMemoryRange[] {
  return { '3.4': rangesOfFirstKernel, '6.10': rangesOfCaptureKernel }[input.profile.kernelSource](
    input,
  )
}

/**
 * 3.4. Only a memory region that begins at 0 and covers all boot memory is trimmed to it: one that ends below appears
 * again beside the boot chunk, and its PT_LOAD, too, points to the copy. Kept, because it is what tools were given.
 */
function rangesOfFirstKernel(input: CrashMemoryInput): CrashMemoryRange[] {
  const bootSize = input.bootRegions.reduce((sum, region) => sum + rangeLength(region), 0n)
  const ranges = [memoryRange(0n, bootSize)]
  for (const region of input.memoryRegions) {
    const isTrimmed = region.start === 0n && region.end >= bootSize
    const rest = isTrimmed ? memoryRange(bootSize, region.end) : region
    ranges.push(...subtract(rest, input.area))
  }
  return ranges
    .filter((range) => rangeLength(range) > 0n)
    .map((range) => ({ range, savedAt: range.start === 0n ? input.bootDestination : range.start }))
}

/** 6.10. Boot regions one by one, then everything above them; memblock has joined what touches. */
function rangesOfCaptureKernel(input: CrashMemoryInput): CrashMemoryRange[] {
  let savedAt: RealAddress = input.bootDestination
  const boot = input.bootRegions.map((range) => {
    const saved = { range, savedAt }
    savedAt = realAddress(savedAt + rangeLength(range))
    return saved
  })
  const top = input.bootRegions.at(-1)?.end ?? realAddress(0n)
  const others = coalesce(input.memoryRegions)
    .flatMap((region) => subtract(region, memoryRange(0n, top)))
    .flatMap((region) => subtract(region, input.area))
    .map((range) => ({ range, savedAt: range.start }))
  return [...boot, ...others]
}

export type RelocationInput = Pick<CrashMemoryInput, 'profile' | 'bootRegions' | 'bootDestination'>

/**
 * Where a byte of the crashed kernel is now (`fadump_relocate`): boot memory has moved to its copy, everything else
 * stays. 3.4 leaves address 0 alone (`paddr > RMA_START`).
 */
export function relocate(input: RelocationInput, address: RealAddress): RealAddress {
  if (address === 0n && input.profile.kernelSource === '3.4') return address
  let savedBefore = 0n
  for (const region of input.bootRegions) {
    if (address >= region.start && address < region.end) {
      return realAddress(input.bootDestination + savedBefore + (address - region.start))
    }
    savedBefore += rangeLength(region)
  }
  return address
}

/** The part of the reserved dump area that holds the copy of boot memory. */
export function bootCopyRange(
  input: Pick<CrashMemoryInput, 'bootRegions' | 'bootDestination'>,
): MemoryRange {
  const length = input.bootRegions.reduce((sum, region) => sum + rangeLength(region), 0n)
  return rangeOf(input.bootDestination, length)
}
