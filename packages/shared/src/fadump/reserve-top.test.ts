import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { aGoodDump, aSection } from '../../../../test/fixtures/dump-structures.ts'
import { byteLength, GiB, isAligned, memoryRange, MiB, rangeLength, TiB } from '../units/index.ts'
import {
  kernelProfiles,
  planReservation,
  registerSaveAreaLength,
  type ReservationInput,
  type ReservationPlan,
} from './index.ts'

const { v5 } = kernelProfiles

/** A v5 partition of `memory` bytes; HPTE 0x1000 and 64 KiB pages as in the documentation. */
function plan(memory: bigint, overrides: Partial<ReservationInput> = {}): ReservationPlan {
  return planReservation({
    profile: v5,
    memoryRegions: [memoryRange(0n, memory)],
    rmaSize: byteLength(256n * MiB),
    bootArguments: 'fadump=on',
    isSupported: true,
    cpuStateSize: byteLength(0x27a0),
    hpteSize: byteLength(0x1000),
    ...overrides,
  })
}

describe('boot memory of v5', () => {
  test('C070 4 GiB give 0x14000000', () => {
    assert.equal(plan(4n * GiB).bootMemorySize, 0x1400_0000n)
  })

  test('C071 2 GiB give 0x14000000', () => {
    assert.equal(plan(2n * GiB).bootMemorySize, 0x1400_0000n)
  })

  test('C072 1 TiB gives 0xcc0000000', () => {
    assert.equal(plan(TiB).bootMemorySize, 0xcc0000000n)
  })

  test('C073 just below 10 GiB gives 320 MiB, 10 GiB gives 512 MiB', () => {
    assert.equal(plan(10n * GiB - 10n * MiB).bootMemorySize, 320n * MiB)
    assert.equal(plan(10n * GiB).bootMemorySize, 512n * MiB)
  })

  test('C074 an RMA of 512 MiB gives 576 MiB, one of 1 GiB gives 1088 MiB', () => {
    const withRma = (rma: bigint): bigint =>
      plan(8n * GiB, { rmaSize: byteLength(rma) }).bootMemorySize
    assert.equal(withRma(128n * MiB), 320n * MiB)
    assert.equal(withRma(512n * MiB), 576n * MiB)
    assert.equal(withRma(1024n * MiB), 1088n * MiB)
  })

  test('C075 fadump_reserve_mem= is taken as it is, unaligned and below any floor', () => {
    const reserved = (argument: string): bigint =>
      plan(4n * GiB, { bootArguments: `fadump=on fadump_reserve_mem=${argument}` }).bootMemorySize
    assert.equal(reserved('128M'), 128n * MiB)
    assert.equal(reserved('0x10001'), 0x1_0001n)
    assert.equal(reserved('1G'), GiB)
  })

  test('is 5 % of the top address, holes included, but never more than mem=', () => {
    const memoryRegions = [memoryRange(0n, 8n * GiB), memoryRange(16n * GiB, 20n * GiB)]
    assert.equal(plan(0n, { memoryRegions }).bootMemorySize, 1024n * MiB)
    const limited = plan(TiB, { bootArguments: 'fadump=on mem=1G' })
    assert.equal(limited.bootMemorySize, GiB)
  })
})

