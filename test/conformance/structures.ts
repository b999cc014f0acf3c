/** Structures in hexadecimal, field by field (spec §4.1, §4.2): written and read without the code under test. */

export interface Section {
  readonly request?: number
  readonly type: number
  readonly source?: bigint
  readonly length: bigint
  readonly destination: bigint
}

const word = (value: bigint | number, bytes: number) => value.toString(16).padStart(2 * bytes, '0')

/** A dump memory structure of `sections`, as a kernel writes it. */
export function structureHex(
  sections: readonly Section[],
  header: {
    readonly version?: number
    readonly count?: number
    readonly maxTimeAuto?: number
  } = {},
): string {
  const { version = 1, count = sections.length, maxTimeAuto = 0 } = header
  return [
    word(version, 4) + word(count, 2) + '0000' + '00000028' + '00000000',
    '0'.repeat(32),
    '00000000' + word(maxTimeAuto, 4),
    ...sections.map(
      ({ request = 1, type, source = 0n, length, destination }) =>
        word(request, 4) +
        word(type, 2) +
        '0000' +
        word(source, 8) +
        word(length, 8) +
        '0'.repeat(16) +
        word(destination, 8),
    ),
  ].join('')
}

/** One CPU and 16 MiB of boot memory. */
export function smallStructure(firmware: 'papr' | 'qemu'): readonly Section[] {
  const isQemu = firmware === 'qemu'
  return [
    { type: 1, length: isQemu ? 0x510n : 0x2020n, destination: 0x3000_0000n },
    { type: 2, length: isQemu ? 0n : 0x1000n, destination: 0x3000_2020n },
    { type: 0x11, length: 0x100_0000n, destination: 0x3001_0000n },
  ]
}

export interface Result {
  readonly type: number
  readonly errors: number
  readonly length: bigint
  readonly dumped: bigint
  readonly destination: bigint
}

/** What a structure says about its dump: the status flags of the header, and of each section. */
export function resultsOf(hex: string): {
  readonly status: number
  readonly sections: readonly Result[]
} {
  const at = (offset: number, bytes: number) => `0x${hex.slice(2 * offset, 2 * (offset + bytes))}`
  const count = Number(at(4, 2))
  return {
    status: Number(at(6, 2)),
    sections: Array.from({ length: count }, (_, index) => {
      const start = 40 + 40 * index
      return {
        type: Number(at(start + 4, 2)),
        errors: Number(at(start + 6, 2)),
        length: BigInt(at(start + 0x10, 8)),
        dumped: BigInt(at(start + 0x18, 8)),
        destination: BigInt(at(start + 0x20, 8)),
      }
    }),
  }
}
