import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { truthBytes } from '../../../../test/fixtures/truth/index.ts'
import { aVmcore } from '../elf/core-builder.ts'
import { fromAscii, viewOf } from '../units/index.ts'
import { explain, explainCore, explainStructure, readCoreParts } from './index.ts'

const words = (lines: readonly string[]): string[] =>
  lines.map((line) => line.trim().replaceAll(/ {2,}/g, '  '))
const real = truthBytes('vmcore-head.bin')

describe('a vmcore explained', () => {
  const lines = words(explainStructure('elf', real))

  test('the ELF header of a real one', () => {
    assert.deepEqual(lines.slice(0, 12), [
      'elf64_hdr, little-endian',
      '0000  7f454c46020101000000000000000000  e_ident  16 bytes  7f "ELF", 64 bits, little-endian, version 1',
      '0010  0400  e_type  0x0004  ET_CORE',
      '0012  1500  e_machine  0x0015  EM_PPC64',
      '0014  01000000  e_version  0x00000001  always 1',
      '0018  0000000000000000  e_entry  0x0000000000000000  always 0',
      '0020  4000000000000000  e_phoff  0x0000000000000040  where the program headers stand',
      '0028  0000000000000000  e_shoff  0x0000000000000000  no section headers',
      '0030  02000000  e_flags  0x00000002  ABI version 2 (ELFv2, little-endian)',
      '0034  4000  e_ehsize  0x0040  bytes of this header',
      '0036  3800  e_phentsize  0x0038  bytes of a program header',
      '0038  0300  e_phnum  0x0003  3 program headers',
    ])
  })

  test('its three program headers, with the hole where the reserved dump area was', () => {
    assert.deepEqual(
      lines.filter((line) => line.startsWith('elf64_phdr')),
      [
        'elf64_phdr program_headers[0]: PT_NOTE, 4532 bytes',
        'elf64_phdr program_headers[1]: PT_LOAD, memory 0x0 to 0x14000000',
        'elf64_phdr program_headers[2]: PT_LOAD, memory 0x280102a8 to 0x40000000',
      ],
    )
    const last = lines.indexOf(
      'elf64_phdr program_headers[2]: PT_LOAD, memory 0x280102a8 to 0x40000000',
    )
    assert.deepEqual(lines.slice(last + 1, last + 9), [
      '00b0  01000000  p_type  0x00000001  PT_LOAD',
      '00b4  07000000  p_flags  0x00000007  RWX',
      '00b8  a802021400000000  p_offset  0x00000000140202a8  in the file, up to 0x2c010000',
      '00c0  a8020128000000c0  p_vaddr  0xc0000000280102a8  in the linear map of the kernel',
      '00c8  a802012800000000  p_paddr  0x00000000280102a8  where it was when the kernel crashed',
      '00d0  58fdfe1700000000  p_filesz  0x0000000017fefd58  402586968 bytes',
      '00d8  58fdfe1700000000  p_memsz  0x0000000017fefd58  the same',
      '00e0  0000000000000000  p_align  0x0000000000000000  no alignment stated',
    ])
  })

  test('its notes: NT_PRSTATUS every 0x20c bytes with registers, then VMCOREINFO by line', () => {
    for (const line of [
      'NT_PRSTATUS 0, at 0x10000',
      '10000  05000000  n_namesz  0x00000005  "CORE" with its NUL, 5 bytes',
      '10004  f8010000  n_descsz  0x000001f8  504 bytes of descriptor',
      '10008  01000000  n_type  0x00000001  NT_PRSTATUS',
      '10184  4ccb0400000000c0  nip  0xc00000000004cb4c  next instruction',
      '1018c  3310000000000080  msr  0x8000000000001033  SF,ME,IR,DR,RI,LE',
      'NT_PRSTATUS 1, at 0x1020c',
      '10390  f08c0a00000000c0  nip  0xc0000000000a8cf0  next instruction',
      '10398  33b0800200000080  msr  0x800000000280b033  SF,VEC,VSX,EE,FP,ME,IR,DR,RI,LE',
      '"VMCOREINFO", at 0x10418',
      '1041c  840d0000  n_descsz  0x00000d84  3460 bytes of descriptor',
      '10430  OSRELEASE  7.2.12-truth64k  release of the crashed kernel',
      '1047c  PAGESIZE  65536  bytes',
      '1051e  SYMBOL(_stext)  c000000000000000',
    ]) {
      assert.ok(lines.includes(line), line)
    }
    assert.match(lines.at(-1) ?? '', /^\w+ {2}CRASHTIME {2}\d+ {2}seconds since 1970$/)
  })

  test('of many CPUs two are shown and the others counted; the nth note can be asked for', () => {
    const cpus = Array.from({ length: 5 }, (_, cpu) => ({ pid: 0, registers: [BigInt(cpu)] }))
    const core = aVmcore({ cpus })
    const titles = (only?: number) =>
      explain('elf', core, only === undefined ? {} : { cpus: { only } })
        .parts.flatMap(({ title, remarks = [] }) => [title.replace(/, at .*/, ''), ...remarks])
        .filter((title) => /PRSTATUS|CPU/.test(title))
    assert.deepEqual(titles(), [
      'NT_PRSTATUS 0',
      'NT_PRSTATUS 1',
      '3 more CPUs are not shown (2-4): --cpu N shows one of them in full',
    ])
    assert.equal(titles(4)[0], 'NT_PRSTATUS 4')
    assert.match(
      explain('elf', core, { cpus: { only: 5 } }).defect ?? '',
      /expected NT_PRSTATUS of CPU 5; found 5 of them$/,
    )
  })

  test('is read by its headers and notes alone, wherever they stand', () => {
    const asked: string[] = []
    const reading = readCoreParts()
    let step = reading.next()
    while (step.done !== true) {
      const { offset, length } = step.value
      asked.push(`${offset}+${length}`)
      step = reading.next(real.slice(offset, offset + length))
    }
    assert.deepEqual(asked, ['0+64', '64+168', '65536+4532'])
    assert.deepEqual(explainCore(step.value), explain('elf', real))
  })
})

