import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryRange } from '../units/index.ts'
import { joinPages } from './page-ranges.ts'

test('neighbours are joined, and the rest is told by where to go on', () => {
  assert.deepEqual(joinPages([], 1), { ranges: [] })
  assert.deepEqual(joinPages([0, 1, 2], 1), { ranges: [memoryRange(0n, 0x3_0000n)] })
  assert.deepEqual(joinPages([1, 3, 4, 9], 2), {
    ranges: [memoryRange(0x1_0000n, 0x2_0000n), memoryRange(0x3_0000n, 0x5_0000n)],
    next: 0x9_0000n,
  })
})
