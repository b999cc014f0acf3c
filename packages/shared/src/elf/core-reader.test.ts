import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import fc from 'fast-check'
import { concat, equalBytes, fromHex } from '../units/index.ts'
import {
  anyOrder,
  changeHeaderAt,
  chunks,
  inOrder,
  read,
  readFile,
  type Arrival,
} from './core-arrivals.ts'
import { aVmcore, patternAt, recognizableRegisters } from './core-builder.ts'
import { CoreStreamReader } from './core-reader.ts'
import { encodeNote } from './note.ts'
import { encodePrstatusNote } from './prstatus-ppc64.ts'

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
