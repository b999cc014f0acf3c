import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { allocate } from './allocate.ts'
import type { CaptureSystem } from './capture-system.ts'
import { evaluate, fits, judge } from './evaluate.ts'
import {
  fadumpFloorMiB,
  maximumBootMemoryMiB,
  minimumBootMemoryMiB,
  recommendedBootMemoryMiB,
} from './minimum.ts'
import { allocationSteps } from './steps.ts'
import { arbitrarySystem } from './testing/arbitrary-system.ts'

const runs = { numRuns: 1500 }

/** Executes the steps one after the other against a counter of free pages: the phase in which it fails, if it does. */
function execute(system: CaptureSystem): string | undefined {
  const { bootPages, reservePages, rootfsBound, rootfsWanted } = allocate(system)
  let free = bootPages
  for (const { phase, consumer, pages } of allocationSteps(system)) {
    free -= pages
    if (free < reservePages) return phase
    if (consumer === 'unpacked initramfs' && rootfsWanted > rootfsBound) return phase
  }
  return undefined
}

describe('the least boot memory', () => {
  test('one MiB below it the dump fails in the phase that is predicted, with it the dump gets through', () => {
    fc.assert(
      fc.property(arbitrarySystem, (system) => {
        const minimum = minimumBootMemoryMiB(system)
        if (minimum === undefined) {
          assert.equal(fits({ ...system, bootMemoryMiB: system.memoryMiB - 1 }), false)
          return
        }
        const enough = { ...system, bootMemoryMiB: minimum }
        assert.notEqual(judge(enough).verdict, 'fail')
        assert.equal(execute(enough), undefined)
        if (minimum === 1) return
        const short = { ...system, bootMemoryMiB: minimum - 1 }
        const { verdict, failure } = evaluate(short)
        assert.equal(verdict, 'fail')
        // A panic for another process happens outside of the boot's own allocations.
        if (failure?.consumer === 'another process') return
        assert.equal(execute(short), failure?.phase)
      }),
      runs,
    )
  })

  test('whatever fits keeps fitting with more boot memory, as long as it is less than all memory', () => {
    fc.assert(
      fc.property(arbitrarySystem, fc.integer({ min: 1, max: 4096 }), (system, more) => {
        const minimum = minimumBootMemoryMiB(system)
        const bootMemoryMiB = (minimum ?? 0) + more
        const { memoryMiB, memLimitMiB } = system
        if (minimum === undefined || bootMemoryMiB >= Math.min(memoryMiB, memLimitMiB)) return
        assert.ok(fits({ ...system, bootMemoryMiB }))
      }),
      runs,
    )
  })

  const harder: Readonly<Record<string, (system: CaptureSystem) => Partial<CaptureSystem>>> = {
    'another port': ({ ports }) => ({ ports: ports + 1 }),
    'another queue': ({ queues }) => ({ queues: queues + 1 }),
    'another CPU': ({ nrCpus }) => ({ nrCpus: nrCpus + 1 }),
    'the memory controller': () => ({ memoryController: true }),
    'another udev worker': ({ udevWorkers }) => ({ udevWorkers: udevWorkers + 1 }),
    'a larger LUKS key slot': ({ luksMiB }) => ({ luksMiB: luksMiB + 64 }),
    'a larger initramfs': ({ initramfsMiB, rootfsMiB }) => ({
      initramfsMiB: (initramfsMiB ?? 50) + 8,
      rootfsMiB: Math.max(rootfsMiB ?? 0, initramfsMiB ?? 50, 120) + 8,
    }),
    'a smaller share for the root file system': ({ rootfsPercent }) => ({
      rootfsPercent: Math.min(rootfsPercent, 40),
    }),
    'a panic on OOM': () => ({ panicOnOom: true }),
  }
  for (const [what, change] of Object.entries(harder)) {
    test(`${what} never lowers it`, () => {
      fc.assert(
        fc.property(arbitrarySystem, (system) => {
          const before = minimumBootMemoryMiB(system) ?? Infinity
          const after = minimumBootMemoryMiB({ ...system, ...change(system) }) ?? Infinity
          assert.ok(after >= before, `${after} < ${before}`)
        }),
        { numRuns: 300 },
      )
    })
  }

  test('under fadump more memory never lowers it: the memory map covers all of it', () => {
    fc.assert(
      fc.property(arbitrarySystem, (given) => {
        const system = { ...given, mechanism: 'fadump' } as const
        const memoryMiB = system.memoryMiB * 2
        const larger = { ...system, memoryMiB, memLimitMiB: memoryMiB }
        const before = minimumBootMemoryMiB(system) ?? 0
        assert.ok((minimumBootMemoryMiB(larger) ?? Infinity) >= before)
      }),
      { numRuns: 300 },
    )
  })

  test('asking for threads never raises it: makedumpfile starts fewer', () => {
    fc.assert(
      fc.property(arbitrarySystem, (given) => {
        const system = { ...given, otherProcessMiB: 0 }
        const without = minimumBootMemoryMiB({ ...system, threads: 0 })
        assert.equal(minimumBootMemoryMiB({ ...system, threads: 64 }), without)
      }),
      { numRuns: 300 },
    )
  })
})

describe('what is recommended', () => {
  test('it passes without a warning, and fadump gets at least 320 MiB', () => {
    fc.assert(
      fc.property(arbitrarySystem, (given) => {
        const system = { ...given, threads: 0, otherProcessMiB: 0 }
        const recommended = recommendedBootMemoryMiB(system)
        if (recommended === undefined || recommended >= system.memoryMiB) return
        assert.equal(judge({ ...system, bootMemoryMiB: recommended }).verdict, 'pass')
        assert.ok(system.mechanism === 'kdump' || recommended >= fadumpFloorMiB)
      }),
      { numRuns: 300 },
    )
  })

  test('fadump of today takes at most a quarter of memory', () => {
    fc.assert(
      fc.property(arbitrarySystem, (given) => {
        const system = { ...given, preset: 'now', mechanism: 'fadump' } as const
        assert.equal(maximumBootMemoryMiB(system), Math.floor(system.memoryMiB / 4))
      }),
      { numRuns: 50 },
    )
  })
})
