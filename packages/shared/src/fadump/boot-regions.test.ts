import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { byteLength, GiB, memoryRange, MiB, rangeOf } from '../units/index.ts'
import { bootRegionsFor, kernelProfiles } from './index.ts'
import { modernPlan } from './testing/modern-plan.ts'

const { modern } = kernelProfiles

describe('boot memory with holes', () => {
  const size = byteLength(320n * MiB)
  /** `count` regions of 64 MiB, one each GiB, and a large one behind them. */
  const regions = (count: number) => [
    ...Array.from({ length: count }, (_, index) => rangeOf(BigInt(index) * GiB, 64n * MiB)),
    rangeOf(BigInt(count) * GiB, 4n * GiB),
  ]

  test('is covered region by region; its top counts the holes', () => {
    const boot = bootRegionsFor(regions(2), size, modern)
    assert.deepEqual(boot?.regions, [
      rangeOf(0n, 64n * MiB),
      rangeOf(GiB, 64n * MiB),
      rangeOf(2n * GiB, 192n * MiB),
    ])
    assert.equal(boot?.top, 2n * GiB + 192n * MiB)
  })

  test('comes out short with the arithmetic of Linux, which takes off each region twice', () => {
    const boot = bootRegionsFor(regions(2), size, { ...modern, bootRegionWalk: 'linux' })
    assert.deepEqual(boot?.regions.at(-1), rangeOf(2n * GiB, 64n * MiB))
    const one = bootRegionsFor([memoryRange(0n, GiB)], size, { ...modern, bootRegionWalk: 'linux' })
    assert.deepEqual(one?.regions, [memoryRange(0n, size)])
  })

  test('C087 takes seven regions at most', () => {
    const tiny = (count: number) =>
      modernPlan(0n, {
        memoryRegions: [
          ...Array.from({ length: count }, (_, index) =>
            rangeOf(BigInt(index) * 64n * MiB, 16n * MiB),
          ),
          rangeOf(BigInt(count) * 64n * MiB, 4n * GiB),
        ],
      })
    assert.equal(tiny(6).bootRegions.length, 7)
    assert.equal(tiny(6).isEnabled, true)
    assert.deepEqual(tiny(7).log, ['fadump: Too many holes in boot memory area to enable fadump'])
  })

  test('C082 has its area above the holes', () => {
    const memoryRegions = [rangeOf(0n, 256n * MiB), rangeOf(GiB, 3n * GiB)]
    const reservation = modernPlan(0n, { memoryRegions })
    assert.equal(reservation.bootMemoryTop, GiB + 64n * MiB)
    assert.equal(reservation.area?.start, GiB + 64n * MiB)
  })
})
