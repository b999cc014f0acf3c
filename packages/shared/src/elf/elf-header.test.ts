import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { fromHex } from '../units/index.ts'
import { CoreFormatError, type CoreRule } from './core-format-error.ts'
import { coreElfHeader, elfHeaderLayout, readCoreElfHeader, type ElfHeader } from './elf-header.ts'

suite('ELF header of a core', () => {
  test('C100 e_machine 21, ET_CORE, e_phoff 64, e_ehsize 64, e_flags 0 for a big-endian 3.4 kernel', () => {
    const header = coreElfHeader({ order: 'big', flags: 0, programHeaderCount: 4 })
    assert.deepEqual(
      elfHeaderLayout.encode(header, 'big'),
      // fadump.md §8.2
      fromHex(`7f454c46 02 02 01 00 0000000000000000
               0004 0015 00000001 0000000000000000
               0000000000000040 0000000000000000
               00000000 0040 0038 0004 0000 0000 0000`),
    )
  })

  test('C100 e_flags 2 and ELFDATA2LSB for a little-endian modern kernel', () => {
    const header = coreElfHeader({ order: 'little', flags: 2, programHeaderCount: 3 })
    assert.deepEqual(
      elfHeaderLayout.encode(header, 'little'),
      // The first 64 bytes of /proc/vmcore of Linux 7.2.12 ppc64le in a pseries guest.
      fromHex(`7f454c46020101000000000000000000 04001500010000000000000000000000
               40000000000000000000000000000000 02000000400038000300000000000000`),
    )
  })

  const valid = coreElfHeader({ order: 'big', flags: 0, programHeaderCount: 2 })
  const identification = (index: number, value: number): Partial<ElfHeader> => ({
    identification: valid.identification.map((byte, at) => (at === index ? value : byte)),
  })
  const refusals: readonly (readonly [string, Partial<ElfHeader>, CoreRule, RegExp])[] = [
    ['without the ELF magic', identification(0, 0x7e), 'notElf', /found 7e454c46$/],
    ['of class ELFCLASS32', identification(4, 1), 'elfClass', /found EI_CLASS 1$/],
    ['without a byte order', identification(5, 0), 'elfData', /found EI_DATA 0$/],
    ['of another EI_VERSION', identification(6, 2), 'elfVersion', /found EI_VERSION 2$/],
    ['that is an executable', { type: 2 }, 'notCore', /found e_type 2$/],
    ['of an x86 machine', { machine: 62 }, 'machine', /found e_machine 62 \(EM_X86_64\)$/],
    ['of 32-bit PowerPC', { machine: 20 }, 'machine', /EM_PPC\)$/],
    ['of an unknown machine', { machine: 999 }, 'machine', /found e_machine 999$/],
    ['of another e_version', { version: 0 }, 'elfVersion', /found e_version 0$/],
    ['with another e_ehsize', { headerSize: 52 }, 'elfHeaderSize', /found 52$/],
    ['with another e_phentsize', { programHeaderSize: 32 }, 'programHeaderSize', /found 32$/],
    ['without program headers', { programHeaderCount: 0 }, 'noProgramHeaders', /found e_phnum 0$/],
    [
      'whose program headers are counted in section header 0',
      { programHeaderCount: 0xffff },
      'tooManyProgramHeaders',
      /found e_phnum 0xffff \(PN_XNUM\)$/,
    ],
  ]
  for (const [what, change, rule, message] of refusals) {
    test(`C107 a core ${what} is refused`, () => {
      const bytes = elfHeaderLayout.encode({ ...valid, ...change }, 'big')
      assert.throws(
        () => readCoreElfHeader(bytes),
        (error) =>
          error instanceof CoreFormatError && error.rule === rule && message.test(error.message),
      )
    })
  }

  test('a core of 65534 program headers is the largest that is read', () => {
    const bytes = elfHeaderLayout.encode({ ...valid, programHeaderCount: 65_534 }, 'big')
    assert.equal(readCoreElfHeader(bytes).header.programHeaderCount, 65_534)
  })

  test('C107 63 bytes are too short for a header', () => {
    const bytes = elfHeaderLayout.encode(valid, 'big').subarray(0, 63)
    assert.throws(() => readCoreElfHeader(bytes), { rule: 'truncated' })
  })
})
