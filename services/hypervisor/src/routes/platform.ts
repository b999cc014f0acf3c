/** What the platform does to a partition behind its back: faults, kill, migration. */
import type { hypervisorRoutes } from '@fadump-lab/shared/contracts'
import type { Handlers } from '@fadump-lab/shared/http'
import { armFault, disarmFaults } from '../faults/armed-faults.ts'
import { kill, migrate } from '../partition/platform-events.ts'
import type { Rooms } from '../rooms.ts'

export type PlatformRoute =
  | 'armFirmwareFault'
  | 'listFirmwareFaults'
  | 'disarmFirmwareFaults'
  | 'killPartition'
  | 'migratePartition'

export function platformHandlers({
  partitions,
}: Rooms): Pick<Handlers<typeof hypervisorRoutes>, PlatformRoute> {
  return {
    armFirmwareFault: ({ params, body, correlationId }) =>
      armFault(partitions, params.partition, { fault: body, correlationId }),
    listFirmwareFaults: async ({ params }) => {
      const { record } = await partitions.read(params.partition)
      return [...record.faults]
    },
    disarmFirmwareFaults: async ({ params, correlationId }) => {
      await disarmFaults(partitions, params.partition, correlationId)
      return undefined
    },
    killPartition: ({ params, correlationId }) => kill(partitions, params.partition, correlationId),
    migratePartition: ({ params, correlationId }) =>
      migrate(partitions, params.partition, correlationId),
  }
}
