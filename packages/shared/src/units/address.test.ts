import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import {
  alignDown,
  alignUp,
  byteLength,
  describeLength,
  fromHex,
  isZero,
  realAddress,
  toHex,
  toHostLength,
} from './index.ts'

suite('addresses, lengths and bytes', () => {
  test('64 bits are the limit, exactly', () => {
    assert.equal(realAddress(2n ** 64n - 1n), 2n ** 64n - 1n)
    assert.throws(() => realAddress(2n ** 64n), { name: 'InvariantError' })
    assert.throws(() => byteLength(-1), { name: 'InvariantError' })
  })

  test('alignment rounds to the power of two', () => {
    assert.equal(alignUp(0x14000001n, 0x10000n), 0x14010000n)
    assert.equal(alignUp(0x14010000n, 0x10000n), 0x14010000n)
    assert.equal(alignDown(0x1401ffffn, 0x10000n), 0x14010000n)
  })

  test('a wire length becomes a host number only below its bound', () => {
    assert.equal(toHostLength(4096n, 4096), 4096)
    assert.throws(() => toHostLength(4097n, 4096), { name: 'InvariantError' })
  })

  test('lengths are told in the largest exact unit', () => {
    assert.deepEqual([320n << 20n, 1n << 40n, 4097n, 0n].map(describeLength), [
      '320 MiB',
      '1 TiB',
      '4097 bytes',
      '0 bytes',
    ])
  })

  test('hexadecimal text that is none is refused', () => {
    assert.equal(toHex(fromHex('00 ff\nA0')), '00ffa0')
    assert.throws(() => fromHex('0g'), RangeError)
    assert.throws(() => fromHex('abc'), RangeError)
  })

  test('one set bit anywhere makes bytes non-zero', () => {
    const bytes = new Uint8Array(200_000)
    assert.equal(isZero(bytes), true)
    for (const at of [0, 65_535, 65_536, 199_999]) {
      bytes[at] = 1
      assert.equal(isZero(bytes), false, `byte ${at}`)
      bytes[at] = 0
    }
  })
})
