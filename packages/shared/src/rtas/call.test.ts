import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fromHex, toHex } from '../units/index.ts'
import {
  decodeRtasCall,
  decodeRtasReturns,
  encodeRtasCall,
  encodeRtasReply,
  RtasCallError,
} from './index.ts'

/** Register: command 1, structure at 0x02a3f000, 200 bytes. */
const registerCall = { token: 0x202d, args: [1, 0x02a3_f000, 200], returnCount: 1 }
const registerBytes = '0000202d 00000003 00000001 00000001 02a3f000 000000c8 00000000'.replaceAll(
  ' ',
  '',
)

describe('an RTAS argument buffer', () => {
  test('is token, nargs, nret, arguments and returns in big-endian cells', () => {
    assert.equal(toHex(encodeRtasCall(registerCall)), registerBytes)
    assert.deepEqual(decodeRtasCall(fromHex(registerBytes)), registerCall)
  })

  test('carries its status as a signed return cell', () => {
    const reply = encodeRtasReply(registerCall, [-3])
    assert.equal(toHex(reply).slice(-8), 'fffffffd')
    assert.deepEqual(decodeRtasReturns(reply), [-3])
    assert.deepEqual(decodeRtasReturns(encodeRtasReply(registerCall, [9905])), [9905])
  })

  test('has no place for a status when the caller provides no return cell', () => {
    const call = { token: 1, args: [5], returnCount: 0 }
    assert.deepEqual(decodeRtasReturns(encodeRtasReply(call, [-3])), [])
  })

  test('leaves return cells beyond the given values zero', () => {
    const call = { token: 1, args: [], returnCount: 3 }
    assert.deepEqual(decodeRtasReturns(encodeRtasReply(call, [0, 7])), [0, 7, 0])
  })

  test('holds 16 arguments and returns together, and no more', () => {
    const args = Array.from({ length: 15 }, (_, index) => index)
    const full = { token: 1, args, returnCount: 1 }
    assert.deepEqual(decodeRtasCall(encodeRtasCall(full)), full)
    assert.throws(() => encodeRtasCall({ ...full, returnCount: 2 }), /exceed the 16 cells/)
  })

  for (const [what, bytes, message] of [
    ['8 bytes', '0000202d 00000000', /at least token, nargs and nret/],
    [
      'a count too many',
      '0000202d 00000002 00000001 00000001 00000000',
      /make 6 cells, the buffer has 5/,
    ],
    ['a cell too many', '0000202d 00000000 00000000 00000000', /make 3 cells, the buffer has 4/],
    ['17 cells announced', '0000202d 00000011 00000000', /exceed the 16 cells/],
    ['half a cell', '0000202d 00000000 00000000 0000', /whole cells/],
  ] as const) {
    test(`with ${what} is refused`, () => {
      assert.throws(
        () => decodeRtasCall(fromHex(bytes)),
        (error) => error instanceof RtasCallError && message.test(error.message),
      )
    })
  }

  test('longer than 19 cells is refused before it is read', () => {
    assert.throws(() => decodeRtasCall(new Uint8Array(80)), /at most 19 whole cells/)
  })

  test('takes no argument beyond 32 bits', () => {
    assert.throws(() => encodeRtasCall({ token: 1, args: [2 ** 32], returnCount: 1 }), RangeError)
  })
})
