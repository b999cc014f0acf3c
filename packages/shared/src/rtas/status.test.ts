import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { toHex } from '../units/index.ts'
import {
  describeRtasStatus,
  rtasDelayMs,
  rtasServiceOf,
  rtasServices,
  rtasStatuses,
  rtasToken,
  rtasTokenProperties,
} from './index.ts'

describe('RTAS status codes', () => {
  test('busy and extended delays say how long to wait, everything else is final', () => {
    assert.deepEqual(
      [-2, 9900, 9901, 9902, 9903, 9904, 9905].map(rtasDelayMs),
      [1, 1, 10, 100, 1000, 10_000, 100_000],
    )
    assert.deepEqual([0, -1, -3, -9, -10, 9906, 1].map(rtasDelayMs), Array(7).fill(undefined))
  })

  test('are described by their meaning', () => {
    assert.equal(describeRtasStatus(-9), '-9 (A dump is already registered)')
    assert.equal(describeRtasStatus(-3), '-3 (Parameter error)')
    assert.equal(describeRtasStatus(-77), '-77 (unknown status)')
  })

  test('stand once each in the table', () => {
    assert.equal(new Set(rtasStatuses.map((row) => row.code)).size, rtasStatuses.length)
  })
})

describe('RTAS services', () => {
  test('have the tokens that a pseries machine announces', () => {
    assert.deepEqual(
      rtasServices.map(({ name, token }) => [name, token]),
      [
        ['display-character', 0x2000],
        ['power-off', 0x2003],
        ['system-reboot', 0x2004],
        ['ibm,os-term', 0x201f],
        ['ibm,nmi-register', 0x202b],
        ['ibm,nmi-interlock', 0x202c],
        ['ibm,configure-kernel-dump', 0x202d],
      ],
    )
  })

  test('are found by token and by name', () => {
    assert.equal(rtasToken('ibm,os-term'), 0x201f)
    assert.equal(rtasServiceOf(0x202d), 'ibm,configure-kernel-dump')
    assert.equal(rtasServiceOf(0x2999), undefined)
  })

  test('are announced as one-cell properties', () => {
    const properties = rtasTokenProperties(['ibm,os-term', 'power-off'])
    assert.deepEqual(
      [...properties].map(([name, value]) => [name, toHex(value)]),
      [
        ['power-off', '00002003'],
        ['ibm,os-term', '0000201f'],
      ],
    )
  })
})
