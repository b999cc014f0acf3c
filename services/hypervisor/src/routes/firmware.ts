/** What a kernel host asks of firmware while it runs a partition. */
import type { hypervisorRoutes } from '@fadump-lab/shared/contracts'
import type { Handlers } from '@fadump-lab/shared/http'
import { bootDeviceTree } from '../boot/boot-device-tree.ts'
import { callHypervisor } from '../hcall/dispatch.ts'
import { reportBootProgress } from '../partition/boot-progress.ts'
import { assignMemory } from '../partition/memory-assignment.ts'
import { getVcpus, putVcpus } from '../partition/vcpu-access.ts'
import type { Rooms } from '../rooms.ts'
import { callRtas } from '../rtas/dispatch.ts'

type FirmwareRoute =
  | 'assignMemory'
  | 'getDeviceTree'
  | 'rtasCall'
  | 'hypervisorCall'
  | 'putVcpus'
  | 'getVcpus'
  | 'reportBootProgress'

export function firmwareHandlers({
  partitions,
  context: deps,
}: Rooms): Pick<Handlers<typeof hypervisorRoutes>, FirmwareRoute> {
  return {
    getDeviceTree: async ({ params }) => {
      const { record } = await partitions.read(params.partition)
      return bootDeviceTree(record)
    },
    rtasCall: ({ params, query, body, correlationId }) =>
      callRtas(
        { deps, partitions },
        { partition: params.partition, epoch: query.epoch, buffer: body, correlationId },
      ),
    hypervisorCall: ({ params, query, body, correlationId }) =>
      callHypervisor(
        { deps, partitions },
        { partition: params.partition, epoch: query.epoch, registers: body, correlationId },
      ),
    putVcpus: async ({ params, body, correlationId }) => {
      await putVcpus({ deps, partitions }, params.partition, { ...body, correlationId })
      return undefined
    },
    getVcpus: ({ params }) => getVcpus({ deps, partitions }, params.partition),
    assignMemory: ({ params, body, correlationId }) =>
      assignMemory(partitions, params.partition, { assignment: body, correlationId }),
    reportBootProgress: ({ params, body, correlationId }) =>
      reportBootProgress({ deps, partitions }, params.partition, { progress: body, correlationId }),
  }
}
