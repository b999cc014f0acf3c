/**
 * What a running system would have in its memory: deterministic pages that say what they are.
 *
 * Every byte follows from the seed and the page's own address, never from the order of allocation, so a test (or a
 * person with a hex viewer) can tell for any byte of a vmcore whether it is the right one.
 */
import type { MemoryContent } from '@fadump-lab/shared/contracts'
import { pageSize } from '@fadump-lab/shared/store'
import {
  alignDown,
  alignUp,
  byteLength,
  fromAscii,
  isEmpty,
  littleEndianBytes,
  memoryRange,
  MiB,
  rangeLength,
  rangeOf,
  subtract,
  type MemoryRange,
} from '@fadump-lab/shared/units'

/** What a partition holds that asks for nothing in particular: 16 MiB. */
export const populatedBytesDefault = byteLength(16n * MiB)

/** Where content may lie. All ranges are cut to whole pages of the store. */
export interface ContentPlace {
  readonly memoryBytes: bigint
  /** The kernel image ends here; content in boot memory starts above. */
  readonly kernelEnd: bigint
  readonly bootMemory: bigint
  /** Not to be touched: reserved dump area, parameter area, holes. */
  readonly reserved: readonly MemoryRange[]
}

/** `asked` bytes of content do not fit a partition with `available` bytes of room. */
export interface ContentTooLarge {
  readonly asked: bigint
  readonly available: bigint
}

/** The content of a partition that gives none: 16 MiB, seeded by its name (FNV-1a, 32 bits). */
export function defaultContent(partition: string): MemoryContent {
  let seed = 0x811c9dc5
  for (const byte of fromAscii(partition)) seed = Math.imul(seed ^ byte, 0x01000193) >>> 0
  return { seed, populatedBytes: populatedBytesDefault }
}

/**
 * Three long runs of whole pages: a third inside boot memory, a third in the middle of the rest, a third at its end.
 * What does not fit into one place goes to the next.
 */
export function contentRuns(
  populatedBytes: bigint,
  place: ContentPlace,
): readonly MemoryRange[] | ContentTooLarge {
  const [low, high] = zones(place)
  const asked = alignUp(populatedBytes, page)
  const available = rangeLength(low) + rangeLength(high)
  if (asked > available) return { asked, available }
  const third = alignDown(asked / 3n, page)
  const lowLength = least(rangeLength(low), most(third, asked - rangeLength(high)))
  const highLength = asked - lowLength
  const endLength = least(alignDown(highLength / 2n, page), highLength)
  const end = memoryRange(high.end - endLength, high.end)
  const middleLength = highLength - endLength
  const middleStart =
    high.start + alignDown((rangeLength(high) - endLength - middleLength) / 2n, page)
  return [rangeOf(low.start, lowLength), rangeOf(middleStart, middleLength), end].filter(
    (run) => !isEmpty(run),
  )
}

/** `count` pages of 64 KiB from page number `first` (address / 64 KiB) on: each a line of ASCII, then xorshift32. */
export function contentPages(seed: number, first: bigint, count: number): Uint8Array {
  const label = `fadump-lab seed=0x${seed.toString(16).padStart(8, '0')}`
  return selfDescribingPages({ label, seed, first, count, streamBytes: pageSize })
}

/** One of them. */
export function contentPage(seed: number, number: bigint): Uint8Array {
  return contentPages(seed, number, 1)
}

/** What a page of the capture kernel says again and again: 4 KiB. Nobody reads it, and every capture boot writes it. */
const captureStreamBytes = 4096

/** Pages that the capture kernel has written: they say so, and differ from any page of a first kernel. */
export function capturePages(boot: number, first: bigint, count: number): Uint8Array {
  const label = `fadump-lab capture kernel boot=${boot}`
  return selfDescribingPages({ label, seed: ~boot, first, count, streamBytes: captureStreamBytes })
}

const page = BigInt(pageSize)

function zones(place: ContentPlace): readonly [MemoryRange, MemoryRange] {
  const kernelEnd = alignUp(place.kernelEnd, page)
  const bootEnd = alignDown(least(place.bootMemory, place.memoryBytes), page)
  const low = memoryRange(least(kernelEnd, bootEnd), bootEnd)
  const above = memoryRange(bootEnd, alignDown(place.memoryBytes, page))
  return [largestFree(low, place.reserved), largestFree(above, place.reserved)]
}

function largestFree(zone: MemoryRange, reserved: readonly MemoryRange[]): MemoryRange {
  const free = reserved.reduce<MemoryRange[]>(
    (rest, range) => rest.flatMap((part) => subtract(part, wholePages(range))),
    [zone],
  )
  return free.reduce(
    (best, range) => (rangeLength(range) > rangeLength(best) ? range : best),
    memoryRange(zone.start, zone.start),
  )
}

function wholePages(range: MemoryRange): MemoryRange {
  return memoryRange(alignDown(range.start, page), alignUp(range.end, page))
}

interface PageRun {
  readonly label: string
  readonly seed: number
  readonly first: bigint
  readonly count: number
  /** After so many bytes the numbers of a page begin again. */
  readonly streamBytes: number
}

function selfDescribingPages({ label, seed, first, count, streamBytes }: PageRun): Uint8Array {
  const bytes = new Uint8Array(count * pageSize)
  for (let index = 0; index < count; index += 1) {
    const number = first + BigInt(index)
    const start = index * pageSize
    bytes.set(stream(streamBytes, mix(seed, number)), start)
    for (let at = streamBytes; at < pageSize; at += streamBytes) {
      bytes.copyWithin(start + at, start, start + streamBytes)
    }
    bytes.set(fromAscii(`${label} page=0x${number.toString(16)}\n`), start)
  }
  return bytes
}

/** So many bytes of xorshift32, each number with its low byte first. */
function stream(length: number, seed: number): Uint8Array {
  const words = new Uint32Array(length / 4)
  let state = seed
  for (let index = 0; index < words.length; index += 1) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[index] = state
  }
  return littleEndianBytes(words)
}

/** A state for xorshift32 that is never 0 and differs from page to page. */
function mix(seed: number, number: bigint): number {
  const low = Number(number & 0xffff_ffffn)
  const high = Number(number >> 32n)
  const mixed = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(low + 1, 0xc2b2ae35) ^ high
  return mixed === 0 ? 1 : mixed
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

function most(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
