/** What a kernel host asks of firmware while it runs a partition. */
import {
  partitionMachine,
  type hypervisorRoutes,
  type PartitionState,
} from '@fadump-lab/shared/contracts'
import type { Handlers } from '@fadump-lab/shared/http'
import { deviceTreeOf } from '../boot/device-tree.ts'
import { reportBootProgress } from '../partition/boot-progress.ts'
import { wrongState } from '../partition/lifecycle.ts'
import { getVcpus, putVcpus } from '../partition/vcpu-access.ts'
import type { Rooms } from '../rooms.ts'
import { callRtas } from '../rtas/dispatch.ts'

type FirmwareRoute = 'getDeviceTree' | 'rtasCall' | 'putVcpus' | 'getVcpus' | 'reportBootProgress'

/** A partition that is off has not been given a device tree. */
const bootedStates: readonly PartitionState[] = partitionMachine.states.filter(
  (state) => state !== 'not-activated',
)

export function firmwareHandlers({
  partitions,
  context: deps,
}: Rooms): Pick<Handlers<typeof hypervisorRoutes>, FirmwareRoute> {
  return {
    getDeviceTree: async ({ params }) => {
      const { record } = await partitions.read(params.partition)
      if (!bootedStates.includes(record.state)) {
        throw wrongState(record, 'a device tree', bootedStates)
      }
      return deviceTreeOf(record)
    },
    rtasCall: ({ params, query, body, correlationId }) =>
      callRtas(
        { deps, partitions },
        { partition: params.partition, epoch: query.epoch, buffer: body, correlationId },
      ),
    putVcpus: async ({ params, body, correlationId }) => {
      await putVcpus({ deps, partitions }, params.partition, { ...body, correlationId })
      return undefined
    },
    getVcpus: ({ params }) => getVcpus({ deps, partitions }, params.partition),
    reportBootProgress: ({ params, body, correlationId }) =>
      reportBootProgress(partitions, params.partition, { progress: body, correlationId }),
  }
}
