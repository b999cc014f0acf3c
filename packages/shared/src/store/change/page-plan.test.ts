import assert from 'node:assert/strict'
import { test } from 'node:test'
import { byteLength, memoryRange, realAddress } from '../../units/index.ts'
import { composeShifted, planPages, type ShiftedRun } from './page-plan.ts'
import { segmentsOf } from './segments.ts'

const K64 = 0x1_0000n

function copy(source: bigint, target: bigint, length: bigint) {
  return {
    source: realAddress(source),
    target: realAddress(target),
    length: byteLength(length),
  }
}

test('later changes cover earlier ones and leave the rest of them in place', () => {
  const segments = segmentsOf({
    clears: [memoryRange(0x1000n, 0x9000n)],
    copies: [copy(0x5_0000n, 0x3000n, 0x4000n)],
    writes: [{ address: realAddress(0x4000n), bytes: Uint8Array.of(1, 2, 3, 4) }],
  })
  assert.deepEqual(
    segments.map(({ start, end, origin }) => [start, end, origin.kind]),
    [
      [0x1000n, 0x3000n, 'zeros'],
      [0x3000n, 0x4000n, 'memory'],
      [0x4000n, 0x4004n, 'bytes'],
      [0x4004n, 0x7000n, 'memory'],
      [0x7000n, 0x9000n, 'zeros'],
    ],
  )
  const after = segments[3]?.origin
  assert.deepEqual(after, { kind: 'memory', source: 0x5_1004n })
})

test('a change that covers several earlier ones replaces them', () => {
  const segments = segmentsOf({
    clears: [memoryRange(0n, 1n), memoryRange(2n, 3n), memoryRange(4n, 9n), memoryRange(1n, 5n)],
  })
  assert.deepEqual(
    segments.map(({ start, end }) => [start, end]),
    [
      [0n, 1n],
      [1n, 5n],
      [5n, 9n],
    ],
  )
})

test('a congruent copy shares its whole pages and composes its ends', () => {
  const plan = planPages(segmentsOf({ copies: [copy(0x1800n, 8n * K64 + 0x1800n, 3n * K64)] }))
  assert.deepEqual(plan.shared, [{ source: 1, target: 9, count: 2 }])
  assert.deepEqual(
    plan.composed.map(({ page, pieces }) => [
      page,
      ...pieces.map(({ at, length }) => [at, length]),
    ]),
    [
      [8, [0x1800, 0xe800]],
      [11, [0, 0x1800]],
    ],
  )
  assert.deepEqual([plan.cleared, plan.shifted], [[], []])
})

test('a copy that is not congruent shifts whole target pages', () => {
  const plan = planPages(segmentsOf({ copies: [copy(0x1000n, 4n * K64, 2n * K64)] }))
  assert.deepEqual(plan.shifted, [{ first: 4, count: 2, source: 0x1000n }])
  assert.deepEqual([plan.composed, plan.shared, plan.cleared], [[], [], []])
})

test('what lies within one page is composed, also when several changes meet there', () => {
  const plan = planPages(
    segmentsOf({
      clears: [memoryRange(0x10n, 0x20n)],
      writes: [
        { address: realAddress(0x100n), bytes: Uint8Array.of(1) },
        { address: realAddress(K64 - 1n), bytes: Uint8Array.of(1, 2) },
      ],
    }),
  )
  assert.deepEqual(
    plan.composed.map(({ page, pieces }) => [page, pieces.length]),
    [
      [0, 3],
      [1, 1],
    ],
  )
})

test('clearing takes whole pages as one run, however many', () => {
  const plan = planPages(segmentsOf({ clears: [memoryRange(1n, 1n << 50n)] }))
  assert.deepEqual(plan.cleared, [{ first: 1, count: 2 ** 34 - 1 }])
  assert.equal(plan.composed.length, 1)
})

test('of a shifted run only the pages with a present source page are composed, each once', () => {
  // Target pages 10 … 19 take bytes from half way into pages 2 … 11, so source page n feeds pages n + 7 and n + 8.
  const run: ShiftedRun = { first: 10, count: 10, source: 2n * K64 + 0x8000n }
  const pages = (sources: number[]) => [...composeShifted(run, sources)].map(({ page }) => page)
  assert.deepEqual(pages([]), [])
  assert.deepEqual(pages([2]), [10])
  assert.deepEqual(pages([3]), [10, 11])
  assert.deepEqual(pages([3, 4, 8]), [10, 11, 12, 15, 16])
  assert.deepEqual(pages([11, 12]), [18, 19])
  assert.deepEqual(pages([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]).length, 10)
})
