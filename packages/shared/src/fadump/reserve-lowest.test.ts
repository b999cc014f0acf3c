import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { truthBytes } from '../../../../test/fixtures/truth/index.ts'
import { byteLength, GiB, MiB, rangeLength, rangeOf, TiB } from '../units/index.ts'
import {
  composeRegistration,
  encodeDumpMemoryStructure,
  kernelProfiles,
  scanFirmwareDump,
  type KernelProfile,
  type ReservationPlan,
} from './index.ts'
import { modernPlan, rtasOf } from './testing/modern-plan.ts'

const { modern } = kernelProfiles
const smallPages: KernelProfile = { ...modern, pageSize: byteLength(4096) }

function reservedBytes({ area }: ReservationPlan): bigint {
  return area === undefined ? 0n : rangeLength(area)
}

/** What a real kernel printed: memory in MiB, further arguments, its line, /sys/kernel/fadump/mem_reserved. */
const observed: readonly (readonly [
  memory: bigint,
  argument: string,
  line: string,
  reserved: bigint,
])[] = [
  [512n, '', 'fadump: Failed to find memory chunk for reservation!', 0n],
  [
    768n,
    '',
    'fadump: Reserved 320MB of memory at 0x00000014000000 (System RAM: 768MB)',
    335_610_536n,
  ],
  [
    1024n,
    '',
    'fadump: Reserved 320MB of memory at 0x00000014000000 (System RAM: 1024MB)',
    335_610_536n,
  ],
  [
    2048n,
    '',
    'fadump: Reserved 320MB of memory at 0x00000014000000 (System RAM: 2048MB)',
    335_610_536n,
  ],
  [
    4096n,
    '',
    'fadump: Reserved 320MB of memory at 0x00000014000000 (System RAM: 4096MB)',
    335_610_536n,
  ],
  [
    8192n,
    '',
    'fadump: Reserved 320MB of memory at 0x00000014000000 (System RAM: 8192MB)',
    335_610_536n,
  ],
  [
    16_384n,
    '',
    'fadump: Reserved 768MB of memory at 0x00000030000000 (System RAM: 16384MB)',
    805_372_584n,
  ],
  [
    24_576n,
    '',
    'fadump: Reserved 1024MB of memory at 0x00000040000000 (System RAM: 24576MB)',
    1_073_808_040n,
  ],
  [
    32_768n,
    '',
    'fadump: Reserved 1536MB of memory at 0x00000060000000 (System RAM: 32768MB)',
    1_610_678_952n,
  ],
  [
    65_536n,
    '',
    'fadump: Reserved 3072MB of memory at 0x000000c0000000 (System RAM: 65536MB)',
    3_221_291_688n,
  ],
  [
    131_072n,
    '',
    'fadump: Reserved 6400MB of memory at 0x00000190000000 (System RAM: 131072MB)',
    6_710_952_616n,
  ],
  [
    2048n,
    'crashkernel=512M',
    'fadump: Reserved 512MB of memory at 0x00000020000000 (System RAM: 2048MB)',
    536_937_128n,
  ],
  [
    4096n,
    'crashkernel=512M',
    'fadump: Reserved 512MB of memory at 0x00000020000000 (System RAM: 4096MB)',
    536_937_128n,
  ],
  [
    8192n,
    'crashkernel=512M',
    'fadump: Reserved 512MB of memory at 0x00000020000000 (System RAM: 8192MB)',
    536_937_128n,
  ],
  [
    1024n,
    'crashkernel=512M',
    "fadump: Can't enable fadump with boot memory size (0x10000000) less than 0x14000000",
    0n,
  ],
  [
    2048n,
    'crashkernel=256M',
    "fadump: Can't enable fadump with boot memory size (0x10000000) less than 0x14000000",
    0n,
  ],
  [
    2048n,
    'crashkernel=319M',
    "fadump: Can't enable fadump with boot memory size (0x13f00000) less than 0x14000000",
    0n,
  ],
  [
    2048n,
    'crashkernel=320M',
    'fadump: Reserved 320MB of memory at 0x00000014000000 (System RAM: 2048MB)',
    335_610_536n,
  ],
  [
    2048n,
    'crashkernel=1G',
    'fadump: Reserved 512MB of memory at 0x00000020000000 (System RAM: 2048MB)',
    536_937_128n,
  ],
  [
    4096n,
    'crashkernel=2G-4G:384M,4G-16G:512M,16G-64G:1G,64G-128G:2G,128G-:4G',
    'fadump: Reserved 512MB of memory at 0x00000020000000 (System RAM: 4096MB)',
    536_937_128n,
  ],
  [
    8192n,
    'fadump_reserve_mem=700M',
    'fadump: Reserved 700MB of memory at 0x0000002bc00000 (System RAM: 8192MB)',
    734_069_416n,
  ],
  [
    4096n,
    'mem=3G',
    'fadump: Reserved 320MB of memory at 0x00000014000000 (System RAM: 4096MB)',
    335_610_536n,
  ],
  [
    4096n,
    'fadump=nocma',
    'fadump: Reserved 320MB of memory at 0x00000014000000 (System RAM: 4096MB)',
    335_610_536n,
  ],
]

