/** Half-open ranges of partition memory. Inclusive ends appear only in text that mirrors kernel output. */
import { byteLength, realAddress, type ByteLength, type RealAddress } from './address.ts'
import { invariant } from './invariant.ts'

/** `[start, end)`; `start ≤ end`. */
export interface MemoryRange {
  readonly start: RealAddress
  readonly end: RealAddress
}

export function memoryRange(start: bigint, end: bigint): MemoryRange {
  invariant(start <= end, `range start ${start} is beyond its end ${end}`)
  return { start: realAddress(start), end: realAddress(end) }
}

/** The range of `length` bytes that begins at `start`. */
export function rangeOf(start: bigint, length: bigint): MemoryRange {
  return memoryRange(start, start + length)
}

export function rangeLength(range: MemoryRange): ByteLength {
  return byteLength(range.end - range.start)
}

export function isEmpty(range: MemoryRange): boolean {
  return range.start === range.end
}

export function contains(outer: MemoryRange, inner: MemoryRange): boolean {
  return outer.start <= inner.start && inner.end <= outer.end
}

export function overlaps(a: MemoryRange, b: MemoryRange): boolean {
  return a.start < b.end && b.start < a.end
}

/** The common part, or `undefined` when there is none. */
export function intersect(a: MemoryRange, b: MemoryRange): MemoryRange | undefined {
  const start = a.start > b.start ? a.start : b.start
  const end = a.end < b.end ? a.end : b.end
  return start < end ? { start, end } : undefined
}

/** What is left of `range` when `hole` is taken out: no, one or two ranges, ascending. */
export function subtract(range: MemoryRange, hole: MemoryRange): MemoryRange[] {
  if (!overlaps(range, hole)) return isEmpty(range) ? [] : [range]
  const rest: MemoryRange[] = []
  if (range.start < hole.start) rest.push({ start: range.start, end: hole.start })
  if (hole.end < range.end) rest.push({ start: hole.end, end: range.end })
  return rest
}

/** Ascending ranges with touching and overlapping neighbours joined and empty ones dropped. */
export function coalesce(ranges: readonly MemoryRange[]): MemoryRange[] {
  const sorted = ranges.filter((range) => !isEmpty(range)).toSorted(byStart)
  const joined: MemoryRange[] = []
  for (const range of sorted) {
    const last = joined.at(-1)
    if (last === undefined || range.start > last.end) joined.push(range)
    else if (range.end > last.end) joined[joined.length - 1] = { start: last.start, end: range.end }
  }
  return joined
}

function byStart(a: MemoryRange, b: MemoryRange): number {
  return a.start < b.start ? -1 : a.start > b.start ? 1 : 0
}
