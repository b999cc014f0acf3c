/** Every way in which a core file or a flattened stream can be malformed, and what the format demands. */

/** Rule → the demand, as a sentence that a value can be put behind. */
export const coreRules = {
  notElf: 'a core file starts with 7f 45 4c 46',
  elfClass: 'EI_CLASS must be 2 (ELFCLASS64)',
  elfData: 'EI_DATA must be 1 (little-endian) or 2 (big-endian)',
  byteOrder: 'the byte order must be the expected one',
  elfVersion: 'EI_VERSION and e_version must be 1 (EV_CURRENT)',
  notCore: 'e_type must be 4 (ET_CORE)',
  machine: 'e_machine must be 21 (EM_PPC64)',
  elfHeaderSize: 'e_ehsize must be 64',
  programHeaderSize: 'e_phentsize must be 56',
  noProgramHeaders: 'e_phnum must not be 0',
  tooManyProgramHeaders: 'e_phnum must be at most 65534 (no PN_XNUM)',
  programHeadersPlace:
    'the program headers must stand behind the ELF header and end within the first 4 MiB of the file',
  noteFirst: 'the first program header of an elfcorehdr must be PT_NOTE (4)',
  noLoad: 'there must be at least one PT_LOAD that is not empty',
  beyondAddressSpace: 'a segment must end at or below 2^63',
  fileSizeAboveMemorySize: 'p_filesz of a PT_LOAD must not exceed p_memsz',
  overlappingMemory: 'PT_LOADs must not overlap in physical memory',
  overlappingFile: 'segments must not overlap in the file',
  notesTooLarge: 'all PT_NOTEs together must be at most 64 MiB',
  noteBeyondSegment: 'a note must end within its PT_NOTE',
  prstatusSize: 'the descriptor of an NT_PRSTATUS must be 504 bytes',
  tooManyNotes: 'there must be at most 65536 notes, 4096 of them NT_PRSTATUS',
  vmcoreinfoTooLarge: 'VMCOREINFO must be at most 64 KiB, one page',
  truncated: 'the file must hold every byte its headers promise',
  headersLate:
    'the headers must come within the first 16 MiB of a flattened stream; rearrange it first (makedumpfile -R)',
  headersChanged: 'a flattened stream must not change headers after the first data',
  notFlattened: 'a flattened stream starts with "makedumpfile"',
  flattenedVersion: 'the type and the version of a flattened stream must be 1',
  flattenedRecord:
    'offset and size of a flattened record must not be negative and must end within 2^63 - 1',
  flattenedTooLarge: 'a flattened record must end within the agreed size',
  flattenedEnd: 'a flattened stream ends with the record offset -1, size -1',
} as const

export type CoreRule = keyof typeof coreRules

/** A refusal to read a core file; `rule` is the contract, `value` is what was found instead. */
export class CoreFormatError extends Error {
  override readonly name = 'CoreFormatError'
  readonly rule: CoreRule
  readonly value: string
  constructor(rule: CoreRule, value: string) {
    super(`${coreRules[rule]}; found ${value}`)
    this.rule = rule
    this.value = value
  }
}
