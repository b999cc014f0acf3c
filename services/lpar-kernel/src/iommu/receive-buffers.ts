/**
 * The pages that the network driver of a kernel gives its adapter to receive into. Real ones come from the page allocator,
 * anywhere in memory; here two lie in boot memory and two above it, because that is what matters to a dump: after a crash
 * the former belong to the capture kernel, and the latter are the dump.
 */
import { commandLineBytesMax } from '@fadump-lab/shared/fadump'
import { pageSize } from '@fadump-lab/shared/store'
import {
  alignUp,
  intersect,
  memoryRange,
  rangeOf,
  realAddress,
  subtract,
  type MemoryRange,
  type RealAddress,
} from '@fadump-lab/shared/units'
import type { FadumpState, KernelRecord } from '../kernel/kernel-record.ts'
import { kernelEnd } from '../memory/kernel-image.ts'

/** In boot memory and above it, each. */
export const buffersPerPart = 2
/** Below: what the capture kernel's user space touches when it boots stays clear of them. */
const userSpaceBytes = 0x10_0000n

type Kernel = Pick<KernelRecord, 'processors' | 'memoryRegions'> & {
  readonly fadump: Pick<FadumpState, 'bootMemoryTop' | 'area' | 'parameterArea' | 'isDumpActive'>
}

/** Ascending; fewer where memory is too small for them. */
export function receiveBuffers({ processors, memoryRegions, fadump }: Kernel): RealAddress[] {
  const first = kernelEnd(processors) + userSpaceBytes
  const taken = reservedBy(fadump)
  const free = taken.reduce<readonly MemoryRange[]>(
    (left, range) => left.flatMap((region) => subtract(region, range)),
    memoryRegions,
  )
  const end = memoryRegions.at(-1)?.end ?? 0n
  // Without a reservation nothing is boot memory: all of them lie low.
  const top = fadump.area === undefined ? end : fadump.bootMemoryTop
  const low = firstPages(free, first, top)
  // What is above boot memory belongs to the dump as long as there is one.
  return fadump.isDumpActive ? low : [...low, ...firstPages(free, top, end)]
}

function reservedBy({ area, parameterArea }: Kernel['fadump']): MemoryRange[] {
  const parameters =
    parameterArea === undefined ? [] : [rangeOf(parameterArea, BigInt(commandLineBytesMax))]
  return [...(area === undefined ? [] : [area]), ...parameters]
}

/** The first whole pages of `free` in `[start, end)`. */
function firstPages(free: readonly MemoryRange[], start: bigint, end: bigint): RealAddress[] {
  if (start >= end) return []
  const part = memoryRange(start, end)
  const page = BigInt(pageSize)
  const pages = free.flatMap((range) => {
    const inside = intersect(range, part)
    if (inside === undefined) return []
    const from = alignUp(inside.start, page)
    const count = Number((inside.end - from) / page)
    return Array.from({ length: Math.max(0, Math.min(count, buffersPerPart)) }, (_, index) =>
      realAddress(from + BigInt(index) * page),
    )
  })
  return pages.slice(0, buffersPerPart)
}
