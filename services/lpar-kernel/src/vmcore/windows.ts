/**
 * Where the bytes of a vmcore come from, window by window.
 *
 * Windows lie on a grid of the crashed kernel's own addresses (1 MiB windows, 64 KiB granules), not of the file's: the
 * copy of boot memory and the file itself may be shifted by any number of bytes, but a page that was populated stays
 * one granule. The grid does not depend on where a reader starts, so all readers see the same windows.
 */
import { segmentType, type VmcorePlan, type VmcoreSegment } from '@fadump-lab/shared/elf'
import { pageSize } from '@fadump-lab/shared/store'
import {
  alignDown,
  alignUp,
  isAligned,
  memoryRange,
  realAddress,
  toHostLength,
  type MemoryRange,
} from '@fadump-lab/shared/units'
import type { PartitionMemory } from '../memory/partition-memory.ts'

/** The most bytes of one window. */
export const windowBytesMax = 1024 * 1024

export interface Window {
  readonly offset: bigint
  /** File offset of the first granule boundary at or below `offset`. */
  readonly grid: bigint
  /** Headers and notes are kept whatever they hold. */
  readonly isKept: boolean
  /** Where it lies in memory when it is made of whole pages of the store: then their digests are known. */
  readonly pages?: MemoryRange
  read(): Promise<Uint8Array>
}

const granule = BigInt(pageSize)
const windowBytes = BigInt(windowBytesMax)

/** The windows that hold bytes of `wanted`, without those of which nothing is populated. */
export async function* windowsOf(
  plan: VmcorePlan,
  memory: PartitionMemory,
  wanted: MemoryRange,
): AsyncGenerator<Window, void, void> {
  for (const segment of plan.segments) {
    const end = segment.fileOffset + segment.length
    if (end <= wanted.start || segment.fileOffset >= wanted.end) continue
    yield* segmentWindows(segment, { plan, memory, wanted })
  }
}

async function* segmentWindows(
  segment: VmcoreSegment,
  context: {
    readonly plan: VmcorePlan
    readonly memory: PartitionMemory
    readonly wanted: MemoryRange
  },
): AsyncGenerator<Window, void, void> {
  const { source, fileOffset, length } = segment
  if (source.from === 'zeros') return
  if (source.from === 'bytes') {
    const { bytes } = source
    yield { offset: fileOffset, grid: fileOffset, isKept: true, read: () => Promise.resolve(bytes) }
    return
  }
  const { memory, plan, wanted } = context
  const load = loadOf(plan, segment)
  const isKept = load === undefined
  // What has to be added to a file offset to get an address on the grid of the crashed kernel.
  const toGrid = load === undefined ? -fileOffset : load.physicalAddress - load.offset
  const toMemory = source.address - fileOffset
  const whole = { start: realAddress(fileOffset), end: realAddress(fileOffset + length) }
  const start = largest(whole.start, alignDown(wanted.start + toGrid, windowBytes) - toGrid)
  const end = wanted.end < whole.end ? wanted.end : whole.end
  const ranges = isKept
    ? [memoryRange(start + toMemory, whole.end + toMemory)]
    : memory.populated(memoryRange(start + toMemory, end + toMemory))
  let done = start
  for await (const range of ranges) {
    // Whole granules that the populated range touches, within the segment, that were not read yet.
    const first = alignDown(range.start - toMemory + toGrid, granule) - toGrid
    const last = alignUp(range.end - toMemory + toGrid, granule) - toGrid
    const stop = last < whole.end ? last : whole.end
    for (let offset = largest(first, done); offset < stop;) {
      const boundary = alignDown(offset + toGrid, windowBytes) + windowBytes - toGrid
      const next = boundary < stop ? boundary : stop
      const address = realAddress(offset + toMemory)
      const bytes = toHostLength(next - offset, windowBytesMax)
      const grid = alignDown(offset + toGrid, granule) - toGrid
      yield {
        offset,
        grid,
        isKept,
        ...wholePages(memoryRange(address, address + (next - offset)), offset - grid),
        read: () => memory.read(address, bytes),
      }
      offset = next
      done = next
    }
  }
}

/** `skipped`: bytes of the first granule that lie before the window. */
function wholePages(pages: MemoryRange, skipped: bigint): { readonly pages?: MemoryRange } {
  const isWhole = skipped === 0n && isAligned(pages.start | pages.end, granule)
  return isWhole ? { pages } : {}
}

/** The PT_LOAD that a segment holds; `undefined` for notes. */
function loadOf(plan: VmcorePlan, { fileOffset, length }: VmcoreSegment) {
  return plan.programHeaders.find(
    ({ type, offset }) =>
      type === segmentType.load && offset >= fileOffset && offset < fileOffset + length,
  )
}

function largest(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
