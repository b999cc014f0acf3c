/** Files that claim to be vmcores and break one rule each; the bytes are damaged by hand, at offsets of the ELF gABI. */
import { aVmcore, type VmcoreRecipe } from '../../packages/shared/src/elf/core-builder.ts'
import { flattenedBytes } from './flattened-stream.ts'

/** `e_ident[EI_CLASS]`, `e_type`, … of a 64-byte ELF header. */
const elf = { type: 16, machine: 18, headersAt: 32, sectionsAt: 40, count: 56, sectionCount: 60 }
/** Fields of a program header; the table stands behind the ELF header, the PT_NOTE first. */
const header = { first: 64, bytes: 56, fileOffset: 8, address: 24, fileBytes: 32, memoryBytes: 40 }
const machineX86 = 62
const allOnes = 0xffff_ffff_ffff_ffffn
/** `e_phnum` of a file whose true number stands in section header 0. */
const manyHeaders = 0xffff

/** The bytes of a small valid little-endian core, before `damage` is done to them. */
function damaged(damage: (view: DataView) => void, recipe: VmcoreRecipe = {}): Uint8Array {
  const bytes = aVmcore(recipe).slice()
  damage(new DataView(bytes.buffer))
  return bytes
}

/** Byte offset of `field` of the PT_LOAD `index`. */
const load = (index: number, field: keyof typeof header): number =>
  header.first + (index + 1) * header.bytes + header[field]
const note = (field: keyof typeof header): number => header.first + header[field]

export interface HostileCore {
  readonly what: string
  readonly bytes: Uint8Array
  /** What the refusal must say: the thing, the rule and the value. */
  readonly detail: RegExp
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly status?: number
}

const flattened = { 'content-type': 'application/x-makedumpfile-flattened' }
const whole = aVmcore()
const wholeRecord = { offset: 0n, bytes: whole }

