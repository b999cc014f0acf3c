/** Which memory regions make up boot memory when there are holes (Linux 6.10 `fadump_get_boot_mem_regions`). */
import {
  alignUp,
  rangeLength,
  rangeOf,
  realAddress,
  type ByteLength,
  type MemoryRange,
  type RealAddress,
} from '../units/index.ts'
import type { KernelProfile } from './kernel-profiles.ts'

export interface BootRegions {
  readonly regions: readonly MemoryRange[]
  /** End of boot memory with the holes in it, page-aligned. */
  readonly top: RealAddress
}

/**
 * The lowest `size` bytes of memory, region by region; `undefined` when that takes more regions than a dump has
 * sections for (C087). Too little memory is no error here: the reservation fails later, as in Linux.
 */
export function bootRegionsFor(
  memoryRegions: readonly MemoryRange[],
  size: ByteLength,
  profile: Pick<KernelProfile, 'bootRegionsMax' | 'bootRegionWalk' | 'pageSize'>,
): BootRegions | undefined {
  const regions: MemoryRange[] = []
  // Linux takes every region off the wanted size and adds it to the found size as well.
  const step = profile.bootRegionWalk === 'linux' ? 2n : 1n
  let wanted: bigint = size
  let holes = 0n
  let lastEnd = 0n
  for (const region of memoryRegions) {
    holes += region.start - lastEnd
    lastEnd = region.end
    const length = rangeLength(region)
    const isLast = length >= wanted
    regions.push(isLast ? rangeOf(region.start, wanted > 0n ? wanted : 0n) : region)
    if (regions.length > profile.bootRegionsMax) return undefined
    if (isLast) break
    wanted -= step * length
  }
  return { regions, top: realAddress(alignUp(size + holes, profile.pageSize)) }
}
