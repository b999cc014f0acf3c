/**
 * The parts of a vmcore that its explanation needs: ELF header, program headers, notes. A vmcore is as large as memory,
 * so its reader fetches these alone: it asks `nextCoreRange` until there is none.
 */
import {
  CoreFormatError,
  decodeProgramHeaders,
  elfHeaderLayout,
  headersBytesMax,
  notesBytesMax,
  programHeaderLayout,
  readCoreElfHeader,
  segmentType,
  type ProgramHeader,
} from '../elf/index.ts'
import type { ByteOrder } from '../layout/index.ts'

/** Bytes of the file from `offset` on; fewer than were asked for at the end of the file. */
export interface CorePiece {
  readonly offset: number
  readonly bytes: Uint8Array
}

export interface CoreRange {
  readonly offset: number
  /** Bytes. */
  readonly length: number
}

/** What to read next when `pieces` has been read, in this order; `undefined` when nothing more is needed. */
export function nextCoreRange(pieces: readonly CorePiece[]): CoreRange | undefined {
  const [head] = pieces
  if (head === undefined) return { offset: 0, length: elfHeaderLayout.size }
  const table = programHeaderRange(head.bytes)
  if (table === undefined || pieces.length === 1) return table
  const order = orderOf(head.bytes)
  const headers = order === undefined ? [] : programHeadersIn(pieces, table, order)
  return noteRanges(headers)[pieces.length - 2]
}

/** The bytes of `[offset, offset + length)`, as many of them as one piece has. */
export function bytesAt(pieces: readonly CorePiece[], range: CoreRange): Uint8Array {
  const parts = pieces.map(({ offset, bytes }) =>
    range.offset < offset
      ? new Uint8Array(0)
      : bytes.subarray(range.offset - offset, range.offset - offset + range.length),
  )
  return parts.reduce((best, part) => (part.byteLength > best.byteLength ? part : best))
}

/** Whole program headers that `pieces` has. */
export function programHeadersIn(
  pieces: readonly CorePiece[],
  table: CoreRange,
  order: ByteOrder,
): ProgramHeader[] {
  const bytes = bytesAt(pieces, table)
  const count = Math.floor(bytes.byteLength / programHeaderLayout.size)
  return decodeProgramHeaders(bytes, { order, offset: 0, count })
}

/** Where the program headers stand; `undefined` when the head is no header of a core, or they lie too far away. */
export function programHeaderRange(head: Uint8Array): CoreRange | undefined {
  const header = readHeader(head)?.header
  if (header === undefined || header.programHeaderOffset > headersBytesMax) return undefined
  const length = header.programHeaderCount * programHeaderLayout.size
  return { offset: Number(header.programHeaderOffset), length }
}

/** The PT_NOTEs, as far as the bounds on notes go. */
export function noteRanges(headers: readonly ProgramHeader[]): CoreRange[] {
  const ranges: CoreRange[] = []
  let left = BigInt(notesBytesMax)
  for (const { type, offset, fileSize } of headers) {
    if (type !== segmentType.note || offset > BigInt(Number.MAX_SAFE_INTEGER)) continue
    const length = fileSize < left ? fileSize : left
    left -= length
    ranges.push({ offset: Number(offset), length: Number(length) })
  }
  return ranges
}

function orderOf(head: Uint8Array): ByteOrder | undefined {
  return readHeader(head)?.order
}

function readHeader(head: Uint8Array): ReturnType<typeof readCoreElfHeader> | undefined {
  try {
    return readCoreElfHeader(head)
  } catch (error) {
    if (error instanceof CoreFormatError) return undefined
    throw error
  }
}
