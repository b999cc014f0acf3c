import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { aGoodDump, aSection } from '../../../../test/fixtures/dump-structures.ts'
import { GiB, memoryRange, MiB, rangeOf } from '../units/index.ts'
import { kernelProfiles, scanFirmwareDump } from './index.ts'
import { modernPlan, rtasOf } from './testing/modern-plan.ts'

const { modern } = kernelProfiles

describe('a modern capture kernel', () => {
  test('C085 of 2 GiB reserves 1728 MiB above boot memory, as a real one does', () => {
    const scanned = scanFirmwareDump(rtasOf('second.dtb'), modern)
    assert.ok(scanned.dump !== undefined)
    const capture = modernPlan(2n * GiB, { ...scanned, dumpActive: scanned.dump })
    assert.deepEqual(capture.log, [
      'fadump: Firmware-assisted dump is active.',
      'fadump: Reserving 1728MB of memory at 0x00000014000000 for preserving crash data',
    ])
    assert.deepEqual(capture.preserved, [memoryRange(0x1400_0000n, 2n * GiB)])
    assert.deepEqual(capture.area, rangeOf(0x1400_0000n, 335_610_536n))
    assert.equal(capture.parameterArea, 0x7fff_f800n)
    assert.deepEqual([capture.cmaArea, capture.laterLog], [undefined, []])
  })

  test('C084 and C085 with holes takes sizes from the structure and skips what is no memory', () => {
    const boot = (start: bigint, length: bigint) =>
      aSection({ sourceAddress: start, sourceLength: length, destinationAddress: 0x5000_0000n })
    const dumpActive = aGoodDump([
      aSection({ sourceDataType: 1, destinationAddress: 0x4c00_0000n }),
      boot(0n, 256n * MiB),
      boot(GiB, 192n * MiB),
    ])
    const memoryRegions = [rangeOf(0n, 256n * MiB), rangeOf(GiB, GiB), rangeOf(4n * GiB, GiB)]
    const capture = modernPlan(0n, { memoryRegions, dumpActive })
    assert.equal(capture.bootMemorySize, 448n * MiB)
    assert.equal(capture.bootMemoryTop, GiB + 192n * MiB)
    assert.deepEqual(capture.preserved, [
      memoryRange(GiB + 192n * MiB, 2n * GiB),
      rangeOf(4n * GiB, GiB),
    ])
    assert.equal(capture.log.length, 3)
  })
})
