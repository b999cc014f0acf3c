/** Descriptions of systems as fast-check draws them, valid by themselves and mostly together. */
import * as fc from 'fast-check'
import { describeSystem } from '../describe-system.ts'
import type { CaptureSystem } from '../capture-system.ts'
import { networkCard, networkCardKinds } from '../network-cards.ts'
import { presetNames } from '../presets/presets.ts'
import { targetNames } from '../targets.ts'

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })

const description = fc.record({
  preset: fc.constantFrom(...presetNames),
  mechanism: fc.constantFrom('fadump' as const, 'kdump' as const),
  memoryMiB: fc.integer({ min: 1024, max: 4 * 1024 * 1024 }),
  cpus: fc.integer({ min: 1, max: 1024 }),
  nrCpus: optional(fc.integer({ min: 1, max: 64 })),
  pageKiB: fc.constantFrom(4 as const, 64 as const),
  target: fc.constantFrom(...targetNames),
  card: fc.constantFrom(...networkCardKinds),
  ports: fc.integer({ min: 1, max: 4 }),
  queueShare: fc.double({ min: 0, max: 1, noNaN: true }),
  multiqueue: fc.boolean(),
  udevWorkers: optional(fc.integer({ min: 0, max: 32 })),
  memoryController: optional(fc.boolean()),
  luksMiB: fc.constantFrom(0, 0, 0, 256, 1024),
  hugepagesMiB: fc.constantFrom(0, 0, 0, 512),
  initramfsMiB: optional(fc.integer({ min: 4, max: 200 })),
  rootfsPercent: optional(fc.constantFrom(50, 90, 100)),
  threads: fc.constantFrom(0, 0, 16, 64),
  otherProcessMiB: fc.constantFrom(0, 0, 0, 300),
  panicOnOom: fc.boolean(),
})

/** Complete systems; boot memory is what Linux reserves, and up to the caller to change. */
export const arbitrarySystem: fc.Arbitrary<CaptureSystem> = description.map(
  ({ queueShare, ...given }) => {
    const queues = 1 + Math.floor(queueShare * (networkCard(given.card).queuesMax - 1))
    const described = describeSystem({ ...given, queues, bootMemoryMiB: 320 })
    if (!described.isAccepted) throw new Error(JSON.stringify(described.refusals))
    return described.system
  },
)
