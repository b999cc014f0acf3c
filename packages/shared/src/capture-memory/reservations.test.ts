import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  kdumpctlEstimateMiB,
  linuxDefaultMiB,
  redHatMiB,
  suseFormulaMiB,
  suseSuggestionMiB,
  type ReservedSystem,
} from './reservations.ts'

const GiB = 1024
const system: ReservedSystem = {
  mechanism: 'fadump',
  memoryMiB: 8 * GiB,
  cpus: 16,
  nrCpus: 16,
  pageKiB: 64,
  needsNetwork: true,
  luksMiB: 0,
}

describe('what Linux reserves by itself', () => {
  // As Linux 7.2 printed it: Reserved …MB of memory.
  const measured: readonly (readonly [memoryGiB: number, reservedMiB: number])[] = [
    [1, 320],
    [2, 320],
    [8, 320],
    [16, 768],
    [24, 1024],
    [32, 1536],
    [64, 3072],
    [128, 6400],
  ]
  for (const [memory, reserved] of measured) {
    test(`${memory} GiB: ${reserved} MiB`, () => {
      assert.equal(linuxDefaultMiB(memory * GiB), reserved)
    })
  }
})

describe('the table of RHEL and Fedora', () => {
  test('4 to 16 GiB of fadump are 768 MiB and one for every CPU that captures', () => {
    assert.equal(redHatMiB({ ...system, memoryMiB: 4 * GiB }), 784)
    assert.equal(redHatMiB({ ...system, memoryMiB: 16 * GiB }), 1040)
    assert.equal(redHatMiB({ ...system, nrCpus: 1 }), 769)
  })

  test('below 4 GiB nothing is reserved for fadump, below 2 GiB nothing for kdump', () => {
    assert.equal(redHatMiB({ ...system, memoryMiB: 3 * GiB }), 0)
    assert.equal(redHatMiB({ ...system, mechanism: 'kdump', memoryMiB: 1024 }), 0)
    assert.equal(redHatMiB({ ...system, mechanism: 'kdump', memoryMiB: 3 * GiB }), 400)
  })

  test('memory is rounded up to 128 MiB: 4000 MiB count as 4 GiB', () => {
    assert.equal(redHatMiB({ ...system, memoryMiB: 4000 }), 784)
  })

  test('as kdumpctl printed it on Fedora CoreOS on Power: 528M', () => {
    assert.equal(redHatMiB({ ...system, mechanism: 'kdump', memoryMiB: 4 * GiB }), 528)
  })
})

describe('SUSE', () => {
  test('fadump is 5 percent, at least 64 MiB, at most half of memory', () => {
    assert.equal(suseSuggestionMiB(4 * GiB), 205)
    assert.equal(suseSuggestionMiB(512), 64)
    assert.equal(suseSuggestionMiB(64 * GiB), 3277)
    assert.equal(suseSuggestionMiB(100), 64)
  })

  test('the formula for kdump grows with CPUs, network and LUKS, never with nr_cpus= on Power', () => {
    const base = suseFormulaMiB({ ...system, mechanism: 'kdump' })
    assert.ok(suseFormulaMiB({ ...system, cpus: 128 }) > base)
    assert.ok(suseFormulaMiB({ ...system, needsNetwork: false }) < base)
    assert.equal(suseFormulaMiB({ ...system, nrCpus: 1 }), base)
    assert.ok(suseFormulaMiB({ ...system, luksMiB: 512 }) > base + 512)
  })
})

describe('kdumpctl estimate, as others have printed it', () => {
  test('without LUKS 142 MiB, with a key slot of 512 MiB 654 (they print 655M)', () => {
    const sample = { kernelMiB: 47, modulesMiB: 12, initramfsMiB: 19 } as const
    const old = { ...sample, initramfsCopies: 1, runtimeMiB: 64 } as const
    assert.equal(kdumpctlEstimateMiB({ ...old, luksMiB: 0 }), 142)
    assert.equal(kdumpctlEstimateMiB({ ...old, luksMiB: 512 }), 654)
  })

  test('since 2025 the initramfs counts three times', () => {
    const sample = { kernelMiB: 64, modulesMiB: 0, initramfsMiB: 47, luksMiB: 0 } as const
    assert.equal(kdumpctlEstimateMiB({ ...sample, initramfsCopies: 3, runtimeMiB: 16 }), 221)
  })
})