describe('bytes that are no vmcore', () => {
  const changed = (offset: number, ...bytes: number[]): Uint8Array => {
    const copy = real.slice()
    copy.set(bytes, offset)
    return copy
  }
  const refused: Readonly<Record<string, [bytes: Uint8Array, defect: RegExp]>> = {
    nothing: [new Uint8Array(0), /^at offset 0x0: expected the 4 bytes of .*; found nothing$/],
    text: [fromAscii('# a page of text'), /found 23206120$/],
    'a flattened stream': [
      fromAscii('makedumpfile\0\0\0\0'),
      /makedumpfile's flattened stream, make a file of it with makedumpfile -R$/,
    ],
    'a kdump-compressed dump': [fromAscii('KDUMP   '), /a kdump-compressed dump/],
    'half a header': [real.subarray(0, 40), /expected the 64 bytes of elf64_hdr; found 40 bytes$/],
    '32 bits': [changed(4, 1), /^at offset 0x4: expected EI_CLASS must be 2.*; found EI_CLASS 1$/],
    'no byte order': [changed(5, 3), /^at offset 0x5: .*; found EI_DATA 3$/],
    'an executable': [changed(16, 2), /^at offset 0x10: expected e_type .*4 .*; found e_type 2$/],
    'x86-64': [changed(18, 62), /^at offset 0x12: .*; found e_machine 62 \(EM_X86_64\)$/],
    'no program headers': [changed(56, 0), /^at offset 0x38: .*; found e_phnum 0$/],
    'program headers cut off': [
      real.subarray(0, 200),
      /^at offset 0x40: expected 3 program headers of 56 bytes; found 2$/,
    ],
    'program headers far away': [
      changed(39, 1),
      /^at offset 0x\w+: expected 3 program headers of 56 bytes; found 0$/,
    ],
    'notes cut off': [
      real.subarray(0, 0x10300),
      /^at offset 0x10000: expected 4532 bytes of PT_NOTE; found 768 bytes$/,
    ],
    'a note beyond its segment': [
      changed(0x1041f, 1),
      /a note must end within its PT_NOTE; found n_namesz 11, n_descsz \d+ at 1048 of 4532 bytes$/,
    ],
  }
  for (const [what, [bytes, defect]] of Object.entries(refused)) {
    test(`${what}: the place, the rule and what is there`, () => {
      assert.match(explain('elf', bytes).defect ?? '', defect)
    })
  }

  test('notes before the cut are shown', () => {
    const { parts } = explain('elf', real.subarray(0, 0x10300))
    assert.equal(parts.at(-1)?.title, 'NT_PRSTATUS 0, at 0x10000')
  })

  test('a PT_NOTE as large as an exabyte is not asked for: notes are at most 64 MiB', () => {
    const bytes = real.slice()
    viewOf(bytes).setBigUint64(64 + 32, 2n ** 60n, true)
    const reading = readCoreParts()
    reading.next()
    reading.next(bytes.subarray(0, 64))
    assert.deepEqual(reading.next(bytes.subarray(64, 64 + 168)).value, {
      offset: 0x10000,
      length: 64 * 2 ** 20,
    })
  })

  test('PT_NOTEs without number are not followed', () => {
    const notes = Array.from({ length: 5000 }, () => ({ physical: 0n, bytes: new Uint8Array(0) }))
    const core = aVmcore({
      loads: notes,
      changeProgramHeaders: (headers) => headers.map((header) => ({ ...header, type: 4 })),
    })
    assert.equal(
      explain('elf', core).defect,
      'at offset 0x40: expected at most 4096 PT_NOTEs in reach; found 5001',
    )
  })
})
