/** All planted bugs. */
import type { Mutant } from './mutant.ts'
import { collectorMutants } from './table/collector.ts'
import { coreMutants } from './table/core.ts'
import { fadumpMutants } from './table/fadump.ts'
import { firmwareMutants } from './table/firmware.ts'
import { kernelMutants } from './table/kernel.ts'
import { queueMutants } from './table/queue.ts'
import { storeMutants } from './table/store.ts'

export const mutants: readonly Mutant[] = [
  ...fadumpMutants,
  ...coreMutants,
  ...storeMutants,
  ...queueMutants,
  ...firmwareMutants,
  ...kernelMutants,
  ...collectorMutants,
]
