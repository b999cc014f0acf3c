import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { toHex } from '../units/index.ts'
import {
  decodePtRegs,
  emptyPtRegs,
  encodePtRegs,
  gprIndexOf,
  kernelProfiles,
  namedRegistersOfPtRegs,
  ptRegsIndex,
  ptRegsNames,
  ptRegsOfEntries,
  registerId,
} from './index.ts'

const { v5, modern } = kernelProfiles

describe('pt_regs', () => {
  test('has the registers where NT_PRSTATUS shows them', () => {
    assert.equal(ptRegsNames.length, 48)
    assert.deepEqual([ptRegsNames[0], ptRegsNames[1], ptRegsNames[31]], ['gpr0', 'gpr1', 'gpr31'])
    assert.deepEqual(ptRegsNames.slice(32), [
      'nip',
      'msr',
      'orig_gpr3',
      'ctr',
      'link',
      'xer',
      'ccr',
      'softe',
      'trap',
      'dar',
      'dsisr',
      'result',
      'ppr',
      'exit_result',
      'amr',
      'iamr',
    ])
    assert.equal(ptRegsNames[ptRegsIndex.dsisr], 'dsisr')
    assert.equal(ptRegsNames[ptRegsIndex.origGpr3], 'orig_gpr3')
    assert.equal(ptRegsNames[ptRegsIndex.iamr], 'iamr')
  })

  test('is 352 bytes in v5 and 384 in modern', () => {
    assert.equal(encodePtRegs(emptyPtRegs(v5), 'big').byteLength, 352)
    assert.equal(encodePtRegs(emptyPtRegs(modern), 'little').byteLength, 384)
  })

  test('is stored in the kernel’s byte order', () => {
    assert.equal(toHex(encodePtRegs([1n], 'big')), '0000000000000001')
    assert.equal(toHex(encodePtRegs([1n], 'little')), '0100000000000000')
    assert.deepEqual(decodePtRegs(encodePtRegs([1n, 2n], 'little'), 'little'), [1n, 2n])
  })

  test('takes exactly the registers Linux understands from a save area', () => {
    const named = {
      GPR00: 100n,
      GPR31: 131n,
      NIA: 1n,
      MSR: 2n,
      CTR: 3n,
      LR: 4n,
      XER: 5n,
      CR: 6n,
      DAR: 7n,
      DSISR: 8n,
    }
    const entries = Object.entries(named).map(([name, value]) => ({ id: registerId(name), value }))
    const expected = emptyPtRegs(modern)
    Object.assign(expected, {
      0: 100n,
      31: 131n,
      32: 1n,
      33: 2n,
      35: 3n,
      36: 4n,
      37: 5n,
      38: 6n,
      41: 7n,
      42: 8n,
    })
    assert.deepEqual(ptRegsOfEntries(entries, modern), expected)
    const back = namedRegistersOfPtRegs(expected)
    for (const [name, value] of Object.entries(named)) assert.equal(back[name], value)
    assert.equal(Object.keys(back).length, 40)
  })

  test('C056 unknown identifiers are skipped without an error', () => {
    const entries = ['FPR00', 'DEC', 'X-GPR00', 'NONSENSE', 'GPRS'].map((name) => ({
      id: registerId(name),
      value: 9n,
    }))
    assert.deepEqual(ptRegsOfEntries(entries, modern), emptyPtRegs(modern))
  })

  test('C057 a GPR above 31 is ignored', () => {
    const entries = ['GPR32', 'GPR99'].map((name) => ({ id: registerId(name), value: 9n }))
    assert.deepEqual(ptRegsOfEntries(entries, v5), emptyPtRegs(v5))
    assert.deepEqual(ptRegsOfEntries(entries, modern), emptyPtRegs(modern))
  })

  test('C057 the digits of a GPR are read leniently by 3.4, strictly today', () => {
    const read = (name: string): (number | undefined)[] => [
      gprIndexOf(registerId(name), 'sscanf'),
      gprIndexOf(registerId(name), 'kstrtoint'),
    ]
    assert.deepEqual(read('GPR00'), [0, 0])
    assert.deepEqual(read('GPR31'), [31, 31])
    assert.deepEqual(read('GPR3x'), [3, undefined])
    assert.deepEqual(read('GPR3'), [3, 3])
    assert.deepEqual(read('GPRx3'), [undefined, undefined])
    assert.deepEqual(read('GPR-1'), [undefined, undefined])
    assert.deepEqual(read('FPR00'), [undefined, undefined])
  })
})
