import assert from 'node:assert/strict'
import test from 'node:test'
import { readSoakFaultWord, soakFaultWord } from './soak-fault-words.ts'
import { soakFault } from './soak.ts'

const words = [
  ['bit-rot', { name: 'bit-rot' }],
  ['crash-loop~3', { name: 'crash-loop', times: 3 }],
  ['os-term-status=-2', { name: 'os-term-status', value: -2 }],
  [
    'connection-reset@readVmcore=70000/dump-collector',
    { name: 'connection-reset', at: 'readVmcore', value: 70_000, service: 'dump-collector' },
  ],
  [
    'process-abort@events.append:stored=1/dump-collector~2',
    {
      name: 'process-abort',
      at: 'events.append:stored',
      value: 1,
      service: 'dump-collector',
      times: 2,
    },
  ],
] as const

for (const [text, fault] of words) {
  test(`${text} is a fault of a soak, and is written so`, () => {
    assert.deepEqual(readSoakFaultWord(text), fault)
    assert.equal(soakFaultWord(soakFault.parse(fault)), text)
  })
}

for (const text of ['', '@readVmcore', 'latency=soon', 'latency@a@b', 'latency~']) {
  test(`${JSON.stringify(text)} is no fault of a soak`, () => {
    assert.equal(readSoakFaultWord(text), undefined)
  })
}
