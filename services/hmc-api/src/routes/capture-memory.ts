/** Estimates, worked out here; rehearsals and capture memory, which the partition's kernel knows. */
import {
  refusedDescription,
  systemDescription,
  type EstimateReply,
  type hmcRoutes,
} from '@fadump-lab/shared/contracts'
import { describeSystem, estimate, type CaptureSystem } from '@fadump-lab/shared/capture-memory'
import type { Handlers } from '@fadump-lab/shared/http'
import type { HmcApiDeps } from '../deps.ts'

type Names = 'rehearse' | 'readCaptureMemory' | 'readPartitionProc' | 'estimate'

export function captureMemoryHandlers({
  kernel,
}: HmcApiDeps): Pick<Handlers<typeof hmcRoutes>, Names> {
  return {
    rehearse: ({ params, body, correlationId }) => kernel.rehearse({ params, body, correlationId }),
    readCaptureMemory: ({ params, correlationId }) =>
      kernel.readCaptureMemory({ params, correlationId }),
    readPartitionProc: ({ params, correlationId }) => kernel.readProc({ params, correlationId }),
    estimate: async ({ body }) => {
      const described = describeSystem(body)
      if (!described.isAccepted) throw refusedDescription('the described system', described)
      return estimateReply(described.system)
    },
  }
}

function estimateReply(system: CaptureSystem): EstimateReply {
  const { topConsumers, comparisons, ...figures } = estimate(system)
  return {
    ...figures,
    topConsumers: [...topConsumers],
    comparisons: [...comparisons],
    system: systemDescription.parse({ ...system, card: system.card ?? 'none' }),
  }
}
