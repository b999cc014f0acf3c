import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { contains, GiB, memoryRange, MiB, overlaps, rangeOf, realAddress } from '../units/index.ts'
import {
  bootCopyRange,
  crashMemoryRanges,
  kernelProfiles,
  relocate,
  type CrashMemoryInput,
} from './index.ts'

const { v5, modern } = kernelProfiles
const boot = memoryRange(0n, 0x1400_0000n)

/** 4 GiB, area at the top: the worked example. */
const top: CrashMemoryInput = {
  profile: v5,
  memoryRegions: [memoryRange(0n, 4n * GiB)],
  bootRegions: [boot],
  bootDestination: realAddress(0xebff_37a0n),
  area: memoryRange(0xebff_0000n, 4n * GiB),
}
/** 1 GiB as recorded: area [0x14000000, +0x140102a8). */
const lowest: CrashMemoryInput = {
  profile: modern,
  memoryRegions: [memoryRange(0n, GiB)],
  bootRegions: [boot],
  bootDestination: realAddress(0x1401_0000n),
  area: rangeOf(0x1400_0000n, 0x1401_02a8n),
}

function rowsOf(input: CrashMemoryInput): bigint[][] {
  return crashMemoryRanges(input).map(({ range, savedAt }) => [
    range.start,
    range.end - range.start,
    savedAt,
  ])
}

describe('the crash memory ranges of v5', () => {
  test('C103 are boot memory, now in the copy, and the rest up to the area, where it was', () => {
    assert.deepEqual(rowsOf(top), [
      [0n, 0x1400_0000n, 0xebff_37a0n],
      [0x1400_0000n, 0xd7ff_0000n, 0x1400_0000n],
    ])
  })

  test('C103 an area in the middle splits a region in two', () => {
    const area = memoryRange(0x6000_0000n, 0x7500_0000n)
    assert.deepEqual(rowsOf({ ...top, area }).slice(1), [
      [0x1400_0000n, 0x4c00_0000n, 0x1400_0000n],
      [0x7500_0000n, 0x8b00_0000n, 0x7500_0000n],
    ])
  })

  test('C103 an area that swallows a region leaves no empty range', () => {
    const memoryRegions = [memoryRange(0n, 0x1400_0000n), memoryRange(0xebff_0000n, 4n * GiB)]
    assert.deepEqual(rowsOf({ ...top, memoryRegions }), [[0n, 0x1400_0000n, 0xebff_37a0n]])
  })

  test('a first region below boot memory appears twice, as in Linux 3.4', () => {
    const memoryRegions = [memoryRange(0n, 256n * MiB), memoryRange(GiB, 4n * GiB)]
    assert.deepEqual(rowsOf({ ...top, memoryRegions }), [
      [0n, 0x1400_0000n, 0xebff_37a0n],
      [0n, 0x1000_0000n, 0xebff_37a0n],
      [0x4000_0000n, 0xabff_0000n, 0x4000_0000n],
    ])
  })

  test('an address in boot memory is relocated, 0 is not', () => {
    assert.equal(relocate(top, realAddress(1n)), 0xebff_37a1n)
    assert.equal(relocate(top, realAddress(0x13ff_ffffn)), 0xffff_379fn)
    assert.equal(relocate(top, realAddress(0n)), 0n)
    assert.equal(relocate(top, realAddress(0x1400_0000n)), 0x1400_0000n)
  })
})

describe('the crash memory ranges of modern', () => {
  test('C103 of 1, 2 and 4 GiB are the loads of the recorded vmcores', () => {
    assert.deepEqual(rowsOf(lowest), [
      [0n, 0x1400_0000n, 0x1401_0000n],
      [0x2801_02a8n, 0x17fe_fd58n, 0x2801_02a8n],
    ])
    assert.deepEqual(rowsOf({ ...lowest, memoryRegions: [memoryRange(0n, 2n * GiB)] })[1], [
      0x2801_02a8n,
      0x57fe_fd58n,
      0x2801_02a8n,
    ])
    const large = {
      ...lowest,
      memoryRegions: [memoryRange(0n, 4n * GiB)],
      bootRegions: [memoryRange(0n, 0x2000_0000n)],
      area: rangeOf(0x2000_0000n, 0x2001_02a8n),
    }
    assert.deepEqual(rowsOf(large)[1], [0x4001_02a8n, 0xbffe_fd58n, 0x4001_02a8n])
  })

  test('memory that was added before the crash is there, joined to its neighbour', () => {
    const memoryRegions = [memoryRange(0n, 2n * GiB), memoryRange(2n * GiB, 3n * GiB)]
    assert.deepEqual(rowsOf({ ...lowest, memoryRegions })[1], [
      0x2801_02a8n,
      0x97fe_fd58n,
      0x2801_02a8n,
    ])
  })

  test('each boot region has a load of its own, its copies lie behind each other', () => {
    const bootRegions = [memoryRange(0n, 256n * MiB), rangeOf(GiB, 64n * MiB)]
    const memoryRegions = [memoryRange(0n, 256n * MiB), memoryRange(GiB, 4n * GiB)]
    const area = rangeOf(0x4400_0000n, 0x1401_02a8n)
    const holes = {
      ...lowest,
      bootRegions,
      memoryRegions,
      area,
      bootDestination: realAddress(0x4401_0000n),
    }
    assert.deepEqual(rowsOf(holes), [
      [0n, 0x1000_0000n, 0x4401_0000n],
      [0x4000_0000n, 0x0400_0000n, 0x5401_0000n],
      [0x5801_02a8n, 0xa7fe_fd58n, 0x5801_02a8n],
    ])
    assert.equal(relocate(holes, realAddress(0x4000_0010n)), 0x5401_0010n)
    assert.equal(relocate(holes, realAddress(0x3000_0000n)), 0x3000_0000n)
  })

  test('the VMCOREINFO note of the recorded crash is relocated from 0x27a0000 to 0x167b0000', () => {
    assert.equal(relocate(lowest, realAddress(0x27a_0000n)), 0x167b_0000n)
    assert.equal(relocate(lowest, realAddress(0n)), 0x1401_0000n)
  })
})

test('C103 no range touches the reserved dump area, and ranges do not overlap where boot memory is whole', () => {
  const mebibytes = (max: number) => fc.nat(max).map((count) => BigInt(count) * MiB)
  fc.assert(
    fc.property(
      fc.constantFrom(v5, modern),
      mebibytes(8192),
      mebibytes(7000),
      (profile, size, at) => {
        const memory = memoryRange(0n, GiB + size)
        const area = rangeOf(boot.end + at, 0x1401_02a8n)
        const input = { ...lowest, profile, memoryRegions: [memory], area }
        const ranges = crashMemoryRanges(input)
        for (const [index, { range }] of ranges.entries()) {
          assert.ok(contains(memory, range))
          assert.ok(!overlaps(range, area))
          assert.ok(ranges.slice(index + 1).every((other) => !overlaps(range, other.range)))
        }
      },
    ),
  )
  assert.deepEqual(bootCopyRange(top), rangeOf(0xebff_37a0n, 0x1400_0000n))
})
