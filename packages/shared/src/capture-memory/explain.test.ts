import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { describeSystem } from './describe-system.ts'
import { judge } from './evaluate.ts'
import { rehearse, type Rehearsal } from './rehearse.ts'
import { arbitrarySystem } from './testing/arbitrary-system.ts'

function rehearsed(description: Record<string, unknown>): Rehearsal {
  const described = describeSystem(description)
  assert.ok(described.isAccepted, JSON.stringify(described))
  return rehearse(described.system)
}

const power7 = { preset: '2011', memoryMiB: 2048, cpus: 20, card: 'ehea', queues: 8 }

describe('the sentence tells phase, three consumers, what is short and what to set', () => {
  const sentences: Readonly<Record<string, [system: Record<string, unknown>, sentence: string]>> = {
    'the failure of 2011': [
      { ...power7, bootMemoryMiB: 256 },
      'Out of memory in phase "link up": 272 MiB needed, 256 MiB of boot memory there; first refused: receive rings; ' +
        'killed: dhclient; largest: receive rings (ehea, 8 queues) 112 MiB, unpacked initramfs 61 MiB, kernel image 24 MiB. ' +
        'Short by 18 MiB. Use ehea.use_mcs=0, or raise boot memory to at least 274 MiB (fadump_reserve_mem=274M).',
    ],
    'the fix of 2011': [
      { ...power7, bootMemoryMiB: 320 },
      'The dump fits into 320 MiB of boot memory: at most 276 MiB needed in phase "transfer" ' +
        '(receive rings (ehea, 8 queues) 112 MiB, unpacked initramfs 61 MiB, kernel image 24 MiB), 44 MiB to spare.',
    ],
    'no setting but boot memory': [
      { ...power7, memoryMiB: 1024 * 1024, cpus: 896, bootMemoryMiB: 320 },
      'The capture kernel hangs in phase "kernel": 1981 MiB needed, 320 MiB of boot memory there; first refused: memory map; ' +
        'largest: memory map 896 MiB, per-CPU slabs and lists 896 MiB, per-CPU areas 151 MiB. ' +
        'Short by 1907 MiB. Raise boot memory to at least 2227 MiB (fadump_reserve_mem=2227M).',
    ],
    'a full root file system': [
      {
        preset: 'linux-7.2',
        memoryMiB: 2048,
        cpus: 2,
        card: 'ibmveth',
        initramfsMiB: 104.25,
        rootfsMiB: 110.7,
        bootMemoryMiB: 320,
      },
      'No space left in the root file system (write error) in phase "initramfs unpack": unpacked initramfs of 111 MiB, ' +
        'where the root file system takes 88 MiB with 320 MiB of boot memory; largest: initramfs image 104 MiB, ' +
        'unpacked initramfs 88 MiB, slabs and page tables 26 MiB. Short by 46 MiB. ' +
        'Use initramfs_options=size=90%, or raise boot memory to at least 366 MiB (crashkernel=366M).',
    ],
  }
  for (const [what, [system, sentence]] of Object.entries(sentences)) {
    test(what, () => assert.equal(rehearsed(system).explanation, sentence))
  }

  test('where no single setting helps it says so', () => {
    const { explanation, fix } = rehearsed({
      preset: 'now',
      memoryMiB: 600,
      cpus: 8,
      card: 'ibmvnic',
      ports: 4,
      queues: 8,
      bootMemoryMiB: 100,
    })
    assert.equal(fix, undefined)
    assert.match(explanation, /No single setting mends it: more memory, fewer ports or queues/)
  })
})

describe('fixes', () => {
  test('every fix that is told lets the dump through, and boot memory by no MiB too many', () => {
    fc.assert(
      fc.property(arbitrarySystem, fc.integer({ min: 16, max: 900 }), (given, bootMemoryMiB) => {
        const system = { ...given, bootMemoryMiB }
        const { verdict, fixes, minimumMiB } = rehearse(system)
        if (verdict !== 'fail') {
          assert.deepEqual(fixes, [])
          return
        }
        for (const { change } of fixes) {
          assert.notEqual(judge({ ...system, ...change }).verdict, 'fail')
          if (change.bootMemoryMiB !== undefined) assert.equal(change.bootMemoryMiB, minimumMiB)
        }
      }),
      { numRuns: 1000 },
    )
  })

  test('a knob that leaves a margin comes before boot memory, another target comes last', () => {
    const { fixes } = rehearsed({ ...power7, memoryMiB: 4096, cpus: 8, bootMemoryMiB: 256 })
    assert.deepEqual(
      fixes.map(({ setting, costMiB }) => [setting, costMiB]),
      [
        ['ehea.use_mcs=0', 0],
        ['fadump_reserve_mem=262M', 6],
        ['a local dump target', 0],
      ],
    )
  })

  test('a knob that only just suffices comes after boot memory', () => {
    const { fixes } = rehearsed({ ...power7, cpus: 8, memoryMiB: 4096, bootMemoryMiB: 261 })
    assert.deepEqual(
      fixes.map(({ setting }) => setting),
      ['ehea.use_mcs=0', 'fadump_reserve_mem=262M', 'udev.children-max=2', 'a local dump target'],
    )
  })

  test('today fadump takes no more than a quarter of memory, so no larger boot memory is proposed', () => {
    const { fixes, minimumMiB } = rehearsed({
      preset: 'now',
      memoryMiB: 1400,
      cpus: 8,
      card: 'mlx5',
      bootMemoryMiB: 320,
    })
    assert.ok((minimumMiB ?? 0) > 350)
    assert.ok(fixes.every(({ change }) => change.bootMemoryMiB === undefined))
  })
})
