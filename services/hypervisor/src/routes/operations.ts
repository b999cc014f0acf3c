/** What the console does to a partition. */
import type { hypervisorRoutes } from '@fadump-lab/shared/contracts'
import type { Handlers } from '@fadump-lab/shared/http'
import { activate, powerOff, restart } from '../partition/power.ts'
import { systemReset } from '../partition/system-reset.ts'
import type { Rooms } from '../rooms.ts'

type OperationRoute = 'activatePartition' | 'powerOffPartition' | 'restartPartition' | 'systemReset'

export function operationHandlers({
  partitions,
  automaticDumps,
  context: deps,
}: Rooms): Pick<Handlers<typeof hypervisorRoutes>, OperationRoute> {
  return {
    activatePartition: ({ params, correlationId }) =>
      activate(partitions, params.partition, correlationId),
    powerOffPartition: ({ params, correlationId }) =>
      powerOff(partitions, params.partition, correlationId),
    restartPartition: ({ params, correlationId }) =>
      restart(partitions, params.partition, correlationId),
    systemReset: async ({ params, correlationId }) => {
      const partition = await systemReset({ deps, partitions }, params.partition, correlationId)
      automaticDumps.watch(partition.id)
      return partition
    },
  }
}
