import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { truthBytes } from '../../../../test/fixtures/truth/index.ts'
import { assertSameStructure } from '../../../../test/support/structures.ts'
import {
  byteLength,
  fromHex,
  GiB,
  memoryRange,
  MiB,
  rangeOf,
  realAddress,
  toHex,
} from '../units/index.ts'
import {
  bootMemoryDestination,
  bootRegionsOf,
  composeRegistration,
  crashInfoAddress,
  encodeDumpMemoryStructure,
  kernelProfiles,
  parameterAreaOf,
  type RegistrationInput,
} from './index.ts'

const { v5, modern } = kernelProfiles
const bootMemory = memoryRange(0n, 320n * MiB)

/** 4 GiB, 8 CPUs: CPU state 0x27a0, HPTE 0x1000, area at 0xebff0000. */
const worked: RegistrationInput = {
  profile: v5,
  areaStart: realAddress(0xebff_0000n),
  cpuStateSize: byteLength(0x27a0),
  hpteSize: byteLength(0x1000),
  bootRegions: [bootMemory],
}

/** What the recorded kernel worked with: 2 GiB, 2 CPUs, no HPTE section data. */
const recorded: RegistrationInput = {
  profile: modern,
  areaStart: realAddress(0x1400_0000n),
  cpuStateSize: byteLength(0xa00),
  hpteSize: byteLength(0),
  bootRegions: [bootMemory],
  parameterArea: realAddress(0x7fff_f800n),
}

describe('the structure that v5 registers', () => {
  test('C032 has CPU state, HPTE and real mode region in this order, 160 bytes in all', () => {
    const bytes = encodeDumpMemoryStructure(composeRegistration(worked))
    assert.equal(
      toHex(bytes),
      toHex(
        fromHex(`
        00000001 0003 0000 00000028 00000000 0000000000000000 0000000000000000 00000000 00000000
        00000001 0001 0000 0000000000000000 00000000000027a0 0000000000000000 00000000ebff0000
        00000001 0002 0000 0000000000000000 0000000000001000 0000000000000000 00000000ebff27a0
        00000001 0011 0000 0000000000000000 0000000014000000 0000000000000000 00000000ebff37a0`),
      ),
    )
    assert.equal(bytes.byteLength, 160)
    assert.equal(v5.workBufferBytesOther, 160)
  })

  test('C035 has destinations that follow each other without a gap', () => {
    const [cpuState, hpte, realMode] = composeRegistration(worked).sections
    assert.equal(hpte?.destinationAddress, 0xebff_0000n + 0x27a0n)
    assert.equal(realMode?.destinationAddress, 0xebff_27a0n + 0x1000n)
    assert.equal(cpuState?.destinationAddress, 0xebff_0000n)
  })

  test('C035 with 8 KiB of CPU state a CPU has an unaligned real mode region at 0xebff1020', () => {
    const structure = composeRegistration({
      ...worked,
      areaStart: realAddress(0xebfe_0000n),
      cpuStateSize: byteLength(0x1_0020),
    })
    assert.equal(bootMemoryDestination(structure), 0xebff_1020n)
    assert.equal(crashInfoAddress(structure), 0xffff_1020n)
  })

  test('has the crash info header behind the copy of boot memory', () => {
    const structure = composeRegistration(worked)
    assert.equal(bootMemoryDestination(structure), 0xebff_37a0n)
    assert.equal(crashInfoAddress(structure), 0xffff_37a0n)
    assert.deepEqual(bootRegionsOf(structure), [bootMemory])
    assert.equal(parameterAreaOf(structure), undefined)
  })

  test('starts at the page of the area', () => {
    const structure = composeRegistration({ ...worked, areaStart: realAddress(0xebff_1234n) })
    assert.equal(structure.sections[0]?.destinationAddress, 0xebff_0000n)
  })
})

describe('the structure that modern registers', () => {
  test('C033 and C036 is, byte for byte, what a real kernel registered', () => {
    const bytes = encodeDumpMemoryStructure(composeRegistration(recorded))
    assertSameStructure('fdm', bytes, truthBytes('fdm-registered.bin').subarray(0, 200))
    assert.equal(modern.workBufferBytesOther, 440)
  })

  test('C036 has a page-aligned real mode region for either page size', () => {
    assert.equal(bootMemoryDestination(composeRegistration(recorded)), 0x1401_0000n)
    const small = { ...modern, pageSize: byteLength(4096) }
    const structure = composeRegistration({ ...recorded, profile: small })
    assert.equal(bootMemoryDestination(structure), 0x1400_1000n)
    assert.equal(crashInfoAddress(structure), 0x2800_1000n)
  })

  test('C033 has a section for each of up to seven boot regions and then the parameters', () => {
    const regions = Array.from({ length: 7 }, (_, index) => rangeOf(BigInt(index) * GiB, 64n * MiB))
    const structure = composeRegistration({ ...recorded, bootRegions: regions })
    assert.deepEqual(
      structure.sections.map((section) => section.sourceDataType),
      [1, 2, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x100],
    )
    assert.deepEqual(
      structure.sections.slice(2, 9).map((section) => section.destinationAddress),
      [0, 1, 2, 3, 4, 5, 6].map((index) => 0x1401_0000n + BigInt(index) * 64n * MiB),
    )
    assert.equal(structure.header.dumpNumSections, 10)
    assert.equal(crashInfoAddress(structure), 0x1401_0000n + 448n * MiB)
    assert.equal(parameterAreaOf(structure), 0x7fff_f800n)
  })

  test('C033 of a hash kernel has no parameter area and 160 bytes', () => {
    const { parameterArea: _none, ...hash } = recorded
    assert.equal(encodeDumpMemoryStructure(composeRegistration(hash)).byteLength, 160)
  })
})

test('C034 no kernel asks for a disk dump or a dump by time; every section asks to be copied', () => {
  for (const input of [worked, recorded]) {
    const { header, sections } = composeRegistration(input)
    assert.deepEqual(header, {
      dumpFormatVersion: 1,
      dumpNumSections: sections.length,
      dumpStatusFlag: 0,
      offsetFirstDumpSection: 0x28,
      ddBlockSize: 0,
      ddBlockOffset: 0n,
      ddNumBlocks: 0n,
      ddOffsetDiskPath: 0,
      maxTimeAuto: 0,
    })
    assert.ok(sections.every((section) => section.requestFlag === 1))
  }
})
