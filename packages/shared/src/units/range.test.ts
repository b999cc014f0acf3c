import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import fc from 'fast-check'
import { coalesce, intersect, memoryRange, overlaps, subtract, type MemoryRange } from './index.ts'

/** The addresses a list of small ranges covers: the oracle for all range arithmetic. */
const covered = (ranges: readonly MemoryRange[]): Set<bigint> =>
  new Set(
    ranges.flatMap(({ start, end }) =>
      Array.from({ length: Number(end - start) }, (_, index) => start + BigInt(index)),
    ),
  )
const byValue = (a: bigint, b: bigint): number => (a < b ? -1 : 1)
const anyRange = fc
  .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 12 }))
  .map(([start, length]) => memoryRange(BigInt(start), BigInt(start + length)))

suite('half-open ranges of memory', () => {
  test('subtract leaves exactly the addresses of the range that are not in the hole', () => {
    fc.assert(
      fc.property(anyRange, anyRange, (range, hole) => {
        const expected = [...covered([range])].filter((address) => !covered([hole]).has(address))
        const left = [...covered(subtract(range, hole))]
        assert.deepEqual(left.toSorted(byValue), expected.toSorted(byValue))
      }),
    )
  })

  test('intersect and overlaps agree with the common addresses', () => {
    fc.assert(
      fc.property(anyRange, anyRange, (a, b) => {
        const common = [...covered([a])].filter((address) => covered([b]).has(address))
        const found = intersect(a, b)
        assert.deepEqual([...covered(found === undefined ? [] : [found])], common)
        if (a.start < a.end && b.start < b.end) assert.equal(overlaps(a, b), common.length > 0)
      }),
    )
  })

  test('coalesce keeps the addresses and leaves ascending ranges that do not touch', () => {
    fc.assert(
      fc.property(fc.array(anyRange, { maxLength: 8 }), (ranges) => {
        const joined = coalesce(ranges)
        assert.deepEqual(covered(joined), new Set([...covered(ranges)].toSorted(ascending)))
        for (const [index, range] of joined.entries()) {
          const next = joined[index + 1]
          assert.ok(range.start < range.end)
          assert.ok(next === undefined || range.end < next.start)
        }
      }),
    )
  })

  test('a range that ends before it starts is a programmer error', () => {
    assert.throws(() => memoryRange(2n, 1n), { name: 'InvariantError' })
  })
})

function ascending(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}
