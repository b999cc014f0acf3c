import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import fc from 'fast-check'
import { BoundedRanges } from './bounded-ranges.ts'

const asNumbers = (ranges: BoundedRanges) =>
  ranges.ranges.map(({ offset, length }) => [Number(offset), Number(length)])

suite('missing ranges', () => {
  test('that touch are one range; others are told exactly', () => {
    const ranges = new BoundedRanges(3)
    ranges.add(0n, 4n)
    ranges.add(4n, 6n)
    ranges.add(9n, 10n)
    assert.deepEqual(asNumbers(ranges), [
      [0, 6],
      [9, 1],
    ])
  })

  test('beyond the bound are joined where the gap is smallest', () => {
    const ranges = new BoundedRanges(2)
    ranges.add(0n, 10n)
    ranges.add(20n, 30n)
    ranges.add(33n, 40n)
    assert.deepEqual(asNumbers(ranges), [
      [0, 10],
      [20, 20],
    ])
  })

  test('are never left out, and never more than the bound', () => {
    const steps = fc.array(fc.tuple(fc.nat(5), fc.integer({ min: 1, max: 5 })), { maxLength: 40 })
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 6 }), (gaps, countMax) => {
        const ranges = new BoundedRanges(countMax)
        const missing = new Set<number>()
        let end = 0
        for (const [gap, length] of gaps) {
          const start = end + gap
          end = start + length
          ranges.add(BigInt(start), BigInt(end))
          for (let byte = start; byte < end; byte++) missing.add(byte)
        }
        const told = new Set<number>()
        for (const [offset = 0, length = 0] of asNumbers(ranges)) {
          for (let byte = offset; byte < offset + length; byte++) told.add(byte)
        }
        assert.ok(asNumbers(ranges).length <= countMax)
        assert.deepEqual(
          [...missing].filter((byte) => !told.has(byte)),
          [],
        )
      }),
    )
  })
})
