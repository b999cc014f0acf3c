/**
 * The file that /proc/vmcore presents, planned from an elfcorehdr: which bytes of the file come from where. Pure; the
 * caller reads memory.
 * Source: `parse_crash_elf64_headers`, `merge_note_headers_elf64`, `process_ptload_program_headers_elf64`
 * (fs/proc/vmcore.c) of 3.4 and of 6.10.
 *
 *     file     0            headers' end          notes' end
 *              | ELF header | merged PT_NOTE ... | PT_LOAD | PT_LOAD | ...
 *     modern:  every part starts and ends on a page; a load brings the whole pages it touches
 */
import type { ByteOrder } from '../layout/index.ts'
import {
  alignDown,
  alignUp,
  byteLength,
  hex,
  invariant,
  realAddress,
  type ByteLength,
  type RealAddress,
} from '../units/index.ts'
import { addressSpaceEnd, segmentType } from './constants.ts'
import { CoreFormatError } from './core-format-error.ts'
import { composeCoreHeaders, coreHeadersLength, type CoreHeaders } from './core-headers.ts'
import { noteHeaderLayout, padded } from './note.ts'
import type { ProgramHeader } from './program-header.ts'

/** How a kernel generation lays the file out. */
export interface VmcoreLayout {
  readonly name: 'v5' | 'modern'
  /** What headers, notes and loads are rounded to; 1 when they are packed tightly. */
  readonly alignment: bigint
  /** `p_align` of the merged PT_NOTE. */
  readonly noteAlign: bigint
  /** What becomes of a note that does not fit into `p_memsz`: it and all after it dropped, or counted in full. */
  readonly overlongNote: 'dropped' | 'counted'
}

/** 3.4: everything back to back. */
export const v5VmcoreLayout: VmcoreLayout = {
  name: 'v5',
  alignment: 1n,
  noteAlign: 0n,
  overlongNote: 'counted',
}

/** 6.10 and later: whole pages, so that the file can be mapped; `p_align` 4 since 2023. */
export function modernVmcoreLayout(pageSize: number): VmcoreLayout {
  return { name: 'modern', alignment: BigInt(pageSize), noteAlign: 4n, overlongNote: 'dropped' }
}

/** Where bytes of the file come from. */
export type VmcoreSource =
  | { readonly from: 'bytes'; readonly bytes: Uint8Array }
  | { readonly from: 'memory'; readonly address: RealAddress }
  | { readonly from: 'zeros' }

/** `[fileOffset, fileOffset + length)` of the file. A range of file offsets is written as a `MemoryRange`. */
export interface VmcoreSegment {
  readonly fileOffset: bigint
  readonly length: ByteLength
  readonly source: VmcoreSource
}

export interface VmcorePlan {
  readonly order: ByteOrder
  readonly size: ByteLength
  /** The program headers as the file shows them. */
  readonly programHeaders: readonly ProgramHeader[]
  /** Contiguous from 0 to `size`, no empty one. */
  readonly segments: readonly VmcoreSegment[]
}

/**
 * The real length of the notes in `area`, the first bytes of a PT_NOTE of `area.byteLength` = `p_memsz`: up to the first
 * header with `n_namesz` 0. `dropped` tells that a modern kernel refuses the rest with
 * "Exceeded p_memsz, dropping PT_NOTE entry"; 3.4 counts such a note in full, beyond the area.
 */
export function realNotesLength(
  area: Uint8Array,
  order: ByteOrder,
  layout: VmcoreLayout,
): { readonly length: number; readonly dropped: boolean } {
  let length = 0
  while (area.byteLength - length >= noteHeaderLayout.size) {
    const { nameSize, descriptorSize } = noteHeaderLayout.decode(area, order, length)
    if (nameSize === 0) break
    const next = length + noteHeaderLayout.size + padded(nameSize) + padded(descriptorSize)
    if (next > area.byteLength && layout.overlongNote === 'dropped')
      return { length, dropped: true }
    length = next
  }
  return { length, dropped: false }
}

