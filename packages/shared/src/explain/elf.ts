/** Headers and notes of a vmcore. Memory itself is not looked at. */
import {
  CoreFormatError,
  elfHeaderLayout,
  machinePpc64,
  programHeaderLayout,
  readCoreElfHeader,
  segmentType,
  type CoreRule,
  type ElfHeader,
  type ProgramHeader,
} from '../elf/index.ts'
import type { ByteOrder, Meanings } from '../layout/index.ts'
import { describeLength, fromAscii, hex } from '../units/index.ts'
import { noteParts } from './core-notes.ts'
import {
  bytesAt,
  noteRanges,
  noteSegmentsMax,
  programHeaderRange,
  programHeadersIn,
  type CorePiece,
} from './core-window.ts'
import type { CpuChoice, Part } from './explanation.ts'
import { expected, layoutFields, requireBytes, requireMagic } from './fields.ts'

const magic = { what: 'the magic 7f "ELF"', bytes: [fromAscii('\x7fELF')] }
/** Program headers that are shown; cores of large machines have hundreds. */
const programHeadersShown = 16

/** `pieces` as `readCoreParts` returns them, or the whole file as one. */
export function* elfParts(pieces: readonly CorePiece[], choice: CpuChoice): Generator<Part> {
  const head = bytesAt(pieces, { offset: 0, length: elfHeaderLayout.size })
  requireMagic(head, magic)
  requireBytes(head, { at: 0, size: elfHeaderLayout.size, what: elfHeaderLayout.name })
  const { order, header } = checkedHeader(head)
  yield {
    title: `${elfHeaderLayout.name}, ${order}-endian`,
    fields: layoutFields(elfHeaderLayout, head, { order, path: '', meanings: headerMeanings }),
  }
  const table = programHeaderRange(head)
  const place = Number(header.programHeaderOffset)
  const headers = table === undefined ? [] : programHeadersIn(pieces, table, order)
  yield* programHeaderParts({ headers, order, place, all: choice === 'all' })
  if (headers.length < header.programHeaderCount) {
    const rule = `${header.programHeaderCount} program headers of ${programHeaderLayout.size} bytes`
    throw expected(place, rule, `${headers.length}`)
  }
  const areas = noteRanges(headers).map((range) => ({ ...range, bytes: bytesAt(pieces, range) }))
  yield* noteParts({ areas, order, choice })
  const notes = headers.filter(({ type }) => type === segmentType.note).length
  if (notes > areas.length) {
    throw expected(place, `at most ${noteSegmentsMax} PT_NOTEs in reach`, `${notes}`)
  }
}

function checkedHeader(head: Uint8Array): ReturnType<typeof readCoreElfHeader> {
  try {
    return readCoreElfHeader(head)
  } catch (error) {
    if (!(error instanceof CoreFormatError)) throw error
    const { rule } = error
    throw expected(offsetOfRule[rule] ?? 0, error.message.split(';')[0] ?? rule, error.value)
  }
}

/** Where the bytes stand that break a rule of the ELF header. */
const offsetOfRule: { readonly [Rule in CoreRule]?: number } = {
  notElf: 0,
  elfClass: 4,
  elfData: 5,
  elfVersion: 6,
  notCore: elfHeaderLayout.offsetOf('type'),
  machine: elfHeaderLayout.offsetOf('machine'),
  elfHeaderSize: elfHeaderLayout.offsetOf('headerSize'),
  programHeaderSize: elfHeaderLayout.offsetOf('programHeaderSize'),
  noProgramHeaders: elfHeaderLayout.offsetOf('programHeaderCount'),
  tooManyProgramHeaders: elfHeaderLayout.offsetOf('programHeaderCount'),
}

const headerMeanings: Meanings<ElfHeader> = {
  identification: (bytes) =>
    `7f "ELF", 64 bits, ${bytes[5] === 1 ? 'little-endian' : 'big-endian'}, version ${bytes[6]}`,
  type: () => 'ET_CORE',
  machine: (machine) => (machine === machinePpc64 ? 'EM_PPC64' : 'another machine'),
  programHeaderOffset: () => 'where the program headers stand',
  sectionHeaderOffset: (offset) => (offset === 0n ? 'no section headers' : 'section headers'),
  flags: (flags) => flagNames[flags] ?? 'unknown ABI',
  headerSize: () => 'bytes of this header',
  programHeaderSize: () => 'bytes of a program header',
  programHeaderCount: (count) => `${count} program headers`,
}

const flagNames: Readonly<Record<number, string>> = {
  0: 'no ABI stated, as kernels did until 2016',
  1: 'ABI version 1 (ELFv1, big-endian)',
  2: 'ABI version 2 (ELFv2, little-endian)',
}

const segmentNames: Readonly<Record<number, string>> = {
  [segmentType.null]: 'PT_NULL',
  [segmentType.load]: 'PT_LOAD',
  [segmentType.note]: 'PT_NOTE',
}

interface HeaderTable {
  readonly headers: readonly ProgramHeader[]
  readonly order: ByteOrder
  /** Offset of the first. */
  readonly place: number
  readonly all: boolean
}

function* programHeaderParts({ headers, order, place, all }: HeaderTable): Generator<Part> {
  const shown = all ? headers.length : programHeadersShown
  for (const [index, header] of headers.slice(0, shown).entries()) {
    const name = `program_headers[${index}]`
    const kind = segmentNames[header.type] ?? `p_type ${hex(header.type)}`
    const bytes = programHeaderLayout.encode(header, order)
    yield {
      title: `${programHeaderLayout.name} ${name}: ${kind}, ${segmentText(header)}`,
      fields: layoutFields(programHeaderLayout, bytes, {
        order,
        base: place + index * programHeaderLayout.size,
        path: `${name}.`,
        meanings: segmentMeanings(header, kind),
      }),
    }
  }
  if (headers.length > shown) {
    const remarks = [`${headers.length - shown} more program headers are not shown`]
    yield { title: 'behind the program headers shown', fields: [], remarks }
  }
}

function segmentText({ type, physicalAddress, memorySize, fileSize }: ProgramHeader): string {
  return type === segmentType.load
    ? `memory ${hex(physicalAddress)} to ${hex(physicalAddress + memorySize)}`
    : describeLength(fileSize)
}

function segmentMeanings(header: ProgramHeader, kind: string): Meanings<ProgramHeader> {
  return {
    type: () => kind,
    flags: (flags) => flagText(flags),
    offset: (offset) => `in the file, up to ${hex(offset + header.fileSize)}`,
    virtualAddress: (address) => (address === 0n ? 'none' : 'in the linear map of the kernel'),
    physicalAddress: () =>
      header.type === segmentType.load ? 'where it was when the kernel crashed' : 'none',
    fileSize: describeLength,
    memorySize: (size) =>
      size === header.fileSize
        ? 'the same'
        : `${describeLength(size)}; what the file lacks is zero`,
    align: (bytes) => (bytes === 0n ? 'no alignment stated' : `${bytes} bytes`),
  }
}

function flagText(flags: number): string {
  const letters = ['R', 'W', 'X'].filter((_, index) => (flags & (4 >> index)) !== 0).join('')
  return letters === '' ? 'no access stated' : letters
}
