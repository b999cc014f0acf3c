/**
 * The parts of a vmcore that its explanation needs: ELF header, program headers, notes. A vmcore is as large as memory,
 * so whoever has one fetches these alone, as `readCoreParts` asks for them.
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

/** PT_NOTEs that are read. A kernel writes one into a vmcore, and one a CPU into the headers that kexec prepares. */
export const noteSegmentsMax = 4096

/** Asks for one range after the other, is given its bytes, and returns them all. */
export function* readCoreParts(): Generator<CoreRange, readonly CorePiece[], Uint8Array> {
  const head = yield { offset: 0, length: elfHeaderLayout.size }
  const pieces = [{ offset: 0, bytes: head }]
  const table = programHeaderRange(head)
  const order = readHeader(head)?.order
  if (table === undefined || order === undefined) return pieces
  pieces.push({ offset: table.offset, bytes: yield table })
  for (const range of noteRanges(programHeadersIn(pieces, table, order))) {
    const bytes = range.length === 0 ? new Uint8Array(0) : yield range
    pieces.push({ offset: range.offset, bytes })
  }
  return pieces
}

/** The bytes of `[offset, offset + length)`, as many of them as one piece has. */
export function bytesAt(pieces: readonly CorePiece[], range: CoreRange): Uint8Array {
  let best: Uint8Array = new Uint8Array(0)
  for (const { offset, bytes } of pieces) {
    const start = range.offset - offset
    const have = start < 0 ? 0 : Math.min(range.length, bytes.byteLength - start)
    if (have > best.byteLength) best = bytes.subarray(start, start + have)
  }
  return best
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
    if (ranges.length === noteSegmentsMax) break
    const length = fileSize < left ? fileSize : left
    left -= length
    ranges.push({ offset: Number(offset), length: Number(length) })
  }
  return ranges
}

function readHeader(head: Uint8Array): ReturnType<typeof readCoreElfHeader> | undefined {
  try {
    return readCoreElfHeader(head)
  } catch (error) {
    if (error instanceof CoreFormatError) return undefined
    throw error
  }
}
