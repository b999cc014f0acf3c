/** `Elf64_Ehdr` (gABI; include/uapi/linux/elf.h) as core files of ppc64 kernels use it. */
import { bytes, layout, u16, u32, u64, type ByteOrder, type ValueOf } from '../layout/index.ts'
import { concat, fromAscii, toAscii, toHex } from '../units/index.ts'
import {
  elfClass64,
  elfDataEncoding,
  elfMagic,
  elfVersion,
  machinePpc64,
  programHeaderCountExtended,
  programHeadersMax,
  typeCore,
} from './constants.ts'
import { CoreFormatError } from './core-format-error.ts'

const rows = [
  ['identification', 0, bytes(16), 'e_ident', 'magic, class, data encoding, version, OSABI 0'],
  ['type', 16, u16, 'e_type', '4 = ET_CORE'],
  ['machine', 18, u16, 'e_machine', '21 = EM_PPC64'],
  ['version', 20, u32, 'e_version', '1'],
  ['entry', 24, u64, 'e_entry', '0'],
  ['programHeaderOffset', 32, u64, 'e_phoff', '64'],
  ['sectionHeaderOffset', 40, u64, 'e_shoff', '0'],
  [
    'flags',
    48,
    u32,
    'e_flags',
    '0 until 2016; then the ELF ABI version: 1 = ELFv1 (BE), 2 = ELFv2 (LE)',
  ],
  ['headerSize', 52, u16, 'e_ehsize', '64'],
  ['programHeaderSize', 54, u16, 'e_phentsize', '56'],
  ['programHeaderCount', 56, u16, 'e_phnum', 'program headers'],
  ['sectionHeaderSize', 58, u16, 'e_shentsize', '0'],
  ['sectionHeaderCount', 60, u16, 'e_shnum', '0'],
  ['sectionNameIndex', 62, u16, 'e_shstrndx', '0'],
] as const

export const elfHeaderLayout = layout('elf64_hdr', 64, rows)
export type ElfHeader = ValueOf<typeof rows>

/** The header of a core with `programHeaderCount` program headers right behind it. */
export function coreElfHeader(options: {
  readonly order: ByteOrder
  readonly flags: number
  readonly programHeaderCount: number
}): ElfHeader {
  return {
    identification: concat([
      fromAscii(elfMagic),
      Uint8Array.of(elfClass64, elfDataEncoding[options.order], elfVersion),
      new Uint8Array(9),
    ]),
    type: typeCore,
    machine: machinePpc64,
    version: elfVersion,
    entry: 0n,
    programHeaderOffset: 64n,
    sectionHeaderOffset: 0n,
    flags: options.flags,
    headerSize: 64,
    programHeaderSize: 56,
    programHeaderCount: options.programHeaderCount,
    sectionHeaderSize: 0,
    sectionHeaderCount: 0,
    sectionNameIndex: 0,
  }
}

/**
 * Reads the first 64 bytes of a ppc64 core. Throws `CoreFormatError` for the first rule they break; the rules are
 * those of `parse_crash_elf64_headers` (fs/proc/vmcore.c), plus the machine.
 */
export function readCoreElfHeader(head: Uint8Array): { order: ByteOrder; header: ElfHeader } {
  if (head.byteLength < elfHeaderLayout.size) {
    throw new CoreFormatError('truncated', `a file of ${head.byteLength} bytes`)
  }
  const order = readIdentification(head.subarray(0, 16))
  const header = elfHeaderLayout.decode(head, order)
  const checks = [
    ['notCore', header.type === typeCore, `e_type ${header.type}`],
    ['machine', header.machine === machinePpc64, machineName(header.machine)],
    ['elfVersion', header.version === elfVersion, `e_version ${header.version}`],
    ['elfHeaderSize', header.headerSize === 64, `${header.headerSize}`],
    ['programHeaderSize', header.programHeaderSize === 56, `${header.programHeaderSize}`],
    ['noProgramHeaders', header.programHeaderCount !== 0, 'e_phnum 0'],
    [
      'tooManyProgramHeaders',
      header.programHeaderCount <= programHeadersMax,
      header.programHeaderCount === programHeaderCountExtended
        ? 'e_phnum 0xffff (PN_XNUM)'
        : `${header.programHeaderCount}`,
    ],
  ] as const
  for (const [rule, holds, value] of checks) {
    if (!holds) throw new CoreFormatError(rule, value)
  }
  return { order, header }
}

function readIdentification(identification: Uint8Array): ByteOrder {
  if (toAscii(identification.subarray(0, 4)) !== elfMagic) {
    throw new CoreFormatError('notElf', toHex(identification.subarray(0, 4)))
  }
  const [, , , , elfClass, encoding, version] = identification
  if (elfClass !== elfClass64) throw new CoreFormatError('elfClass', `EI_CLASS ${elfClass}`)
  if (version !== elfVersion) throw new CoreFormatError('elfVersion', `EI_VERSION ${version}`)
  if (encoding === elfDataEncoding.little) return 'little'
  if (encoding === elfDataEncoding.big) return 'big'
  throw new CoreFormatError('elfData', `EI_DATA ${encoding}`)
}

const machineNames: Readonly<Record<number, string>> = {
  3: 'EM_386',
  20: 'EM_PPC',
  22: 'EM_S390',
  62: 'EM_X86_64',
  183: 'EM_AARCH64',
}

function machineName(machine: number): string {
  const name = machineNames[machine]
  return name === undefined ? `e_machine ${machine}` : `e_machine ${machine} (${name})`
}
