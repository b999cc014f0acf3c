/**
 * What a commit does to memory, as disjoint segments.
 *
 * Clears, copies and writes are laid over each other in the order in which they apply; a later one covers an earlier
 * one. Every copy reads the memory as it was before the commit, so the segments that remain are independent: they can be
 * carried out in any order, on any number of pages, by either store.
 */
import type { MemoryChange } from '../memory-store.ts'

/** Where the bytes of a segment come from: nowhere (zeros), the memory as it was before, or the caller. */
export type Origin =
  | { readonly kind: 'zeros' }
  | { readonly kind: 'memory'; readonly source: bigint }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }

/** `[start, end)` of the memory after the commit; never empty. */
export interface Segment {
  readonly start: bigint
  readonly end: bigint
  readonly origin: Origin
}

/** The segments of `change`: disjoint and ascending. */
export function segmentsOf(change: MemoryChange): readonly Segment[] {
  const layers: Segment[] = []
  for (const { start, end } of change.clears ?? []) {
    cover(layers, { start, end, origin: { kind: 'zeros' } })
  }
  for (const { source, target, length } of change.copies ?? []) {
    const origin = { kind: 'memory', source } as const
    cover(layers, { start: target, end: target + length, origin })
  }
  for (const { address, bytes } of change.writes ?? []) {
    const end = address + BigInt(bytes.byteLength)
    cover(layers, { start: address, end, origin: { kind: 'bytes', bytes } })
  }
  return layers
}

/** The part of `segment` within `[start, end)`, which must overlap it. */
export function cut(segment: Segment, start: bigint, end: bigint): Segment {
  const from = start > segment.start ? start : segment.start
  const to = end < segment.end ? end : segment.end
  return { start: from, end: to, origin: originFrom(segment, from, to) }
}

function originFrom({ start, origin }: Segment, from: bigint, to: bigint): Origin {
  switch (origin.kind) {
    case 'zeros':
      return origin
    case 'memory':
      return { kind: 'memory', source: origin.source + (from - start) }
    case 'bytes':
      return {
        kind: 'bytes',
        bytes: origin.bytes.subarray(Number(from - start), Number(to - start)),
      }
  }
}

/** Lays `segment` over `layers` (disjoint, ascending), in place. */
function cover(layers: Segment[], segment: Segment): void {
  if (segment.start === segment.end) return
  const first = firstEndingAfter(layers, segment.start)
  let beyond = first
  const replacement = [segment]
  for (let under = layers[beyond]; under !== undefined; under = layers[beyond]) {
    if (under.start >= segment.end) break
    if (under.start < segment.start) replacement.unshift(cut(under, under.start, segment.start))
    if (under.end > segment.end) replacement.push(cut(under, segment.end, under.end))
    beyond += 1
  }
  layers.splice(first, beyond - first, ...replacement)
}

/** The index of the first of `layers` whose end lies beyond `address`. */
function firstEndingAfter(layers: readonly Segment[], address: bigint): number {
  let low = 0
  let high = layers.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const segment = layers[middle]
    if (segment !== undefined && segment.end <= address) low = middle + 1
    else high = middle
  }
  return low
}
