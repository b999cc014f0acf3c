/** From ranges of the file that /proc/vmcore presents to where their bytes are, and from populated memory to ranges. */
import {
  byteLength,
  coalesce,
  intersect,
  memoryRange,
  rangeOf,
  type MemoryRange,
} from '../units/index.ts'
import { memoryAt, type VmcorePlan, type VmcoreSegment, type VmcoreSource } from './vmcore-plan.ts'

/**
 * The pieces of `[range.start, range.end)` of the file, in order and without gaps; a range that goes beyond the end is
 * cut there.
 */
export function piecesOf(plan: VmcorePlan, range: MemoryRange): VmcoreSegment[] {
  const pieces: VmcoreSegment[] = []
  for (let index = indexAt(plan.segments, range.start); index < plan.segments.length; index += 1) {
    const segment = plan.segments[index]
    const common = segment && intersect(rangeOf(segment.fileOffset, segment.length), range)
    if (segment === undefined || common === undefined) break
    pieces.push({
      fileOffset: common.start,
      length: byteLength(common.end - common.start),
      source: sourceFrom(
        segment.source,
        common.start - segment.fileOffset,
        common.end - common.start,
      ),
    })
  }
  return pieces
}

/**
 * The ranges of the file that are not known to be zero: the headers, and what lies in `populated` memory. Ascending,
 * neighbours joined. `populated` must be ascending and without overlaps, as a memory store reports it.
 */
export function populatedFileRanges(
  plan: VmcorePlan,
  populated: readonly MemoryRange[],
): MemoryRange[] {
  return coalesce(plan.segments.flatMap((segment) => populatedRangesOf(segment, populated)))
}

/** The same for one segment, for callers that ask a memory store segment by segment. */
export function populatedRangesOf(
  segment: VmcoreSegment,
  populated: readonly MemoryRange[],
): MemoryRange[] {
  const { fileOffset, length, source } = segment
  if (source.from === 'zeros') return []
  if (source.from === 'bytes') return [rangeOf(fileOffset, length)]
  const memory = rangeOf(source.address, length)
  const shift = fileOffset - source.address
  return populated.flatMap((range) => {
    const common = intersect(range, memory)
    return common === undefined ? [] : [memoryRange(common.start + shift, common.end + shift)]
  })
}

/** The memory that the file shows, joined and ascending: what a caller asks a memory store about. */
export function memoryRangesOf(plan: VmcorePlan): MemoryRange[] {
  return coalesce(
    plan.segments.flatMap((segment) =>
      segment.source.from === 'memory' ? [rangeOf(segment.source.address, segment.length)] : [],
    ),
  )
}

/** The index of the segment that holds file offset `at`; the number of segments when none does. */
function indexAt(segments: readonly VmcoreSegment[], at: bigint): number {
  let low = 0
  let high = segments.length
  while (low < high) {
    const middle = (low + high) >> 1
    const segment = segments[middle]
    if (segment !== undefined && segment.fileOffset + segment.length <= at) low = middle + 1
    else high = middle
  }
  return low
}

function sourceFrom(source: VmcoreSource, skip: bigint, length: bigint): VmcoreSource {
  if (source.from === 'zeros') return source
  if (source.from === 'memory') return memoryAt(source.address + skip)
  return { from: 'bytes', bytes: source.bytes.subarray(Number(skip), Number(skip + length)) }
}
