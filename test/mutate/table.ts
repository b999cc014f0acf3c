/** All planted bugs. */
import type { Mutant } from './mutant.ts'
import { captureMemoryMutants } from './table/capture-memory.ts'
import { collectorMutants } from './table/collector.ts'
import { coreMutants } from './table/core.ts'
import { fadumpMutants } from './table/fadump.ts'
import { faultMutants } from './table/faults.ts'
import { firmwareMutants } from './table/firmware.ts'
import { kernelMutants } from './table/kernel.ts'
import { queueMutants } from './table/queue.ts'
import { sequenceMutants } from './table/sequence.ts'
import { storeMutants } from './table/store.ts'

export const mutants: readonly Mutant[] = [
  ...fadumpMutants,
  ...coreMutants,
  ...storeMutants,
  ...queueMutants,
  ...firmwareMutants,
  ...faultMutants,
  ...kernelMutants,
  ...captureMemoryMutants,
  ...collectorMutants,
  ...sequenceMutants,
]
