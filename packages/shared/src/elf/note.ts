/**
 * ELF notes as the kernel writes them (`append_elf_note`, kernel/crash_core.c): header, name with its NUL, descriptor;
 * name and descriptor are padded to 4 bytes. A note area in memory ends with an all-zero header.
 */
import { layout, u32, type ByteOrder, type ValueOf } from '../layout/index.ts'
import { concat, fromAscii, toAscii } from '../units/index.ts'
import { CoreFormatError } from './core-format-error.ts'

const rows = [
  ['nameSize', 0, u32, 'n_namesz', 'bytes of the name with its NUL'],
  ['descriptorSize', 4, u32, 'n_descsz', 'bytes of the descriptor, without padding'],
  ['type', 8, u32, 'n_type', '1 = NT_PRSTATUS; 0 for VMCOREINFO'],
] as const

export const noteHeaderLayout = layout('elf64_note', 12, rows)
export type NoteHeader = ValueOf<typeof rows>

export interface Note {
  readonly name: string
  readonly type: number
  readonly descriptor: Uint8Array
}

/** A note found at `offset` of a note area. */
export interface FoundNote extends Note {
  readonly offset: number
}

/** The all-zero header that ends a note area in memory (`final_note`). */
export const noteTerminator: Uint8Array = new Uint8Array(12)

export function encodeNote(note: Note, order: ByteOrder): Uint8Array {
  const nameSize = note.name.length + 1
  const descriptorSize = note.descriptor.byteLength
  return concat([
    noteHeaderLayout.encode({ nameSize, descriptorSize, type: note.type }, order),
    fromAscii(note.name.padEnd(padded(nameSize), '\0')),
    note.descriptor,
    new Uint8Array(padded(descriptorSize) - descriptorSize),
  ])
}

/** Bytes that a note with such a name and descriptor takes. */
export function noteLength(name: string, descriptorSize: number): number {
  return noteHeaderLayout.size + padded(name.length + 1) + padded(descriptorSize)
}

/**
 * The notes of `area` up to a header with `n_namesz` 0 or its end. Fewer than 12 left-over bytes are padding.
 * Throws `CoreFormatError` (`noteBeyondSegment`) for a note that does not end within `area`.
 */
export function* notesOf(area: Uint8Array, order: ByteOrder): Generator<FoundNote> {
  let offset = 0
  while (area.byteLength - offset >= noteHeaderLayout.size) {
    const header = noteHeaderLayout.decode(area, order, offset)
    if (header.nameSize === 0) return
    const nameAt = offset + noteHeaderLayout.size
    const descriptorAt = nameAt + padded(header.nameSize)
    const descriptorEnd = descriptorAt + header.descriptorSize
    if (descriptorEnd > area.byteLength) {
      throw new CoreFormatError(
        'noteBeyondSegment',
        `n_namesz ${header.nameSize}, n_descsz ${header.descriptorSize} at ${offset} of ${area.byteLength} bytes`,
      )
    }
    yield {
      offset,
      name: nameOf(area.subarray(nameAt, nameAt + header.nameSize)),
      type: header.type,
      descriptor: area.subarray(descriptorAt, descriptorEnd),
    }
    offset = descriptorAt + padded(header.descriptorSize)
  }
}

/** The most characters of a name that are looked at; a hostile name is as long as its segment. */
const nameCharactersMax = 64

function nameOf(bytes: Uint8Array): string {
  return toAscii(bytes.subarray(0, nameCharactersMax)).replace(/\0.*$/s, '')
}

/** `length` with the padding that names and descriptors of notes get. */
export function padded(length: number): number {
  return length + ((4 - (length % 4)) % 4)
}
