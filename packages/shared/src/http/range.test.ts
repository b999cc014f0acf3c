import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { contentRange, parseRange } from './range.ts'

suite('byte ranges of RFC 9110', () => {
  const rows: readonly [string | undefined, [bigint, bigint] | undefined][] = [
    [undefined, undefined],
    ['bytes=0-0', [0n, 1n]],
    ['bytes=0-499', [0n, 500n]],
    ['bytes=500-', [500n, 1000n]],
    ['bytes=-1', [999n, 1000n]],
    ['bytes=-5000', [0n, 1000n]],
    ['bytes=999-5000', [999n, 1000n]],
    ['bytes=0-1,5-6', undefined],
    ['lines=0-1', undefined],
    ['bytes=-', undefined],
  ]
  for (const [header, expected] of rows) {
    test(`${header} of 1000 bytes is ${expected?.join(' to ') ?? 'everything'}`, () => {
      const range = parseRange(header, 1000n)
      assert.deepEqual(range && [range.start, range.end], expected)
    })
  }
  for (const header of ['bytes=1000-', 'bytes=5-4', 'bytes=-0']) {
    test(`${header} of 1000 bytes cannot be satisfied`, () => {
      assert.throws(() => parseRange(header, 1000n), { slug: 'range-not-satisfiable' })
    })
  }
  test('beyond 2^53 the positions stay exact', () => {
    const size = 2n ** 60n
    const range = parseRange('bytes=9007199254740993-9007199254740993', size)
    assert.deepEqual(range, { start: 9_007_199_254_740_993n, end: 9_007_199_254_740_994n })
    assert.equal(
      range && contentRange(range, size),
      `bytes 9007199254740993-9007199254740993/${size}`,
    )
  })
})
