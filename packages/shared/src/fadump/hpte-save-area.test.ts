import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { byteLength, InvariantError, isZero, toHex, viewOf } from '../units/index.ts'
import { hpteSaveAreaLength, readHpteSaveArea, writeHpteSaveArea } from './index.ts'

const entries = [
  { index: 0x3fn, dword0: 0x4000_0000_0000_0005n, dword1: 0x1000_0196n },
  { index: 7n, dword0: 1n, dword1: 2n },
]

describe('the HPTE save area', () => {
  test('is HPTESAVE, version 0, the count at 0x18 and entries of 24 bytes from 0x20', () => {
    const area = writeHpteSaveArea(entries)
    assert.equal(hpteSaveAreaLength, 0x1000n)
    assert.equal(area.byteLength, 0x1000)
    assert.equal(
      toHex(area.subarray(0, 0x38)),
      '4850544553415645' +
        '00000000' +
        '00000018' +
        '0000000000000000' +
        '0000000000000002' +
        '000000000000003f' +
        '4000000000000005' +
        '0000000010000196',
    )
    assert.ok(isZero(area.subarray(0x20 + 48)))
    assert.deepEqual(readHpteSaveArea(area), entries)
  })

  test('of 4 KiB has room for 169 entries', () => {
    const many = Array.from({ length: 169 }, (_, index) => ({
      ...entries[0],
      index: BigInt(index),
      dword0: 0n,
      dword1: 0n,
    }))
    assert.equal(readHpteSaveArea(writeHpteSaveArea(many)).length, 169)
    assert.throws(() => writeHpteSaveArea([...many, ...entries]), InvariantError)
    assert.throws(() => writeHpteSaveArea([], byteLength(0)), InvariantError)
  })

  test('with another magic or a count beyond its end is refused', () => {
    const other = writeHpteSaveArea(entries)
    other[0] = 0
    assert.throws(() => readHpteSaveArea(other), /no HPTESAVE magic/)
    const beyond = writeHpteSaveArea(entries)
    viewOf(beyond).setBigUint64(0x18, 170n)
    assert.throws(
      () => readHpteSaveArea(beyond),
      /170 page table entries, the area has room for 169/,
    )
  })
})
