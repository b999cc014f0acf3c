/**
 * The parts of a vmcore that are not zero, in order: what is sent, hashed, and kept on disk.
 *
 * Pieces lie on a grid of the crashed kernel's own addresses (1 MiB windows, 64 KiB granules), not of the file's: the
 * copy of boot memory and the file itself may be shifted by any number of bytes, but a page that was populated stays
 * one granule. The grid does not depend on where a reader starts, so all readers see the same pieces.
 */
import { segmentType, type VmcorePlan, type VmcoreSegment } from '@fadump-lab/shared/elf'
import { pageSize } from '@fadump-lab/shared/store'
import {
  alignDown,
  alignUp,
  isZero,
  memoryRange,
  realAddress,
  toHostLength,
  type MemoryRange,
} from '@fadump-lab/shared/units'
import type { PartitionMemory } from '../memory/partition-memory.ts'
import type { OpenVmcore } from './open-vmcore.ts'
import { readAhead } from './read-ahead.ts'

/** The most bytes of one piece: that of one manifest entry. */
export const pieceBytesMax = 1024 * 1024

/** Bytes of the file, at most `pieceBytesMax`, beginning and ending with a granule that is not all zero. */
export interface Piece {
  readonly offset: bigint
  readonly bytes: Uint8Array
}

export interface PieceOptions {
  /** Only bytes in `[from, to)` of the file; pieces are cut there. */
  readonly from?: bigint
  readonly to?: bigint
  /** Windows read ahead. */
  readonly windows: number
}

/** Errors: `errno` EIO as soon as the dump is released, before a byte that was read later is given out. */
export async function* piecesOfVmcore(
  vmcore: OpenVmcore,
  options: PieceOptions,
): AsyncGenerator<Piece, void, void> {
  const from = options.from ?? 0n
  const to = options.to ?? vmcore.plan.size
  const windows = windowsOf(vmcore.plan, vmcore.kernel.memory, memoryRange(from, to))
  const read = async (window: Window) => {
    const bytes = await window.read()
    await vmcore.check()
    return { window, bytes }
  }
  for await (const { window, bytes } of readAhead(windows, read, options.windows)) {
    for (const piece of populatedPieces(window, bytes)) {
      const cut = cutTo(piece, from, to)
      if (cut !== undefined) yield cut
    }
    // A store in this process answers at once: others must have their turn.
    await vmcore.yieldTurn()
  }
}

interface Window {
  readonly offset: bigint
  /** File offset of the first granule boundary at or below `offset`. */
  readonly grid: bigint
  /** Headers and notes are kept whatever they hold. */
  readonly isKept: boolean
  read(): Promise<Uint8Array>
}

const granule = BigInt(pageSize)

async function* windowsOf(
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
      const bytes = toHostLength(next - offset, pieceBytesMax)
      yield {
        offset,
        grid: alignDown(offset + toGrid, granule) - toGrid,
        isKept,
        read: () => memory.read(address, bytes),
      }
      offset = next
      done = next
    }
  }
}

const windowBytes = BigInt(pieceBytesMax)

/** The runs of granules that are not all zero. */
function* populatedPieces(window: Window, bytes: Uint8Array): Generator<Piece, void, void> {
  if (window.isKept) {
    yield { offset: window.offset, bytes }
    return
  }
  let start: number | undefined
  for (const [from, to] of granulesOf(window, bytes.byteLength)) {
    const isEmpty = isZero(bytes.subarray(from, to))
    if (!isEmpty) start ??= from
    else if (start !== undefined) {
      yield { offset: window.offset + BigInt(start), bytes: bytes.subarray(start, from) }
      start = undefined
    }
  }
  if (start !== undefined) {
    yield { offset: window.offset + BigInt(start), bytes: bytes.subarray(start) }
  }
}

function* granulesOf(window: Window, length: number): Generator<readonly [number, number]> {
  const skipped = Number(window.offset - window.grid)
  for (let from = 0; from < length;) {
    const to = Math.min(length, (Math.floor((from + skipped) / pageSize) + 1) * pageSize - skipped)
    yield [from, to]
    from = to
  }
}

function cutTo(piece: Piece, from: bigint, to: bigint): Piece | undefined {
  const end = piece.offset + BigInt(piece.bytes.byteLength)
  const start = largest(piece.offset, from)
  const stop = end < to ? end : to
  if (start >= stop) return undefined
  if (start === piece.offset && stop === end) return piece
  const bytes = piece.bytes.subarray(Number(start - piece.offset), Number(stop - piece.offset))
  return { offset: start, bytes }
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
