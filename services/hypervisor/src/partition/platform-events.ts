/** What the hypervisor does to a running partition without asking its kernel. */
import { partitionMachine, type Partition, type PartitionState } from '@fadump-lab/shared/contracts'
import { registrationTransition, wrongState } from './lifecycle.ts'
import type { Partitions } from './partitions.ts'
import { firmwareAlone, requireResettable } from './system-reset.ts'

/**
 * The hypervisor ends the partition; its kernel learns nothing of it and fills no header (C062). What is registered is
 * dumped, else the partition restarts. Errors: `not-found`, `wrong-state`.
 */
export async function kill(
  partitions: Partitions,
  id: string,
  correlationId: string,
): Promise<Partition> {
  const { partition } = await partitions.update(id, correlationId, (held) => {
    requireResettable(held)
    return firmwareAlone(held, { correlationId, message: 'killed by the hypervisor' })
  })
  return partition
}

/** A kernel is there to be moved. */
const movableStates: readonly PartitionState[] = partitionMachine.states.filter(
  (state) => state === 'running' || state === 'starting' || state === 'capturing',
)

/**
 * Live migration: the partition runs on elsewhere, and a registration is gone without the kernel being told (C028). A
 * dump that waits lies in the memory that moves with the partition. Errors: `not-found`, `wrong-state`.
 */
export async function migrate(
  partitions: Partitions,
  id: string,
  correlationId: string,
): Promise<Partition> {
  const { partition } = await partitions.update(id, correlationId, ({ record }) => {
    if (!movableStates.includes(record.state))
      throw wrongState(record, 'a migration', movableStates)
    const moved = { aggregate: 'partition', event: 'migrated' } as const
    if (record.registration !== 'registered') {
      return { result: undefined, record, transitions: [moved] }
    }
    const { dumpStructure: _structure, ...rest } = record
    return {
      result: undefined,
      record: { ...rest, registration: 'idle' },
      transitions: [moved, ...registrationTransition('registered', 'idle', 'disable')],
    }
  })
  return partition
}
