/**
 * The *elfcorehdr*: ELF header and program headers that a dumping kernel builds in memory. Unlike in a file, `p_offset`
 * of every program header is the physical address where the bytes are now.
 * Sources: `fadump_create_elfcore_headers` (arch/powerpc/kernel/fadump.c), `parse_crash_elf64_headers` (fs/proc/vmcore.c).
 */
import type { ByteOrder } from '../layout/index.ts'
import { concat, type ByteLength, type RealAddress } from '../units/index.ts'
import { flagsReadWriteExecute, linearMapBase, segmentType } from './constants.ts'
import { CoreFormatError } from './core-format-error.ts'
import { coreElfHeader, elfHeaderLayout, readCoreElfHeader, type ElfHeader } from './elf-header.ts'
import {
  decodeProgramHeaders,
  encodeProgramHeaders,
  programHeaderLayout,
  type ProgramHeader,
} from './program-header.ts'

/** A note area in memory; `length` is what is reserved, the notes in it may be shorter. */
export interface NoteSegment {
  readonly address: RealAddress
  readonly length: ByteLength
}

/** Crashed memory `[physical, physical + length)` that now stands at `address`. */
export interface LoadSegment {
  readonly physical: RealAddress
  readonly address: RealAddress
  readonly length: ByteLength
}

export interface CoreHeadersInput {
  readonly order: ByteOrder
  /** `e_flags`: 0 until 2016, then 1 (big-endian, ELFv1) or 2 (little-endian, ELFv2). */
  readonly flags: number
  /** The CPU notes, then VMCOREINFO. */
  readonly notes: readonly NoteSegment[]
  readonly loads: readonly LoadSegment[]
}

/** An elfcorehdr as read back: the raw headers in their order. */
export interface CoreHeaders {
  readonly order: ByteOrder
  readonly header: ElfHeader
  readonly programHeaders: readonly ProgramHeader[]
}

/** Bytes of an elfcorehdr with so many program headers. */
export function coreHeadersLength(programHeaders: number): number {
  return elfHeaderLayout.size + programHeaders * programHeaderLayout.size
}

/** Encodes the elfcorehdr: PT_NOTEs first, then PT_LOADs in the given order. */
export function encodeCoreHeaders(input: CoreHeadersInput): Uint8Array {
  const programHeaders = [...input.notes.map(noteHeader), ...input.loads.map(loadHeader)]
  const header = coreElfHeader({
    order: input.order,
    flags: input.flags,
    programHeaderCount: programHeaders.length,
  })
  return composeCoreHeaders({ order: input.order, header, programHeaders })
}

/**
 * Reads an elfcorehdr from the bytes at `elfcorehdr_addr`. Throws `CoreFormatError` where the kernel says
 * "Core image elf header is not sane" (and makes no /proc/vmcore), and `truncated` when `bytes` is too short.
 */
export function decodeCoreHeaders(bytes: Uint8Array): CoreHeaders {
  const { order, header } = readCoreElfHeader(bytes)
  const needed = coreHeadersLength(header.programHeaderCount)
  if (bytes.byteLength < needed) {
    throw new CoreFormatError('truncated', `${bytes.byteLength} of ${needed} bytes of headers`)
  }
  // The kernel reads the program headers from behind the ELF header and does not look at e_phoff.
  const at = { order, offset: elfHeaderLayout.size, count: header.programHeaderCount }
  return { order, header, programHeaders: decodeProgramHeaders(bytes, at) }
}

/** The headers with the first PT_NOTE pointing at the CPU notes (`fadump_update_elfcore_header`). */
export function withCpuNotes(headers: CoreHeaders, notes: NoteSegment): CoreHeaders {
  const [first, ...rest] = headers.programHeaders
  if (first?.type !== segmentType.note) {
    throw new CoreFormatError('noteFirst', `p_type ${first?.type ?? 'of nothing'}`)
  }
  return { ...headers, programHeaders: [noteHeader(notes), ...rest] }
}

/** The bytes of headers that were read and perhaps changed. */
export function composeCoreHeaders(headers: CoreHeaders): Uint8Array {
  return concat([
    elfHeaderLayout.encode(headers.header, headers.order),
    encodeProgramHeaders(headers.programHeaders, headers.order),
  ])
}

function noteHeader(note: NoteSegment): ProgramHeader {
  return {
    type: segmentType.note,
    flags: 0,
    offset: note.address,
    virtualAddress: 0n,
    physicalAddress: note.address,
    fileSize: note.length,
    memorySize: note.length,
    align: 0n,
  }
}

function loadHeader(load: LoadSegment): ProgramHeader {
  return {
    type: segmentType.load,
    flags: flagsReadWriteExecute,
    offset: load.address,
    virtualAddress: linearMapBase + load.physical,
    physicalAddress: load.physical,
    fileSize: load.length,
    memorySize: load.length,
    align: 0n,
  }
}
