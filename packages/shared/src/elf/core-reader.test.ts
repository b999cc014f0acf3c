import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import fc from 'fast-check'
import { concat, equalBytes, fromHex } from '../units/index.ts'
import {
  aVmcore,
  patternAt,
  recognizableRegisters,
  TestMemory,
  type VmcoreRecipe,
} from './core-builder.ts'
import type { CoreRule } from './core-format-error.ts'
import { CoreStreamReader, type CoreContents, type CoreReaderOptions } from './core-reader.ts'
import { encodeNote } from './note.ts'
import type { ProgramHeader } from './program-header.ts'
import { encodePrstatusNote } from './prstatus-ppc64.ts'

interface Arrival {
  readonly offset: bigint
  readonly chunk: Uint8Array
}

/** Reads what arrives, into `memory`. */
function read(
  arrivals: Iterable<Arrival>,
  options: CoreReaderOptions,
): { contents: CoreContents; memory: TestMemory } {
  const memory = new TestMemory()
  const reader = new CoreStreamReader(options)
  for (const { offset, chunk } of arrivals) memory.apply([...reader.push(offset, chunk)])
  return { contents: reader.end(), memory }
}

const inOrder = { arrival: 'file-order' } as const
const anyOrder = { arrival: 'any-order' } as const

function* chunks(file: Uint8Array, size: number): Generator<Arrival> {
  for (let at = 0; at < file.byteLength; at += size) {
    yield { offset: BigInt(at), chunk: file.subarray(at, at + size) }
  }
}

const readFile = (file: Uint8Array): { contents: CoreContents; memory: TestMemory } =>
  read(chunks(file, 1000), inOrder)

suite('reading a core in file order', () => {
  for (const order of ['big', 'little'] as const) {
    for (const pageSize of [1, 4096, 65_536]) {
      test(`C106 a ${order}-endian core with parts rounded to ${pageSize} gives back notes and memory`, () => {
        const loads = [
          { physical: 0n, bytes: patternAt(0n, 5000) },
          { physical: 0x2801_02a8n, bytes: patternAt(0x2801_02a8n, 3000), memorySize: 70_000n },
        ]
        const vmcoreinfo = 'OSRELEASE=3.4.0\nCRASHTIME=1'
        const { contents, memory } = readFile(aVmcore({ order, pageSize, loads, vmcoreinfo }))
        assert.equal(contents.order, order)
        assert.equal(contents.flags, order === 'big' ? 1 : 2)
        assert.equal(contents.vmcoreinfo, vmcoreinfo)
        assert.deepEqual(contents.cpus, [
          { pid: 1, registers: recognizableRegisters(0) },
          { pid: 2, registers: recognizableRegisters(1) },
        ])
        assert.deepEqual(
          contents.loads.map((load) => [load.physical, load.fileSize, load.memorySize]),
          [
            [0n, 5000n, 5000n],
            [0x2801_02a8n, 3000n, 70_000n],
          ],
        )
        for (const { physical, bytes } of loads) {
          assert.ok(equalBytes(memory.bytes(physical, bytes.byteLength), bytes))
        }
      })
    }
  }

  test('it makes no difference where the stream is cut', () => {
    const file = aVmcore()
    const expected = readFile(file)
    for (const size of [1, 7, 63, 64, 65, 231, 5000, file.byteLength]) {
      const { contents, memory } = read(chunks(file, size), inOrder)
      assert.deepEqual(contents, expected.contents)
      for (const at of [0n, 0x10_0000n]) {
        assert.ok(equalBytes(memory.bytes(at, 4096), patternAt(at, 4096)))
      }
    }
  })

  test('the outline is known as soon as the headers have come', () => {
    const file = aVmcore()
    const reader = new CoreStreamReader(inOrder)
    assert.deepEqual([...reader.push(0n, file.subarray(0, 231))], [])
    const before = reader.outline
    assert.equal(before, undefined)
    assert.deepEqual([...reader.push(231n, file.subarray(231, 232))], [])
    assert.equal(reader.outline?.loads.length, 2)
  })

  test('memory comes out as views of what came in', () => {
    const file = aVmcore()
    const reader = new CoreStreamReader(inOrder)
    const dataAt = file.byteLength - 8192
    assert.deepEqual([...reader.push(0n, file.subarray(0, dataAt))], [])
    const [piece, ...rest] = [...reader.push(BigInt(dataAt), file.subarray(dataAt, dataAt + 100))]
    assert.equal(piece?.bytes.buffer, file.buffer)
    assert.equal(piece?.bytes.byteLength, 100)
    assert.deepEqual(rest, [])
  })

  test('program headers may stand anywhere within the first 4 MiB', () => {
    const recipe = { pageSize: 4096 }
    const moved = aVmcore({
      ...recipe,
      changeHeader: (header) => ({ ...header, programHeaderOffset: 1024n }),
    })
    moved.set(aVmcore(recipe).subarray(64, 232), 1024)
    moved.fill(0xee, 64, 232)
    assert.equal(readFile(moved).contents.cpus.length, 2)
  })

  test('a chunk out of order is a mistake of the caller', () => {
    const reader = new CoreStreamReader(inOrder)
    assert.throws(() => [...reader.push(1n, new Uint8Array(1))], { name: 'InvariantError' })
  })

  test('bytes behind the last segment are ignored', () => {
    const file = concat([aVmcore(), new Uint8Array(5000).fill(0xee)])
    assert.equal(readFile(file).contents.cpus.length, 2)
  })

  test('sixty-five thousand loads, the most that are read', () => {
    const loads = Array.from({ length: 65_533 }, (_, index) => ({
      physical: BigInt(index) * 16n,
      bytes: new Uint8Array(1),
    }))
    const { contents } = read(chunks(aVmcore({ loads }), 100_000), inOrder)
    assert.equal(contents.loads.length, 65_533)
  })
})