export const hostileCores: readonly HostileCore[] = [
  {
    what: 'an empty body',
    bytes: new Uint8Array(0),
    detail: /every byte its headers promise; found the end of the file within the headers/,
  },
  {
    what: 'a text',
    bytes: new TextEncoder().encode('This is not a core file, only a text that says so.'.repeat(9)),
    detail: /starts with 7f 45 4c 46; found 54686973/,
  },
  {
    what: 'a core cut within its last segment',
    bytes: whole.subarray(0, -1),
    detail: new RegExp(
      `every byte its headers promise; found ${whole.length - 1} of ${whole.length} bytes`,
    ),
  },
  {
    what: 'a core cut within its program headers',
    bytes: whole.subarray(0, 100),
    detail: /every byte its headers promise; found the end of the file within the headers/,
  },
  {
    what: 'p_filesz 2^64-1',
    bytes: damaged((view) => view.setBigUint64(load(0, 'fileBytes'), allOnes, true)),
    detail:
      /p_filesz of a PT_LOAD must not exceed p_memsz; found p_filesz 0xf{16}, p_memsz 0x1000 in program header 1/,
  },
  {
    what: 'p_filesz and p_memsz 2^64-1',
    bytes: damaged((view) => {
      view.setBigUint64(load(0, 'fileBytes'), allOnes, true)
      view.setBigUint64(load(0, 'memoryBytes'), allOnes, true)
    }),
    detail:
      /a segment must end at or below 2\^63; found PT_LOAD 1 with p_offset 0x[0-9a-f]+ and 0xf{16} bytes/,
  },
  {
    what: 'p_paddr 2^64-1',
    bytes: damaged((view) => view.setBigUint64(load(1, 'address'), allOnes, true)),
    detail: /a segment must end at or below 2\^63; found PT_LOAD 2 with p_paddr 0xf{16}/,
  },
  {
    what: 'a PT_NOTE of 2^64-1 bytes',
    bytes: damaged((view) => view.setBigUint64(note('fileBytes'), allOnes, true)),
    detail:
      /a segment must end at or below 2\^63; found PT_NOTE 0 with p_offset 0x[0-9a-f]+ and 0xf{16} bytes/,
  },
  {
    what: '1,000,000 program headers',
    bytes: damaged((view) => {
      view.setUint16(elf.count, manyHeaders, true)
      view.setBigUint64(elf.sectionsAt, 64n, true)
      view.setUint16(elf.sectionCount, 1, true)
      // sh_info of section header 0.
      view.setUint32(64 + 44, 1_000_000, true)
    }),
    detail: /e_phnum must be at most 65534 \(no PN_XNUM\); found e_phnum 0xffff/,
  },
  {
    what: '65,534 program headers that are not there',
    bytes: damaged((view) => view.setUint16(elf.count, manyHeaders - 1, true)),
    detail: /every byte its headers promise; found the end of the file within the headers/,
  },
  {
    what: 'e_phoff 2^64-1',
    bytes: damaged((view) => view.setBigUint64(elf.headersAt, allOnes, true)),
    detail:
      /program headers must stand behind the ELF header .*; found e_phoff 18446744073709551615/,
  },
  {
    what: 'PT_LOADs that overlap in memory',
    bytes: damaged((view) => view.setBigUint64(load(1, 'address'), 0xfffn, true)),
    detail: /PT_LOADs must not overlap in physical memory; found p_paddr 0xfff before 0x1000/,
  },
  {
    what: 'PT_LOADs that overlap in the file',
    bytes: damaged((view) =>
      view.setBigUint64(
        load(1, 'fileOffset'),
        view.getBigUint64(load(0, 'fileOffset'), true) + 8n,
        true,
      ),
    ),
    detail: /segments must not overlap in the file; found p_offset 0x[0-9a-f]+ before 0x[0-9a-f]+/,
  },
  {
    what: 'a PT_LOAD that lies over the ELF header',
    bytes: damaged((view) => view.setBigUint64(load(0, 'fileOffset'), 0n, true)),
    detail: /segments must not overlap in the file; found p_offset 0x0 before 0xe8/,
  },
  {
    what: 'a note of size -1',
    bytes: damaged((view) => {
      const at = Number(view.getBigUint64(note('fileOffset'), true))
      view.setUint32(at + 4, 0xffff_ffff, true)
    }),
    detail: /a note must end within its PT_NOTE; found .*4294967295/,
  },
  {
    what: 'an NT_PRSTATUS of another size',
    bytes: damaged((view) => {
      const at = Number(view.getBigUint64(note('fileOffset'), true))
      view.setUint32(at + 4, 500, true)
    }),
    detail: /the descriptor of an NT_PRSTATUS must be 504 bytes; found 500/,
  },
  {
    what: 'a big-endian core where a little-endian one is expected',
    bytes: aVmcore({ order: 'big' }),
    query: { profile: 'modern' },
    detail: /the byte order must be the expected one; found big-endian instead of little-endian/,
  },
  {
    what: 'a little-endian core where a big-endian one is expected',
    bytes: whole,
    query: { profile: 'v5' },
    detail: /the byte order must be the expected one; found little-endian instead of big-endian/,
  },
  {
    what: 'an x86-64 core',
    bytes: damaged((view) => view.setUint16(elf.machine, machineX86, true)),
    detail: /e_machine must be 21 \(EM_PPC64\); found e_machine 62/,
  },
  {
    what: 'an executable',
    bytes: damaged((view) => view.setUint16(elf.type, 2, true)),
    detail: /e_type must be 4 \(ET_CORE\); found e_type 2/,
  },
  {
    what: 'a 32-bit core',
    bytes: damaged((view) => view.setUint8(4, 1)),
    detail: /EI_CLASS must be 2 \(ELFCLASS64\); found EI_CLASS 1/,
  },
  {
    what: 'a core without memory',
    bytes: aVmcore({ loads: [] }),
    detail: /at least one PT_LOAD that is not empty; found 1 program headers/,
  },
  {
    what: 'a core of 5,000 PT_LOADs',
    bytes: aVmcore({
      loads: Array.from({ length: 5000 }, (_, index) => ({
        physical: BigInt(index) * 2n,
        bytes: Uint8Array.of(1),
      })),
    }),
    detail: /there must be at most 4096 PT_LOADs; found 5000/,
  },
  {
    what: 'a core without VMCOREINFO',
    bytes: aVmcore({ vmcoreinfo: '' }),
    detail: /VMCOREINFO note must state PAGESIZE=4096 or 65536, not nothing/,
  },
  {
    what: 'a core with pages of 16 KiB',
    bytes: aVmcore({ vmcoreinfo: 'OSRELEASE=6.12.0\nPAGESIZE=16384\n' }),
    detail: /VMCOREINFO note must state PAGESIZE=4096 or 65536, not 16384/,
  },
  {
    what: 'a core of more memory than the frame has',
    bytes: aVmcore({
      loads: [{ physical: 0n, bytes: new Uint8Array(4096).fill(1), memorySize: 2n ** 44n }],
    }),
    status: 507,
    detail: /image hostile describes 16 TiB of memory, frame server-1 has 4 TiB/,
  },
  {
    what: 'garbage as a flattened stream',
    bytes: new Uint8Array(8192).fill(0x41),
    headers: flattened,
    detail: /a flattened stream starts with "makedumpfile"; found "A+"/,
  },
  {
    what: 'a flattened stream without its end',
    bytes: flattenedBytes([wholeRecord], { end: false }),
    headers: flattened,
    detail:
      /a flattened stream ends with the record offset -1, size -1; found the end of the stream/,
  },
  {
    what: 'a flattened record of negative size',
    bytes: flattenedBytes([wholeRecord, { offset: 4096n, bytes: new Uint8Array(0), size: -5n }]),
    headers: flattened,
    detail:
      /offset and size of a flattened record must not be negative .*; found offset 4096, size -5/,
  },
  {
    what: 'a flattened stream that changes its headers later',
    bytes: flattenedBytes([wholeRecord, { offset: 56n, bytes: Uint8Array.of(9) }]),
    headers: flattened,
    detail: /must not change headers after the first data; found 1 other bytes at 56/,
  },
  {
    what: 'a plain core sent as a flattened stream',
    bytes: whole,
    headers: flattened,
    detail: /a flattened stream starts with "makedumpfile"; found /,
  },
  {
    what: 'a flattened stream sent as a plain core',
    bytes: flattenedBytes([wholeRecord]),
    detail: /starts with 7f 45 4c 46; found 6d616b65/,
  },
  {
    what: 'another media type',
    bytes: whole,
    headers: { 'content-type': 'text/plain' },
    status: 415,
    detail:
      /the body is text\/plain; send application\/octet-stream or application\/x-makedumpfile-flattened/,
  },
  {
    what: 'a content encoding nobody knows',
    bytes: whole,
    headers: { 'content-encoding': 'lzw' },
    status: 415,
    detail: /content encoding lzw is not known; send identity, gzip or zstd/,
  },
  {
    what: 'a body that is not in the encoding it names',
    bytes: whole,
    headers: { 'content-encoding': 'zstd' },
    detail: /the body is no whole zstd stream: /,
  },
]