describe('the reservation of modern', () => {
  for (const [memory, argument, line, reserved] of observed) {
    test(`C081 of ${memory} MiB with "${argument}" is what a real kernel reserved`, () => {
      const reservation = modernPlan(memory * MiB, { bootArguments: `fadump=on ${argument}` })
      assert.equal(reservation.log.at(-1), line)
      assert.equal(reservedBytes(reservation), reserved)
      assert.equal(reservation.isEnabled, reserved > 0n)
    })
  }

  test('C081 with 4 KiB pages is what a real kernel reserved', () => {
    const two = modernPlan(2n * GiB, { profile: smallPages, cpuStateSize: byteLength(0xa00) })
    assert.equal(reservedBytes(two), 335_549_096n)
    const four = modernPlan(4n * GiB, {
      profile: smallPages,
      bootArguments: 'fadump=on crashkernel=512M',
    })
    assert.equal(reservedBytes(four), 536_879_784n)
  })

  test('C081 of 1 GiB boot memory and 4 CPUs is 0x400102a8', () => {
    const reservation = modernPlan(4n * GiB, { bootArguments: 'fadump=on crashkernel=1G' })
    assert.equal(reservedBytes(reservation), 0x4001_02a8n)
    assert.equal(reservation.area?.start, 0x4000_0000n)
  })

  test('C081 of 1 TiB with 896 CPUs is 0xcc01202a8, with 6 GiB 0x1801202a8', () => {
    const cpuStateSize = byteLength(32 + 1264 * 896)
    assert.equal(reservedBytes(modernPlan(TiB, { cpuStateSize })), 0xcc01202a8n)
    const bootArguments = 'fadump=on crashkernel=1T-2T:6G'
    assert.equal(reservedBytes(modernPlan(TiB, { cpuStateSize, bootArguments })), 0x1801202a8n)
  })

  test('C074 does not depend on the RMA', () => {
    assert.equal(modernPlan(4n * GiB, { rmaSize: byteLength(GiB) }).bootMemorySize, 320n * MiB)
  })

  test('C075 fadump_reserve_mem= below 320 MiB is refused, with the deprecation first', () => {
    assert.deepEqual(
      modernPlan(4n * GiB, { bootArguments: 'fadump=on fadump_reserve_mem=319M' }).log,
      [
        "fadump: 'fadump_reserve_mem=' parameter is deprecated in favor of 'crashkernel=' parameter.",
        "fadump: Can't enable fadump with boot memory size (0x13f00000) less than 0x14000000",
      ],
    )
  })

  test('C079 crashkernel= is capped at a quarter of memory, with a message', () => {
    assert.deepEqual(modernPlan(1n * GiB, { bootArguments: 'fadump=on crashkernel=512M' }).log, [
      'fadump: Adjusted boot memory size to 256MB',
      "fadump: Can't enable fadump with boot memory size (0x10000000) less than 0x14000000",
    ])
    const capped = modernPlan(6n * GiB, { bootArguments: 'fadump=on crashkernel=2G' })
    assert.equal(capped.log[0], 'fadump: Adjusted boot memory size to 1536MB')
    assert.equal(capped.bootMemorySize, 1536n * MiB)
  })

  test('C080 the offset of crashkernel= is ignored', () => {
    const reservation = modernPlan(4n * GiB, { bootArguments: 'fadump=on crashkernel=512M@64M' })
    assert.equal(reservation.area?.start, 0x2000_0000n)
  })

  test('crashkernel= wins over fadump_reserve_mem=', () => {
    const bootArguments = 'fadump=on fadump_reserve_mem=700M crashkernel=512M'
    assert.deepEqual(modernPlan(4n * GiB, { bootArguments }).log.slice(0, 2), [
      "fadump: 'fadump_reserve_mem=' parameter is deprecated in favor of 'crashkernel=' parameter.",
      "fadump: Using 'crashkernel=' parameter for memory reservation.",
    ])
  })

  test('C082 begins at the end of boot memory or behind what is occupied there', () => {
    assert.equal(modernPlan(4n * GiB).area?.start, 0x1400_0000n)
    const occupiedRanges = [rangeOf(0x1400_0000n, 0x1234n), rangeOf(0x2000_0000n, MiB)]
    const shifted = modernPlan(4n * GiB, { occupiedRanges })
    assert.equal(shifted.area?.start, 0x2010_0000n)
    const full = modernPlan(GiB, {
      occupiedRanges: [rangeOf(0x1800_0000n, MiB), rangeOf(0x2c00_0000n, MiB)],
    })
    assert.deepEqual(full.log, ['fadump: Failed to find memory chunk for reservation!'])
    assert.equal(full.isEnabled, false)
  })

  test('C082 beyond mem= fails', () => {
    const limited = modernPlan(4n * GiB, { bootArguments: 'fadump=on mem=640M' })
    assert.deepEqual(limited.log, ['fadump: Failed to find memory chunk for reservation!'])
  })

  test('C083 without it crashkernel= is for kdump', () => {
    assert.equal(modernPlan(4n * GiB, { bootArguments: 'crashkernel=512M' }).isEnabled, false)
    const unsupported = modernPlan(4n * GiB, { isSupported: false })
    assert.deepEqual(unsupported.log, [
      'fadump: Firmware-Assisted Dump is not supported on this hardware',
    ])
  })

  test('C086 lends an aligned part of the boot memory size to CMA, unless nocma forbids it', () => {
    const reservation = modernPlan(8n * GiB, { bootArguments: 'fadump=on fadump_reserve_mem=700M' })
    assert.deepEqual(reservation.cmaArea, rangeOf(0x2bc0_0000n, 700n * MiB))
    assert.deepEqual(reservation.laterLog, [
      'fadump: Initialized [0x2bc00000, 700MB] cma area from [0x2bc00000, 700MB] bytes of memory reserved for firmware-assisted dump',
    ])
    assert.equal(modernPlan(4n * GiB, { bootArguments: 'fadump=nocma' }).cmaArea, undefined)
  })

  test('has its parameter area at the top of usable memory', () => {
    assert.equal(modernPlan(2n * GiB).parameterArea, 0x7fff_f800n)
    assert.equal(modernPlan(768n * MiB).parameterArea, 0x2fff_f800n)
    assert.equal(
      modernPlan(4n * GiB, { bootArguments: 'fadump=on mem=3G' }).parameterArea,
      0xbfff_f800n,
    )
  })

  test('of a hash kernel has no parameter area while the RMA is below 768 MiB', () => {
    const hash: KernelProfile = { ...modern, mmu: 'hash' }
    const small = modernPlan(4n * GiB, { profile: hash, rmaSize: byteLength(512n * MiB) })
    assert.equal(small.parameterArea, undefined)
    assert.equal(
      small.laterLog[0],
      'fadump: WARNING: Could not setup area to pass additional parameters!',
    )
    const bootArguments = 'fadump=on crashkernel=1G'
    const large = modernPlan(8n * GiB, { profile: hash, rmaSize: byteLength(GiB), bootArguments })
    assert.equal(large.parameterArea, 0x3fff_f800n)
  })

  test('and its registration are those of the recorded partition', () => {
    const scanned = scanFirmwareDump(rtasOf('first.dtb'), modern)
    const reservation = modernPlan(2n * GiB, scanned)
    const { area, parameterArea } = reservation
    assert.ok(area !== undefined && parameterArea !== undefined)
    const structure = composeRegistration({
      ...scanned,
      profile: modern,
      areaStart: area.start,
      bootRegions: reservation.bootRegions,
      parameterArea,
    })
    assert.deepEqual(
      encodeDumpMemoryStructure(structure),
      truthBytes('fdm-registered.bin').slice(0, 200),
    )
  })
})
