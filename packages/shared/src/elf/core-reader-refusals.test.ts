/** What is refused as no whole, sane core, and by which rule. */
import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import fc from 'fast-check'
import { concat, fromHex } from '../units/index.ts'
import { changeHeaderAt, chunks, inOrder, read, readFile } from './core-arrivals.ts'
import { aVmcore, type VmcoreRecipe } from './core-builder.ts'
import type { CoreRule } from './core-format-error.ts'
import { encodeNote } from './note.ts'

suite('refusing what is not a whole, sane core', () => {
  const u64Max = 2n ** 64n - 1n
  const descriptorSizeOfFirst = (hex: string) => (notes: Uint8Array) => {
    const changed = notes.slice()
    changed.set(fromHex(hex), 4)
    return changed
  }
  const refusals: readonly (readonly [string, VmcoreRecipe, CoreRule])[] = [
    [
      'p_filesz is 2^64 - 1',
      { changeProgramHeaders: changeHeaderAt(1, { fileSize: u64Max }) },
      'fileSizeAboveMemorySize',
    ],
    [
      'p_filesz and p_memsz are 2^64 - 1',
      { changeProgramHeaders: changeHeaderAt(1, { fileSize: u64Max, memorySize: u64Max }) },
      'beyondAddressSpace',
    ],
    [
      'p_filesz is one above p_memsz',
      { changeProgramHeaders: changeHeaderAt(1, { fileSize: 4097n }) },
      'fileSizeAboveMemorySize',
    ],
    [
      'a PT_LOAD ends beyond 2^63 in memory',
      { changeProgramHeaders: changeHeaderAt(2, { physicalAddress: 2n ** 63n - 4095n }) },
      'beyondAddressSpace',
    ],
    [
      'a PT_LOAD ends beyond 2^63 in the file',
      { changeProgramHeaders: changeHeaderAt(2, { offset: 2n ** 63n }) },
      'beyondAddressSpace',
    ],
    [
      'a PT_NOTE ends beyond 2^63 in the file',
      { changeProgramHeaders: changeHeaderAt(0, { offset: u64Max }) },
      'beyondAddressSpace',
    ],
    [
      'PT_LOADs overlap in memory by one byte',
      { changeProgramHeaders: changeHeaderAt(2, { physicalAddress: 4095n }) },
      'overlappingMemory',
    ],
    [
      'the zero tail of a PT_LOAD overlaps the next',
      { changeProgramHeaders: changeHeaderAt(1, { memorySize: 0x10_0001n }) },
      'overlappingMemory',
    ],
    [
      'PT_LOADs overlap in the file by one byte',
      {
        changeProgramHeaders: (all) =>
          changeHeaderAt(2, { offset: (all[2]?.offset ?? 0n) - 1n })(all),
      },
      'overlappingFile',
    ],
    [
      'a PT_LOAD overlaps the headers in the file',
      { changeProgramHeaders: changeHeaderAt(1, { offset: 0n }) },
      'overlappingFile',
    ],
    [
      'a PT_NOTE overlaps a PT_LOAD in the file',
      { changeProgramHeaders: changeHeaderAt(0, { fileSize: 4096n }) },
      'overlappingFile',
    ],
    [
      'the notes take more than 64 MiB',
      { changeProgramHeaders: changeHeaderAt(0, { fileSize: 64n * 1024n * 1024n + 1n }) },
      'notesTooLarge',
    ],
    ['there is no PT_LOAD', { loads: [] }, 'noLoad'],
    ['every PT_LOAD is empty', { loads: [{ physical: 0n, bytes: new Uint8Array(0) }] }, 'noLoad'],
    ['n_descsz is -1', { changeNotes: descriptorSizeOfFirst('ffffffff') }, 'noteBeyondSegment'],
    [
      'a note goes beyond its segment',
      { changeNotes: descriptorSizeOfFirst('00100000') },
      'noteBeyondSegment',
    ],
    [
      'an NT_PRSTATUS has the size of 32-bit powerpc',
      {
        changeNotes: () =>
          encodeNote({ name: 'CORE', type: 1, descriptor: new Uint8Array(268) }, 'little'),
      },
      'prstatusSize',
    ],
    [
      'there are 4097 NT_PRSTATUS notes',
      { cpus: Array.from({ length: 4097 }, () => ({ pid: 0, registers: [] })) },
      'tooManyNotes',
    ],
    [
      'there are 65537 notes',
      {
        changeNotes: () =>
          concat(
            Array.from({ length: 65_537 }, () =>
              encodeNote({ name: 'X', type: 9, descriptor: new Uint8Array(0) }, 'little'),
            ),
          ),
      },
      'tooManyNotes',
    ],
    [
      'VMCOREINFO exceeds the largest page',
      { vmcoreinfo: 'x'.repeat(65_537) },
      'vmcoreinfoTooLarge',
    ],
    [
      'a million program headers are counted in section header 0',
      {
        changeHeader: (header) => ({
          ...header,
          programHeaderCount: 0xffff,
          sectionHeaderOffset: 64n,
        }),
      },
      'tooManyProgramHeaders',
    ],
    [
      'the program headers overlap the ELF header',
      { changeHeader: (header) => ({ ...header, programHeaderOffset: 63n }) },
      'programHeadersPlace',
    ],
    [
      'the program headers end one byte beyond 4 MiB',
      { changeHeader: (header) => ({ ...header, programHeaderOffset: 4_194_304n - 167n }) },
      'programHeadersPlace',
    ],
    [
      'the program headers lie at 2^64 - 1',
      { changeHeader: (header) => ({ ...header, programHeaderOffset: u64Max }) },
      'programHeadersPlace',
    ],
    [
      'it is of an x86 machine',
      { changeHeader: (header) => ({ ...header, machine: 62 }) },
      'machine',
    ],
    ['it is an executable', { changeHeader: (header) => ({ ...header, type: 2 }) }, 'notCore'],
    [
      'e_phentsize is 32',
      { changeHeader: (header) => ({ ...header, programHeaderSize: 32 }) },
      'programHeaderSize',
    ],
    [
      'it is a 32-bit core',
      {
        changeHeader: (header) => ({
          ...header,
          identification: header.identification.map((byte, at) => (at === 4 ? 1 : byte)),
        }),
      },
      'elfClass',
    ],
  ]
  for (const [what, recipe, rule] of refusals) {
    test(`a core is refused when ${what}`, () => {
      assert.throws(() => readFile(aVmcore(recipe)), { name: 'CoreFormatError', rule })
    })
  }

  test('a core is refused when it is of the other byte order', () => {
    const file = aVmcore({ order: 'big' })
    assert.throws(() => read(chunks(file, 4096), { ...inOrder, expectedOrder: 'little' }), {
      rule: 'byteOrder',
      message: /found big-endian instead of little-endian$/,
    })
    read(chunks(file, 4096), { ...inOrder, expectedOrder: 'big' })
  })

  test('a core is refused when any byte at its end is missing', () => {
    const file = aVmcore()
    fc.assert(
      fc.property(fc.nat(file.byteLength - 1), (length) => {
        assert.throws(() => readFile(file.subarray(0, length)), { rule: 'truncated' })
      }),
    )
  })

  test('the refusal of a truncated core says how much came', () => {
    const file = aVmcore()
    assert.throws(() => readFile(file.subarray(0, 5000)), {
      message: `the file must hold every byte its headers promise; found 5000 of ${file.byteLength} bytes`,
    })
  })

  test('whatever the bytes are, the reader refuses by rule or reads; it never fails otherwise', () => {
    const file = aVmcore({ order: 'big' })
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(1600), fc.nat(255)), { minLength: 1, maxLength: 12 }),
        (changes) => {
          const broken = file.slice()
          for (const [at, value] of changes) broken[at] = value
          try {
            readFile(broken)
          } catch (error) {
            assert.equal((error as Error).name, 'CoreFormatError')
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})
