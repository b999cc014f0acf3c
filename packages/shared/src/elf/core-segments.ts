/** What the program headers of an untrusted core say, checked: where in the file memory and notes are. */
import { byteLength, hex, realAddress, type ByteLength, type RealAddress } from '../units/index.ts'
import { addressSpaceEnd, notesBytesMax, segmentType } from './constants.ts'
import { CoreFormatError } from './core-format-error.ts'
import type { ProgramHeader } from './program-header.ts'

/** A PT_LOAD. Memory beyond `fileSize` is zero. */
export interface CoreLoad {
  readonly physical: RealAddress
  readonly virtual: bigint
  readonly fileOffset: bigint
  readonly fileSize: ByteLength
  readonly memorySize: ByteLength
}

/** `[start, end)` of the file and what stands there. */
export interface FileSegment {
  readonly start: bigint
  readonly end: bigint
  /** The index in `CoreSegments.loads` or in `CoreSegments.notes`. */
  readonly index: number
  readonly holds: 'memory' | 'notes'
}

export interface CoreSegments {
  /** In header order, empty ones left out. */
  readonly loads: readonly CoreLoad[]
  /** Bytes of each PT_NOTE, in header order. */
  readonly notes: readonly number[]
  /** Ascending, not overlapping, not empty. */
  readonly file: readonly FileSegment[]
  /** Where the last segment ends: the shortest file that is whole. */
  readonly fileEnd: bigint
}

/** Checks `headers` of a file whose headers end at `headersEnd`. Throws `CoreFormatError` for the first broken rule. */
export function coreSegments(headers: readonly ProgramHeader[], headersEnd: number): CoreSegments {
  headers.forEach(checkSegment)
  const loads = headers.filter(isMemory).map(toLoad)
  if (loads.length === 0) throw new CoreFormatError('noLoad', `${headers.length} program headers`)
  const notes = headers.filter(isNotes)
  const notesBytes = notes.reduce((sum, header) => sum + header.fileSize, 0n)
  if (notesBytes > BigInt(notesBytesMax)) {
    throw new CoreFormatError('notesTooLarge', `${notesBytes} bytes`)
  }
  checkMemoryOverlap(loads)
  const file = [
    ...loads.map((load, index) => fileSegment('memory', index, load)),
    ...notes.map((note, index) =>
      fileSegment('notes', index, { fileOffset: note.offset, fileSize: note.fileSize }),
    ),
  ]
    .filter((segment) => segment.start < segment.end)
    .toSorted((a, b) => order(a.start, b.start))
  const fileEnd = checkFileOverlap(file, BigInt(headersEnd))
  return { loads, notes: notes.map((note) => Number(note.fileSize)), file, fileEnd }
}

function isMemory(header: ProgramHeader): boolean {
  return header.type === segmentType.load && header.memorySize > 0n
}

function isNotes(header: ProgramHeader): boolean {
  return header.type === segmentType.note
}

function checkSegment(header: ProgramHeader, index: number): void {
  if (header.type !== segmentType.load && header.type !== segmentType.note) return
  const name = header.type === segmentType.load ? 'PT_LOAD' : 'PT_NOTE'
  if (header.type === segmentType.load && header.fileSize > header.memorySize) {
    const value = `p_filesz ${hex(header.fileSize)}, p_memsz ${hex(header.memorySize)}`
    throw new CoreFormatError('fileSizeAboveMemorySize', `${value} in program header ${index}`)
  }
  const ends = [
    ['p_offset', header.offset, header.fileSize],
    ['p_paddr', header.physicalAddress, header.type === segmentType.load ? header.memorySize : 0n],
  ] as const
  for (const [field, start, length] of ends) {
    if (start + length > addressSpaceEnd) {
      const value = `${name} ${index} with ${field} ${hex(start)} and ${hex(length)} bytes`
      throw new CoreFormatError('beyondAddressSpace', value)
    }
  }
}

function toLoad(header: ProgramHeader): CoreLoad {
  return {
    physical: realAddress(header.physicalAddress),
    virtual: header.virtualAddress,
    fileOffset: header.offset,
    fileSize: byteLength(header.fileSize),
    memorySize: byteLength(header.memorySize),
  }
}

function fileSegment(
  holds: FileSegment['holds'],
  index: number,
  place: { readonly fileOffset: bigint; readonly fileSize: bigint },
): FileSegment {
  return { start: place.fileOffset, end: place.fileOffset + place.fileSize, index, holds }
}

function checkMemoryOverlap(loads: readonly CoreLoad[]): void {
  let end = 0n
  for (const load of loads.toSorted((a, b) => order(a.physical, b.physical))) {
    if (load.physical < end) {
      const value = `p_paddr ${hex(load.physical)} before ${hex(end)}`
      throw new CoreFormatError('overlappingMemory', value)
    }
    end = load.physical + load.memorySize
  }
}

/** Returns the end of the last segment. */
function checkFileOverlap(segments: readonly FileSegment[], headersEnd: bigint): bigint {
  let end = headersEnd
  for (const segment of segments) {
    if (segment.start < end) {
      const value = `p_offset ${hex(segment.start)} before ${hex(end)}`
      throw new CoreFormatError('overlappingFile', value)
    }
    end = segment.end
  }
  return end
}

function order(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}
