/** Which memory lies behind a range of the file. */
import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import fc from 'fast-check'
import {
  byteLength,
  concat,
  equalBytes,
  memoryRange,
  rangeOf,
  realAddress,
  type MemoryRange,
} from '../units/index.ts'
import { patternAt, TestMemory } from './core-builder.ts'
import { decodeCoreHeaders, encodeCoreHeaders } from './core-headers.ts'
import { memoryRangesOf, piecesOf, populatedFileRanges } from './vmcore-lookup.ts'
import {
  modernVmcoreLayout,
  planVmcore,
  v5VmcoreLayout,
  type VmcoreLayout,
  type VmcorePlan,
} from './vmcore-plan.ts'

suite('looking up file ranges', () => {
  const memory = new TestMemory()
  for (const at of [0x0n, 0x3_0000n, 0x10_0000n]) {
    memory.apply([{ address: at, bytes: patternAt(at, 0x2_0000) }])
  }
  const small = decodeCoreHeaders(
    encodeCoreHeaders({
      order: 'big',
      flags: 0,
      notes: [{ address: realAddress(0x11_0000), length: byteLength(1048) }],
      loads: [
        { physical: realAddress(0), address: realAddress(0x3_0000), length: byteLength(0x1_2345) },
        {
          physical: realAddress(0x10_02a8),
          address: realAddress(0x10_02a8),
          length: byteLength(0x8000),
        },
      ],
    }),
  )
  const layouts: readonly VmcoreLayout[] = [v5VmcoreLayout, modernVmcoreLayout(4096)]
  const plans = layouts.map((layout) => planVmcore(small, [1048], layout))
  const anyPlan = fc.constantFrom(...plans)
  const anyRange = (plan: VmcorePlan): fc.Arbitrary<MemoryRange> =>
    fc
      .tuple(fc.bigInt(0n, plan.size + 10n), fc.bigInt(0n, plan.size + 10n))
      .map(([a, b]) => (a < b ? memoryRange(a, b) : memoryRange(b, a)))
  const planAndRange = anyPlan.chain((plan) => fc.tuple(fc.constant(plan), anyRange(plan)))

  test('the pieces of a range are its bytes of the whole file, in order and without gaps', () => {
    const files = new Map(plans.map((plan) => [plan, render(plan, rangeOf(0n, plan.size), memory)]))
    fc.assert(
      fc.property(planAndRange, ([plan, range]) => {
        const whole = files.get(plan) ?? assert.fail()
        const part = whole.subarray(Number(range.start), Number(range.end))
        assert.ok(equalBytes(render(plan, range, memory), part))
      }),
    )
  })

  test('beyond the end and within an empty range there is nothing', () => {
    for (const plan of plans) {
      assert.deepEqual(piecesOf(plan, rangeOf(plan.size, 10n)), [])
      assert.deepEqual(piecesOf(plan, rangeOf(5n, 0n)), [])
      assert.equal(piecesOf(plan, rangeOf(plan.size - 1n, 10n))[0]?.length, 1n)
    }
  })

  test('a byte that is in no populated range of the file is zero, and the headers are always in one', () => {
    const page = fc.nat(0x13).map((number) => rangeOf(BigInt(number) * 0x1_0000n, 0x1_0000n))
    fc.assert(
      fc.property(
        anyPlan,
        fc.uniqueArray(page, { selector: (range) => range.start }),
        (plan, pages) => {
          const populated = pages.toSorted((a, b) => Number(a.start - b.start))
          const sparse = new TestMemory()
          for (const { start } of populated) {
            sparse.apply([{ address: start, bytes: patternAt(start, 0x1_0000) }])
          }
          const ranges = populatedFileRanges(plan, populated)
          const file = render(plan, rangeOf(0n, plan.size), sparse)
          const sieve = new Uint8Array(file.byteLength)
          for (const { start, end } of ranges) {
            sieve.set(file.subarray(Number(start), Number(end)), Number(start))
          }
          assert.ok(equalBytes(sieve, file))
          const headersEnd = plan.segments[0]?.length ?? 0n
          assert.ok(ranges[0] && ranges[0].start === 0n && ranges[0].end >= headersEnd)
          assert.ok(
            ranges.every((range, at) => at === 0 || (ranges[at - 1]?.end ?? 0n) < range.start),
          )
        },
      ),
    )
  })

  test('fully populated memory makes exactly the parts that are not fill', () => {
    const [tight, paged] = plans
    assert.ok(tight && paged)
    const everything = [memoryRange(0n, 0x20_0000n)]
    assert.deepEqual(populatedFileRanges(tight, everything), [memoryRange(0n, tight.size)])
    assert.deepEqual(populatedFileRanges(paged, everything), [
      memoryRange(0n, 64n + 3n * 56n),
      memoryRange(0x1000n, 0x1000n + 1048n),
      memoryRange(0x2000n, paged.size),
    ])
  })

  test('the memory that the file shows is known in advance', () => {
    assert.deepEqual(memoryRangesOf(plans[1] ?? assert.fail()), [
      memoryRange(0x3_0000n, 0x4_3000n),
      memoryRange(0x10_0000n, 0x10_9000n),
      memoryRange(0x11_0000n, 0x11_0000n + 1048n),
    ])
  })
})

function render(plan: VmcorePlan, range: MemoryRange, memory: TestMemory): Uint8Array {
  let expected: bigint = range.start
  const parts = piecesOf(plan, range).map(({ fileOffset, length, source }) => {
    assert.equal(fileOffset, expected)
    expected += length
    if (source.from === 'bytes') return source.bytes
    if (source.from === 'zeros') return new Uint8Array(Number(length))
    return memory.bytes(source.address, Number(length))
  })
  return concat(parts)
}