describe('the reserved dump area of v5', () => {
  const cases: readonly (readonly [
    what: string,
    memory: bigint,
    cpuState: bigint,
    size: bigint,
    start: bigint,
  ])[] = [
    ['4 GiB, 8 CPUs', 4n * GiB, 0x27a0n, 0x1401_0000n, 0xebff_0000n],
    ['4 GiB, 8 CPUs of 8 KiB', 4n * GiB, 0x1_0020n, 0x1402_0000n, 0xebfe_0000n],
    ['2 GiB, 20 CPUs', 2n * GiB, 0x62e0n, 0x1401_0000n, 0x6bff_0000n],
    ['2 GiB, 20 CPUs of 8 KiB', 2n * GiB, 0x2_8020n, 0x1403_0000n, 0x6bfd_0000n],
    ['1 TiB, 896 CPUs', TiB, 0x11_4820n, 0xcc0120000n, 0xf33fee0000n],
    ['1 TiB, 896 CPUs of 8 KiB', TiB, 0x70_0020n, 0xcc0710000n, 0xf33f8f0000n],
  ]
  for (const [what, memory, cpuState, size, start] of cases) {
    test(`C077 of ${what} is whole pages at the top of memory`, () => {
      const { area } = plan(memory, { cpuStateSize: byteLength(cpuState) })
      assert.deepEqual(area, memoryRange(start, start + size))
      assert.ok(isAligned(area?.start ?? 1n, v5.pageSize))
      assert.equal(area?.end, memory)
    })
  }

  test('the 8 KiB model is what our firmware advertises', () => {
    assert.deepEqual(
      [8, 20, 896].map((cpus) => registerSaveAreaLength(cpus)),
      [0x1_0020n, 0x2_8020n, 0x70_0020n],
    )
  })

  test('C076 before v5 the floor was 256 MiB: the example of the documentation comes out', () => {
    const profile = { ...v5, networkAllowance: byteLength(0) }
    const { area, bootMemorySize } = plan(2n * GiB, { profile, cpuStateSize: byteLength(0x4_0020) })
    assert.equal(bootMemorySize, 0x1000_0000n)
    assert.equal(area?.start, 0x6ffb_0000n)
    assert.equal(area === undefined ? 0n : rangeLength(area), 0x1005_0000n)
  })

  test('has room for one more ELF program header per memory region', () => {
    const regions = Array.from({ length: 1000 }, (_, index) =>
      memoryRange(BigInt(index) * 8n * MiB, BigInt(index) * 8n * MiB + 4n * MiB),
    )
    const [one, many] = [regions.slice(0, 1), regions].map((memoryRegions) =>
      plan(0n, { memoryRegions, bootArguments: 'fadump=on fadump_reserve_mem=1M' }),
    )
    assert.equal(rangeLength(one?.area ?? memoryRange(0n, 0n)), 0x11_0000n)
    assert.equal(rangeLength(many?.area ?? memoryRange(0n, 0n)), 0x12_0000n)
  })

  test('is announced by the line that Linux 3.4 prints', () => {
    assert.deepEqual(plan(4n * GiB).log, [
      'Reserved 320MB of memory at 3775MB for firmware-assisted dump',
    ])
  })

  test('C078 mem= below the end of memory grows by the area, so that the kernel keeps what it asked for', () => {
    const limited = plan(4n * GiB, { bootArguments: 'fadump=on mem=2G' })
    assert.equal(limited.memoryLimit, 2n * GiB + 0x1401_0000n)
    assert.deepEqual(limited.area, memoryRange(2n * GiB, 2n * GiB + 0x1401_0000n))
    assert.deepEqual(limited.log, [
      'Adjusted memory_limit for firmware-assisted dump, now 0x00000094010000',
      'Reserved 320MB of memory at 2048MB for firmware-assisted dump',
    ])
  })

  test('C078 mem= grows to the end of memory at most; beyond it, it changes nothing', () => {
    const near = plan(4n * GiB, { bootArguments: 'fadump=on mem=4000M' })
    assert.equal(near.memoryLimit, 4n * GiB)
    assert.equal(near.area?.end, 4n * GiB)
    const same = plan(4n * GiB, { bootArguments: 'fadump=on mem=4G' })
    assert.deepEqual(same.log, ['Reserved 320MB of memory at 3775MB for firmware-assisted dump'])
  })

  test('that exceeds memory is refused, where Linux would wrap around', () => {
    const tooLarge = plan(2n * GiB, { bootArguments: 'fadump=on fadump_reserve_mem=2G' })
    assert.equal(tooLarge.isEnabled, false)
    assert.match(tooLarge.log.join(), /exceeds 2147483648 bytes of memory/)
  })
})

describe('a v5 kernel without a reservation', () => {
  test('C083 keeps crashkernel= for kdump: fadump= absent, off, or no firmware support', () => {
    assert.deepEqual(
      [plan(4n * GiB, { bootArguments: '' }).isEnabled, plan(4n * GiB).isEnabled],
      [false, true],
    )
    assert.deepEqual(plan(4n * GiB, { bootArguments: 'fadump=off' }).log, [])
    const unsupported = plan(4n * GiB, { isSupported: false })
    assert.equal(unsupported.isEnabled, false)
    assert.deepEqual(unsupported.log, ['Firmware-assisted dump is not supported on this hardware'])
  })
})

describe('a v5 capture kernel', () => {
  const dumpActive = aGoodDump([
    aSection({ sourceDataType: 1, sourceLength: 0x27a0n, destinationAddress: 0xcfff_0000n }),
    aSection({ sourceDataType: 2, sourceLength: 0x1000n, destinationAddress: 0xcfff_27a0n }),
    aSection({
      sourceDataType: 0x11,
      sourceLength: 0x3000_0000n,
      destinationAddress: 0xcfff_37a0n,
    }),
  ])

  test('C084 has the boot memory size that was registered, whatever the formula says', () => {
    assert.equal(plan(4n * GiB, { dumpActive }).bootMemorySize, 0x3000_0000n)
  })

  test('C085 reserves everything above boot memory', () => {
    const capture = plan(4n * GiB, { dumpActive })
    assert.deepEqual(capture.preserved, [memoryRange(0x3000_0000n, 4n * GiB)])
    assert.deepEqual(capture.area, memoryRange(0xcfff_0000n, 0xcfff_0000n + 0x3001_0000n))
    assert.deepEqual(capture.log, [
      'Firmware-assisted dump is active.',
      'Reserved 3328MB of memory at 768MB for saving crash dump',
    ])
  })

  test('C085 of 4 GiB, 2 GiB and 1 TiB reserves 3776 MiB, 1728 MiB and 996352 MiB', () => {
    const reserved = (memory: bigint, boot: bigint): bigint => {
      const sections = [
        aSection({ sourceDataType: 1, destinationAddress: boot }),
        aSection({ sourceDataType: 0x11, sourceLength: boot }),
      ]
      const [range] = plan(memory, { dumpActive: aGoodDump(sections) }).preserved
      return range === undefined ? 0n : rangeLength(range) / MiB
    }
    assert.equal(reserved(4n * GiB, 320n * MiB), 3776n)
    assert.equal(reserved(2n * GiB, 320n * MiB), 1728n)
    assert.equal(reserved(TiB, 51n * GiB), 996_352n)
  })

  test('without fadump= reserves nothing: old memory is used and lost', () => {
    const lost = plan(4n * GiB, { dumpActive, bootArguments: '' })
    assert.deepEqual([lost.isEnabled, lost.preserved], [false, []])
  })
})
