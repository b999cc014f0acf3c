/**
 * The dump memory structure (FDM) of `ibm,configure-kernel-dump` and `ibm,kernel-dump`: a header and up to ten
 * section descriptors, big-endian (PAPR, table "Kernel Assisted Dump Memory Structure"; `rtas-fadump.h`).
 */
import { layout, LayoutError, u16, u32, u64 } from '../layout/index.ts'
import { byteLength, concat, hex, invariant, type ByteLength } from '../units/index.ts'

export const dumpSectionHeaderLayout = layout('rtas_fadump_section_header', 40, [
  ['dumpFormatVersion', 0x00, u32, 'dump_format_version', '1'],
  ['dumpNumSections', 0x04, u16, 'dump_num_sections', 'sections that follow, at most 10'],
  ['dumpStatusFlag', 0x06, u16, 'dump_status_flag', 'written by the platform; the caller sets 0'],
  [
    'offsetFirstDumpSection',
    0x08,
    u32,
    'offset_first_dump_section',
    'from the start of the structure',
  ],
  ['ddBlockSize', 0x0c, u32, 'dd_block_size', '0: no disk dump'],
  ['ddBlockOffset', 0x10, u64, 'dd_block_offset', '0: no disk dump'],
  ['ddNumBlocks', 0x18, u64, 'dd_num_blocks', '0: no disk dump'],
  ['ddOffsetDiskPath', 0x20, u32, 'dd_offset_disk_path', '0: no disk dump'],
  ['maxTimeAuto', 0x24, u32, 'max_time_auto', 'milliseconds to an automatic dump-reboot; 0: never'],
])

export const dumpSectionLayout = layout('rtas_fadump_section', 40, [
  ['requestFlag', 0x00, u32, 'request_flag', '1: firmware copies to partition memory'],
  ['sourceDataType', 0x04, u16, 'source_data_type', 'see section types'],
  ['errorFlags', 0x06, u16, 'error_flags', 'written by the platform'],
  ['sourceAddress', 0x08, u64, 'source_address', 'partition memory; 0 for firmware data'],
  ['sourceLength', 0x10, u64, 'source_len', 'bytes requested'],
  ['bytesDumped', 0x18, u64, 'bytes_dumped', 'written by the platform'],
  ['destinationAddress', 0x20, u64, 'destination_address', 'where the data is wanted'],
])

export type DumpSectionHeader = ReturnType<typeof dumpSectionHeaderLayout.decode>
export type DumpSection = ReturnType<typeof dumpSectionLayout.decode>

export interface DumpMemoryStructure {
  readonly header: Readonly<DumpSectionHeader>
  readonly sections: readonly Readonly<DumpSection>[]
}

export const dumpFormatVersion = 1
/** PAPR: one section "and up to nine additional" ones. */
export const dumpSectionsMax = 10
/** PAPR: the whole structure of version 1, disk path included. */
export const dumpStructureBytesMax = 512
/** `sizeof(struct rtas_fadump_mem_struct)`: what Linux 6.10 names when it unregisters and invalidates. */
export const dumpStructureBytesWhole =
  dumpSectionHeaderLayout.size + dumpSectionsMax * dumpSectionLayout.size
/** Where Linux puts the first section. */
export const firstDumpSectionOffset = 0x28
/** "Firmware to copy source data to partition memory"; every other bit is reserved. */
export const dumpRequestFlag = 0x0000_0001

export interface FlagRow {
  readonly flag: number
  readonly name: string
  readonly meaning: string
}

/** `dump_status_flag` of the header. */
export const dumpStatusFlag = { performed: 0x8000, triggered: 0x4000, error: 0x2000 } as const
export const dumpStatusFlags: readonly FlagRow[] = [
  { flag: 0x8000, name: 'performed', meaning: 'dump performed' },
  { flag: 0x4000, name: 'triggered', meaning: 'dump was triggered by the previous system boot' },
  { flag: 0x2000, name: 'error', meaning: 'dump error occurred' },
]

/** `error_flags` of a section. */
export const sectionErrorFlag = {
  invalidType: 0x8000,
  invalidSource: 0x4000,
  sourceTooShort: 0x2000,
  invalidDestination: 0x1000,
  destinationTooSmall: 0x0800,
} as const
export const sectionErrorFlags: readonly FlagRow[] = [
  { flag: 0x8000, name: 'invalidType', meaning: 'invalid section data type' },
  { flag: 0x4000, name: 'invalidSource', meaning: 'invalid source address' },
  { flag: 0x2000, name: 'sourceTooShort', meaning: 'requested section length exceeds source' },
  { flag: 0x1000, name: 'invalidDestination', meaning: 'invalid partition destination address' },
  { flag: 0x0800, name: 'destinationTooSmall', meaning: 'partition memory destination too small' },
]

/** The meanings of the set bits, reserved ones as `reserved 0x…`; empty when none is set. */
export function describeFlags(flags: number, rows: readonly FlagRow[]): string {
  const known = rows.filter((row) => (flags & row.flag) !== 0)
  const reserved = known.reduce((rest, row) => rest & ~row.flag, flags)
  return [
    ...known.map((row) => row.meaning),
    ...(reserved === 0 ? [] : [`reserved ${hex(reserved, 4)}`]),
  ].join(', ')
}

/** The bytes of a structure with `sections` sections and no disk path: 40 + 40·n. */
export function dumpStructureLength(sections: number): ByteLength {
  return byteLength(dumpSectionHeaderLayout.size + sections * dumpSectionLayout.size)
}

/**
 * The structure at the start of `bytes`. Sections are read directly behind the header, as Linux and QEMU do; firmware
 * checks at registration that `offset_first_dump_section` says so. Throws `LayoutError` when a part is missing or the
 * header names more than ten sections.
 */
export function decodeDumpMemoryStructure(bytes: Uint8Array): DumpMemoryStructure {
  const header = dumpSectionHeaderLayout.decode(bytes, 'big')
  const { dumpNumSections } = header
  if (dumpNumSections > dumpSectionsMax) {
    throw new LayoutError(
      `dump_num_sections is ${dumpNumSections}, a dump memory structure has at most ${dumpSectionsMax}`,
    )
  }
  return {
    header,
    sections: decodeDumpSections(bytes.subarray(firstDumpSectionOffset), dumpNumSections),
  }
}

/** `count` section descriptors from the start of `bytes`. Throws `LayoutError` when one is missing. */
export function decodeDumpSections(bytes: Uint8Array, count: number): DumpSection[] {
  return Array.from({ length: count }, (_, index) =>
    dumpSectionLayout.decode(bytes, 'big', index * dumpSectionLayout.size),
  )
}

/** 40 + 40·n bytes, sections directly behind the header, which must count them. */
export function encodeDumpMemoryStructure(structure: DumpMemoryStructure): Uint8Array {
  const { header, sections } = structure
  invariant(
    header.dumpNumSections === sections.length && sections.length <= dumpSectionsMax,
    `dump_num_sections is ${header.dumpNumSections}, there are ${sections.length} sections of at most ${dumpSectionsMax}`,
  )
  return concat([
    dumpSectionHeaderLayout.encode(header, 'big'),
    ...sections.map((section) => dumpSectionLayout.encode(section, 'big')),
  ])
}

/** The sections of one type, in order. */
export function sectionsOfType(
  structure: DumpMemoryStructure,
  type: number,
): readonly DumpSection[] {
  return structure.sections.filter((section) => section.sourceDataType === type)
}
