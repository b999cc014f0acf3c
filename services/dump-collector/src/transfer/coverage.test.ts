import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { byteLength } from '@fadump-lab/shared/units'
import { Coverage } from './coverage.ts'

type Pair = readonly [offset: number, length: number]

async function* entries(pairs: readonly Pair[]) {
  for (const [offset, length] of pairs) {
    yield { offset: byteLength(offset), length: byteLength(length), sha256: '' }
  }
}

/** Entries [10, 20), [20, 30) and [40, 50). */
async function take(records: readonly Pair[], from = 0): Promise<void> {
  const manifest: readonly Pair[] = [
    [10, 10],
    [20, 10],
    [40, 10],
  ]
  await using coverage = new Coverage(entries(manifest), BigInt(from))
  for (const [offset, length] of records) await coverage.check(BigInt(offset), BigInt(length))
}

suite('bytes of a stream are taken when', () => {
  const taken: readonly [string, readonly Pair[], number?][] = [
    [
      'records are the entries',
      [
        [10, 10],
        [20, 10],
        [40, 10],
      ],
    ],
    [
      'a record spans neighbouring entries',
      [
        [10, 20],
        [40, 10],
      ],
    ],
    [
      'records are parts of entries',
      [
        [10, 1],
        [11, 14],
        [25, 5],
        [49, 1],
      ],
    ],
    ['entries are left out (their verification will tell)', [[40, 10]]],
    [
      'the stream begins within an entry',
      [
        [25, 5],
        [40, 10],
      ],
      25,
    ],
  ]
  for (const [what, records, from] of taken) test(what, () => take(records, from))
})

suite('bytes of a stream are refused when', () => {
  const refused: readonly [string, readonly Pair[], RegExp, number?][] = [
    ['they lie before the first entry', [[9, 1]], /offset 9, where the manifest has no entry/],
    ['they begin a byte before an entry', [[9, 2]], /offset 9/],
    ['they end a byte behind an entry', [[20, 11]], /offset 30/],
    ['they span a hole', [[20, 30]], /offset 30/],
    ['they lie behind the last entry', [[50, 1]], /offset 50/],
    [
      'they come again',
      [
        [10, 10],
        [10, 10],
      ],
      /goes back to offset 10; bytes before 20/,
    ],
    [
      'they overlap the bytes before by one',
      [
        [10, 5],
        [14, 2],
      ],
      /goes back to offset 14/,
    ],
    ['they lie before the offset that was asked for', [[10, 10]], /goes back to offset 10/, 25],
  ]
  for (const [what, records, message, from] of refused) {
    test(what, () => assert.rejects(take(records, from), { name: 'StreamRefusedError', message }))
  }
})
