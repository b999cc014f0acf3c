/** Dump memory structures for tests, spelled out cell by cell (spec §4.1, §4.2, §4.6). */
import { fromHex, viewOf } from '@fadump-lab/shared/units'

const header = (sections: number) =>
  `00000001 ${sections.toString(16).padStart(4, '0')} 0000 00000028 00000000
   0000000000000000 0000000000000000 00000000 00000000`

interface Section {
  readonly request?: number
  readonly type: number
  readonly source?: bigint
  readonly length: bigint
  readonly destination: bigint
}

const section = ({ request = 1, type, source = 0n, length, destination }: Section) =>
  [
    request.toString(16).padStart(8, '0'),
    type.toString(16).padStart(4, '0'),
    '0000',
    ...[source, length, 0n, destination].map((value) => value.toString(16).padStart(16, '0')),
  ].join(' ')

/** A structure of `sections`, 40 + 40·n bytes. */
export function aDumpMemoryStructure(sections: readonly Section[]): string {
  return [header(sections.length), ...sections.map(section)].join('\n')
}

/** One CPU, 16 MiB of boot memory, as Linux 3.4 lays it out: sections follow one another without gaps. */
export const v5Structure: string = aDumpMemoryStructure([
  { type: 0x0001, length: 0x2020n, destination: 0x200_0000n },
  { type: 0x0002, length: 0x1000n, destination: 0x200_2020n },
  { type: 0x0011, length: 0x100_0000n, destination: 0x200_3020n },
])

/** The same as Linux 6.10 lays it out: boot memory goes to a page, and a parameter area stays where it is. */
export const modernStructure: string = aDumpMemoryStructure([
  { type: 0x0001, length: 0x2020n, destination: 0x200_0000n },
  { type: 0x0002, length: 0x1000n, destination: 0x200_2020n },
  { type: 0x0011, length: 0x100_0000n, destination: 0x201_0000n },
  { type: 0x0100, source: 0x3ff_f800n, length: 0x800n, destination: 0x3ff_f800n },
])

/** `structure` with the bytes at `offset` replaced by `hexDigits`. */
export function withBytes(structure: string, offset: number, hexDigits: string): Uint8Array {
  const bytes = fromHex(structure)
  bytes.set(fromHex(hexDigits), offset)
  return bytes
}

export interface SectionResult {
  readonly errorFlags: number
  readonly bytesDumped: bigint
}

/** What `ibm,kernel-dump` says: the header's status, and error flags and bytes dumped of each section. */
export function resultsOf(property: Uint8Array): {
  readonly status: number
  readonly sections: readonly SectionResult[]
} {
  const view = viewOf(property)
  const sections = Array.from({ length: (property.byteLength - 40) / 40 }, (_, index) => ({
    errorFlags: view.getUint16(40 + 40 * index + 0x06),
    bytesDumped: view.getBigUint64(40 + 40 * index + 0x18),
  }))
  return { status: view.getUint16(6), sections }
}