/**
 * Plans the file. `notesLengths` holds the real length of each PT_NOTE of `headers`, in their order
 * (`realNotesLength`); another number of lengths than of PT_NOTEs is a programmer error.
 */
export function planVmcore(
  headers: CoreHeaders,
  notesLengths: readonly number[],
  layout: VmcoreLayout,
): VmcorePlan {
  const notes = headers.programHeaders.filter((header) => header.type === segmentType.note)
  invariant(
    notes.length === notesLengths.length,
    `${notes.length} PT_NOTEs but ${notesLengths.length} lengths`,
  )
  const others = headers.programHeaders.filter((header) => header.type !== segmentType.note)
  const mergedCount = others.length + (notes.length === 0 ? 0 : 1)
  const headersEnd = alignUp(BigInt(coreHeadersLength(mergedCount)), layout.alignment)
  const notesLength = notesLengths.reduce((sum, length) => sum + BigInt(length), 0n)
  const notesEnd = headersEnd + alignUp(notesLength, layout.alignment)
  const loads = placeLoads(others, notesEnd, layout)
  const merged = notes.length === 0 ? [] : [mergedNote(headersEnd, notesLength, layout)]
  const programHeaders = [...merged, ...loads.headers]
  const header = { ...headers.header, programHeaderCount: programHeaders.length }
  const bytes = composeCoreHeaders({ order: headers.order, header, programHeaders })
  const segments = chain([
    { length: BigInt(bytes.byteLength), source: { from: 'bytes', bytes } },
    { length: headersEnd - BigInt(bytes.byteLength), source: { from: 'zeros' } },
    ...notes.map((note, index) => notePart(note, BigInt(notesLengths[index] ?? 0))),
    { length: notesEnd - headersEnd - notesLength, source: { from: 'zeros' } },
    ...loads.parts,
  ])
  const last = segments.at(-1)
  const size = byteLength(last === undefined ? 0n : last.fileOffset + last.length)
  return { order: headers.order, size, programHeaders, segments }
}

interface Part {
  readonly length: bigint
  readonly source: VmcoreSource
}

function placeLoads(
  headers: readonly ProgramHeader[],
  start: bigint,
  layout: VmcoreLayout,
): { readonly headers: ProgramHeader[]; readonly parts: Part[] } {
  let fileOffset = start
  const parts: Part[] = []
  const placed = headers.map((header) => {
    if (header.type !== segmentType.load) return header
    checkWithinMemory(header.offset, header.memorySize)
    const first = alignDown(header.offset, layout.alignment)
    const length = alignUp(header.offset + header.memorySize, layout.alignment) - first
    const offset = fileOffset + (header.offset - first)
    parts.push({ length, source: memoryAt(first) })
    fileOffset += length
    return { ...header, offset }
  })
  return { headers: placed, parts }
}

function notePart(note: ProgramHeader, length: bigint): Part {
  checkWithinMemory(note.offset, length)
  return { length, source: memoryAt(note.offset) }
}

/** Headers come from memory that a crashing kernel may have corrupted: what they say is refused, not asserted. */
function checkWithinMemory(address: bigint, length: bigint): void {
  if (address + length > addressSpaceEnd) {
    throw new CoreFormatError('beyondAddressSpace', `${hex(address)} + ${hex(length)}`)
  }
}

function mergedNote(offset: bigint, length: bigint, layout: VmcoreLayout): ProgramHeader {
  return {
    type: segmentType.note,
    flags: 0,
    offset,
    virtualAddress: 0n,
    physicalAddress: 0n,
    fileSize: length,
    memorySize: length,
    align: layout.noteAlign,
  }
}

function chain(parts: readonly Part[]): VmcoreSegment[] {
  let fileOffset = 0n
  const segments: VmcoreSegment[] = []
  for (const { length, source } of parts) {
    if (length === 0n) continue
    segments.push({ fileOffset, length: byteLength(length), source })
    fileOffset += length
  }
  return segments
}

/** The source of bytes that stand at `address` of memory. */
export function memoryAt(address: bigint): VmcoreSource {
  return { from: 'memory', address: realAddress(address) }
}
