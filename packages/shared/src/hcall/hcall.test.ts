import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { fromHex, toHex } from '../units/index.ts'
import {
  allowsWrite,
  decodeHcall,
  decodeHcallReply,
  encodeHcall,
  encodeHcallReply,
  HcallError,
  hcallNameOf,
  hcallReturn,
  hcallToken,
  isTceMapped,
  tceAddress,
  tceOf,
  tcePermission,
} from './index.ts'

suite('a hypervisor call', () => {
  test('is GPR3 and what follows, in big-endian cells of 64 bits', () => {
    const call = { token: 0x20, args: [0x1000_0002n, 0x3000n, 0x0123_4567_8000_0003n] }
    const bytes = '0000000000000020 0000000010000002 0000000000003000 0123456780000003'
    assert.equal(toHex(encodeHcall(call)), bytes.replaceAll(' ', ''))
    assert.deepEqual(decodeHcall(fromHex(bytes.replaceAll(' ', ''))), call)
  })

  test('returns a signed code and registers', () => {
    const reply = { code: -4, outputs: [0xffff_ffff_ffff_f003n] }
    assert.equal(toHex(encodeHcallReply(reply)), 'fffffffffffffffcfffffffffffff003')
    assert.deepEqual(decodeHcallReply(encodeHcallReply(reply)), reply)
  })

  for (const [what, length] of [
    ['no register', 0],
    ['half a register', 12],
    ['an eleventh register', 88],
  ] as const) {
    test(`with ${what} is refused`, () => {
      assert.throws(() => decodeHcall(new Uint8Array(length)), HcallError)
    })
  }

  test('has the tokens and return codes of PAPR', () => {
    assert.deepEqual(hcallToken, {
      H_GET_TCE: 0x1c,
      H_PUT_TCE: 0x20,
      H_STUFF_TCE: 0x138,
      H_PUT_TCE_INDIRECT: 0x13c,
    })
    assert.deepEqual(
      [hcallReturn.H_FUNCTION, hcallReturn.H_PARAMETER, hcallReturn.H_P4, hcallReturn.H_PARTIAL],
      [-2, -4, -57, 5],
    )
    assert.equal(hcallNameOf(0x20), 'H_PUT_TCE')
    assert.equal(hcallNameOf(0x24), undefined)
  })
})

suite('a translation control entry', () => {
  test('is the address of a page of 4 KiB and what the adapter may do there', () => {
    const tce = tceOf(0x1234_5678n, tcePermission.read | tcePermission.write)
    assert.equal(tce, 0x1234_5003n)
    assert.equal(tceAddress(tce), 0x1234_5000n)
    assert.equal(isTceMapped(tce), true)
    assert.equal(isTceMapped(0x1234_5000n), false)
    assert.equal(allowsWrite(0x1234_5002n), true)
    assert.equal(allowsWrite(0x1234_5001n), false)
  })
})
