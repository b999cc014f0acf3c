import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import fc from 'fast-check'
import { concat, equalBytes, fromAscii, fromHex } from '../units/index.ts'
import type { CoreRule } from './core-format-error.ts'
import {
  FlattenedDecoder,
  flattenedEnd,
  flattenedHeader,
  flattenedRecord,
  isFlattened,
} from './flattened.ts'

const record = (offset: bigint, bytes: Uint8Array): Uint8Array =>
  concat([flattenedRecord(offset, bytes.byteLength), bytes])

/** What a stream that arrives in `chunks` makes of a file of `size` bytes. */
function rearrange(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const file = new Uint8Array(size)
  const decoder = new FlattenedDecoder()
  for (const chunk of chunks) {
    for (const piece of decoder.push(chunk)) file.set(piece.chunk, Number(piece.offset))
  }
  decoder.end()
  return file
}

function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const cuts = [0, ...places.map((place) => place % (bytes.byteLength + 1)), bytes.byteLength]
  const sorted = cuts.toSorted((a, b) => a - b)
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end))
}

suite('makedumpfile’s flattened format', () => {
  test('the header is 4096 bytes, big-endian on every machine', () => {
    const header = flattenedHeader()
    assert.equal(header.byteLength, 4096)
    assert.deepEqual(
      header.subarray(0, 48),
      // The first bytes of `makedumpfile -F` 1.7.8 on ppc64le.
      fromHex(`6d616b6564756d7066696c6500000000 00000000000000010000000000000001
               00000000000000000000000000000000`),
    )
    assert.ok(header.subarray(32).every((byte) => byte === 0))
    assert.ok(isFlattened(header))
    assert.ok(!isFlattened(fromHex('7f454c46')))
  })

  test('a record is offset, size and bytes; the stream ends with -1, -1', () => {
    // The first record of `makedumpfile -F -l -d 31`: 464 bytes, the disk dump header, for offset 0.
    assert.deepEqual(flattenedRecord(0n, 464), fromHex('0000000000000000 00000000000001d0'))
    assert.deepEqual(flattenedEnd(), fromHex('ffffffffffffffff ffffffffffffffff'))
  })

  const anyRecords = fc.array(
    fc.record({ offset: fc.nat(5000), bytes: fc.uint8Array({ maxLength: 300 }) }),
    { maxLength: 20 },
  )

  test('a stream gives back the file however it is cut; later records overwrite earlier ones', () => {
    fc.assert(
      fc.property(anyRecords, fc.array(fc.nat(), { maxLength: 30 }), (records, cuts) => {
        const expected = new Uint8Array(5300)
        for (const { offset, bytes } of records) expected.set(bytes, offset)
        const stream = concat([
          flattenedHeader(),
          ...records.map(({ offset, bytes }) => record(BigInt(offset), bytes)),
          flattenedEnd(),
          fromAscii('what follows the end is ignored'),
        ])
        assert.ok(equalBytes(rearrange(cut(stream, cuts), 5300), expected))
      }),
    )
  })

  test('a stream that is cut off anywhere is refused', () => {
    const whole = concat([flattenedHeader(), record(0n, new Uint8Array(100)), flattenedEnd()])
    fc.assert(
      fc.property(fc.nat(whole.byteLength - 1), (length) => {
        const rule: CoreRule = length < 4096 ? 'notFlattened' : 'flattenedEnd'
        assert.throws(() => rearrange([whole.subarray(0, length)], 100), { rule })
      }),
    )
  })

  test('the refusal of a cut stream says how much is missing', () => {
    const stream = concat([flattenedHeader(), record(4096n, new Uint8Array(100))])
    assert.throws(() => rearrange([stream.subarray(0, 4096 + 16 + 30)], 9000), {
      message: /70 bytes missing before offset 4196$/,
    })
  })

  const words = (offset: string, size: string): Uint8Array => fromHex(`${offset} ${size}`)
  const hostile: readonly (readonly [string, Uint8Array, CoreRule])[] = [
    ['a negative size', words('0000000000000000', 'fffffffffffffffe'), 'flattenedRecord'],
    ['size -1 without offset -1', words('0000000000000000', 'ffffffffffffffff'), 'flattenedRecord'],
    ['offset -1 without size -1', words('ffffffffffffffff', '0000000000000010'), 'flattenedRecord'],
    ['a negative offset', words('8000000000000000', '0000000000000010'), 'flattenedRecord'],
    ['an end beyond 2^63 - 1', words('7fffffffffffffff', '0000000000000001'), 'flattenedRecord'],
    ['both -2', words('fffffffffffffffe', 'fffffffffffffffe'), 'flattenedRecord'],
  ]
  for (const [what, bytes, rule] of hostile) {
    test(`a record with ${what} is refused before its bytes are read`, () => {
      assert.throws(() => rearrange([flattenedHeader(), bytes], 100), { rule })
    })
  }

  test('the largest record is accepted as far as its bytes come; none of it is held', () => {
    const decoder = new FlattenedDecoder()
    const start = concat([flattenedHeader(), words('0000000000000000', '7fffffffffffffff')])
    assert.deepEqual([...decoder.push(start)], [])
    const chunk = new Uint8Array(1024)
    for (let count = 0; count < 100; count += 1) {
      const [piece, ...rest] = [...decoder.push(chunk)]
      assert.deepEqual([piece?.offset, rest.length], [BigInt(count) * 1024n, 0])
      assert.equal(piece?.chunk.buffer, chunk.buffer)
    }
    assert.throws(() => decoder.end(), { rule: 'flattenedEnd' })
  })

  test('a record beyond the agreed size of the file is refused', () => {
    const decoder = new FlattenedDecoder({ fileBytesMax: 1000n })
    const fits = concat([flattenedHeader(), flattenedRecord(990n, 10), new Uint8Array(10)])
    assert.equal([...decoder.push(fits)].length, 1)
    assert.throws(() => [...decoder.push(flattenedRecord(991n, 10))], { rule: 'flattenedTooLarge' })
  })

  test('empty records and empty chunks are allowed', () => {
    const chunks = [flattenedHeader(), new Uint8Array(0), flattenedRecord(7n, 0), flattenedEnd()]
    assert.deepEqual(rearrange(chunks, 1), new Uint8Array(1))
  })

  test('another signature, type or version is refused', () => {
    const changed = (offset: number, byte: number): Uint8Array =>
      flattenedHeader().map((value, at) => (at === offset ? byte : value))
    assert.throws(() => rearrange([changed(0, 0x4d)], 1), { rule: 'notFlattened' })
    assert.throws(() => rearrange([changed(23, 2)], 1), { rule: 'flattenedVersion' })
    assert.throws(() => rearrange([changed(31, 2)], 1), { rule: 'flattenedVersion' })
  })

  test('writing a record that no reader accepts is a mistake', () => {
    assert.throws(() => flattenedRecord(-1n, 10), { name: 'InvariantError' })
    assert.throws(() => flattenedRecord(2n ** 63n - 1n, 1), { name: 'InvariantError' })
  })
})