const changeHeaderAt =
  (index: number, change: Partial<ProgramHeader>) =>
  (headers: readonly ProgramHeader[]): readonly ProgramHeader[] =>
    headers.map((header, at) => (at === index ? { ...header, ...change } : header))

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

suite('reading a core in any order', () => {
  /** `file` cut at `cuts` and shuffled; zeros that are left out stay away. */
  const shuffled = (file: Uint8Array): fc.Arbitrary<Arrival[]> =>
    fc.array(fc.nat(file.byteLength), { maxLength: 20 }).chain((cuts) => {
      const ends = [...new Set([...cuts, file.byteLength])].toSorted((a, b) => a - b)
      const parts = ends.map((end, index) => {
        const start = ends[index - 1] ?? 0
        return { offset: BigInt(start), chunk: file.subarray(start, end) }
      })
      return fc.shuffledSubarray(parts, { minLength: parts.length })
    })

  test('the order of arrival makes no difference', () => {
    const file = aVmcore({ order: 'big' })
    const expected = readFile(file).contents
    fc.assert(
      fc.property(shuffled(file), (arrivals) => {
        const { contents, memory } = read(arrivals, anyOrder)
        assert.deepEqual(contents, expected)
        for (const at of [0n, 0x10_0000n]) {
          assert.ok(equalBytes(memory.bytes(at, 4096), patternAt(at, 4096)))
        }
      }),
    )
  })

  test('later bytes overwrite earlier ones, before and behind the headers', () => {
    const file = aVmcore()
    const dataAt = BigInt(file.byteLength - 8192)
    const { memory } = read(
      [
        { offset: dataAt, chunk: new Uint8Array(8).fill(1) },
        { offset: dataAt, chunk: new Uint8Array(4).fill(2) },
        { offset: 0n, chunk: file.subarray(0, Number(dataAt)) },
        { offset: dataAt, chunk: new Uint8Array(2).fill(3) },
      ],
      anyOrder,
    )
    assert.deepEqual(memory.bytes(0n, 9), fromHex('030302020101010100'))
  })

  test('what never comes is zero: a flattened stream leaves holes out', () => {
    const file = aVmcore()
    const { contents, memory } = read(
      [{ offset: 0n, chunk: file.subarray(0, file.byteLength - 4096) }],
      anyOrder,
    )
    assert.equal(contents.cpus.length, 2)
    assert.deepEqual(memory.bytes(0x10_0000n, 4096), new Uint8Array(4096))
  })

  test('headers may come again, but not change', () => {
    const file = aVmcore()
    const again = { offset: 60n, chunk: file.subarray(60, 300) }
    assert.equal(read([...chunks(file, 4096), again], anyOrder).contents.cpus.length, 2)
    const changed = { offset: 231n, chunk: new Uint8Array(1).fill(1) }
    assert.throws(() => read([...chunks(file, 4096), changed], anyOrder), {
      rule: 'headersChanged',
    })
  })

  test('12 MiB of data may come before the headers, not more, nor in more than 4096 pieces', () => {
    const MiB = 1024 * 1024
    const early = (offset: number, length: number): Arrival => ({
      offset: BigInt(offset),
      chunk: new Uint8Array(length),
    })
    const file = aVmcore({
      loads: [{ physical: 0n, bytes: patternAt(0n, 4096), memorySize: 16n * 1024n * 1024n }],
    })
    const headers = { offset: 0n, chunk: file }
    assert.equal(read([early(4 * MiB, 12 * MiB), headers], anyOrder).contents.cpus.length, 2)
    assert.throws(() => read([early(4 * MiB, 12 * MiB + 1), headers], anyOrder), {
      rule: 'headersLate',
    })
    const pieces = Array.from({ length: 4097 }, (_, index) => early(4 * MiB + index, 1))
    assert.equal(read([...pieces.slice(1), headers], anyOrder).contents.cpus.length, 2)
    assert.throws(() => read([...pieces, headers], anyOrder), { rule: 'headersLate' })
  })

  test('without headers there is nothing to read', () => {
    assert.throws(() => read([], anyOrder), { rule: 'truncated' })
    assert.throws(() => read([{ offset: 64n, chunk: new Uint8Array(9) }], anyOrder), {
      rule: 'truncated',
    })
  })
})

suite('the notes of a core', () => {
  test('several PT_NOTEs are read in their order, other notes are passed over', () => {
    const cpu = (pid: number): Uint8Array => encodePrstatusNote({ pid, registers: [] }, 'little')
    const other = encodeNote(
      { name: 'LINUX', type: 0x100, descriptor: new Uint8Array(20) },
      'little',
    )
    const notes = concat([cpu(5), other, cpu(6)])
    const file = aVmcore({
      loads: [
        { physical: 0n, bytes: new Uint8Array(16) },
        { physical: 64n, bytes: cpu(7) },
      ],
      changeNotes: () => notes,
      changeProgramHeaders: changeHeaderAt(2, { type: 4, physicalAddress: 0n }),
    })
    const { contents } = readFile(file)
    assert.deepEqual(
      contents.cpus.map((cpuStatus) => cpuStatus.pid),
      [5, 6, 7],
    )
    assert.equal(contents.vmcoreinfo, undefined)
    assert.equal(contents.loads.length, 1)
  })
})
