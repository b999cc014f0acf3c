/** The dump memory structure, field by field: layouts, flags and section types of the fadump room. */
import {
  crashInfoAddress,
  decodeDumpMemoryStructure,
  describeFlags,
  dumpFormatVersion,
  dumpRequestFlag,
  dumpSectionHeaderLayout,
  dumpSectionLayout,
  dumpSectionsMax,
  dumpStatusFlags,
  firstDumpSectionOffset,
  sectionErrorFlags,
  sectionsOfType,
  sectionType,
  sectionTypeOf,
  type DumpSection,
  type DumpSectionHeader,
} from '../fadump/index.ts'
import type { Meanings } from '../layout/index.ts'
import { describeLength, fromHex, hex } from '../units/index.ts'
import type { Part } from './explanation.ts'
import { expected, layoutFields, requireMagic, restRemarks } from './fields.ts'

const magic = {
  what: 'dump_format_version 1, big-endian',
  bytes: [fromHex(dumpFormatVersion.toString(16).padStart(8, '0'))],
}

/** Where a structure lies that is part of another one. */
export interface Place {
  /** Added to offsets. */
  readonly base: number
  /** Comes before every path. */
  readonly path: string
  readonly depth: number
}
export const topPlace: Place = { base: 0, path: '', depth: 0 }

/** Header, then one part a section. */
export function* fdmParts(bytes: Uint8Array, place: Place = topPlace): Generator<Part> {
  const { base, path, depth } = place
  requireMagic(bytes, magic)
  const fields = layoutFields(dumpSectionHeaderLayout, bytes, {
    order: 'big',
    base,
    path,
    meanings: headerMeanings,
  })
  const { dumpNumSections } = dumpSectionHeaderLayout.decode(bytes, 'big')
  yield { title: dumpSectionHeaderLayout.name, fields, depth }
  if (dumpNumSections > dumpSectionsMax) {
    const place = dumpSectionHeaderLayout.offsetOf('dumpNumSections')
    throw expected(
      base + place,
      `a dump_num_sections of at most ${dumpSectionsMax}`,
      `${dumpNumSections}`,
    )
  }
  for (let index = 0; index < dumpNumSections; index += 1) {
    yield sectionPart(bytes, index, place)
  }
  const end = firstDumpSectionOffset + dumpNumSections * dumpSectionLayout.size
  const remarks = [...crashInfoRemark(bytes), ...restRemarks(bytes.subarray(end), base + end)]
  if (remarks.length > 0) yield { title: 'behind the sections', fields: [], remarks, depth }
}

function sectionPart(bytes: Uint8Array, index: number, place: Place): Part {
  const { base, path, depth } = place
  const at = firstDumpSectionOffset + index * dumpSectionLayout.size
  const name = `sections[${index}]`
  const fields = layoutFields(dumpSectionLayout, bytes, {
    order: 'big',
    base,
    at,
    path: `${path}${name}.`,
    meanings: sectionMeanings(() => dumpSectionLayout.decode(bytes, 'big', at)),
  })
  const { sourceDataType: type } = dumpSectionLayout.decode(bytes, 'big', at)
  const typeName = sectionTypeOf(type)?.name ?? 'reserved type'
  return { title: `${dumpSectionLayout.name} ${name}: ${typeName}`, fields, depth }
}

const headerMeanings: Meanings<DumpSectionHeader> = {
  dumpFormatVersion: () => 'the only version there is',
  dumpNumSections: (sections) => `${sections} sections follow, at most ${dumpSectionsMax}`,
  dumpStatusFlag: (flags) => describeFlags(flags, dumpStatusFlags) || 'no dump has been taken',
  offsetFirstDumpSection: (offset) =>
    offset === firstDumpSectionOffset
      ? 'right behind this header'
      : `not ${hex(firstDumpSectionOffset)}, where Linux has the sections and they are read here`,
  ddBlockSize: noDiskDump,
  ddBlockOffset: noDiskDump,
  ddNumBlocks: noDiskDump,
  ddOffsetDiskPath: noDiskDump,
  maxTimeAuto: (milliseconds) =>
    milliseconds === 0
      ? 'no automatic dump-reboot'
      : `${milliseconds} ms to an automatic dump-reboot`,
}

function noDiskDump(value: number | bigint): string {
  return BigInt(value) === 0n ? 'no disk dump' : 'a disk dump, which Linux never asks for'
}

const owners = { firmware: 'filled by firmware', memory: 'copied from memory' } as const

function sectionMeanings(section: () => DumpSection): Meanings<DumpSection> {
  return {
    requestFlag: (flags) => requestText(flags),
    sourceDataType: (type) => {
      const row = sectionTypeOf(type)
      if (row === undefined) return 'reserved type: firmware reports an error'
      return `${row.name}, ${owners[row.owner]} (${row.meaning})`
    },
    errorFlags: (flags) => describeFlags(flags, sectionErrorFlags) || 'no error',
    sourceAddress: (address) =>
      sectionTypeOf(section().sourceDataType)?.owner === 'firmware'
        ? 'not used: the data is the firmware’s own'
        : endText(address, section().sourceLength),
    sourceLength: (length) => `${describeLength(length)} are asked for`,
    bytesDumped: (length) => dumpedText(length, section().sourceLength),
    destinationAddress: (address) => endText(address, section().sourceLength),
  }
}

function requestText(flags: number): string {
  const asked =
    (flags & dumpRequestFlag) === 0
      ? 'firmware leaves the section alone'
      : 'firmware copies to partition memory'
  return flags > dumpRequestFlag ? `${asked}; reserved bits are set` : asked
}

function endText(start: bigint, length: bigint): string {
  return length === 0n
    ? 'real address; nothing goes there'
    : `real address, up to ${hex(start + length)}`
}

function dumpedText(dumped: bigint, asked: bigint): string {
  if (asked === 0n && dumped === 0n) return 'nothing was asked for'
  if (dumped === 0n) return 'nothing'
  return dumped === asked
    ? 'all of it'
    : `${describeLength(dumped)} of ${describeLength(asked)}: incomplete`
}

/** Where Linux keeps what only a structure with a real mode region tells. */
function crashInfoRemark(bytes: Uint8Array): string[] {
  const structure = decodeDumpMemoryStructure(bytes)
  if (sectionsOfType(structure, sectionType.realModeRegion).length === 0) return []
  const address = crashInfoAddressOf(structure)
  return address === undefined
    ? []
    : [`Linux has its crash info header behind the real mode region, at ${address}`]
}

function crashInfoAddressOf(structure: Parameters<typeof crashInfoAddress>[0]): string | undefined {
  const regions = sectionsOfType(structure, sectionType.realModeRegion)
  const ends = regions.map((region) => region.sourceAddress + region.sourceLength)
  // Garbage must not trip over the 64 bits of an address.
  const isSane = ends.every((end) => end < 1n << 60n) && regions.every(isInSpace)
  return isSane ? hex(crashInfoAddress(structure)) : undefined
}

function isInSpace(region: DumpSection): boolean {
  return region.destinationAddress < 1n << 60n && region.sourceLength < 1n << 60n
}
