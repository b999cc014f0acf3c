/** What the console is given. */
import type {
  collectorRoutes,
  hypervisorRoutes,
  lparKernelRoutes,
} from '@fadump-lab/shared/contracts'
import type { Client } from '@fadump-lab/shared/http'
import type { EventLog } from '@fadump-lab/shared/queue'
import type { Clock, Random } from '@fadump-lab/shared/runtime'
import type { Logger, Metrics } from '@fadump-lab/shared/telemetry'

export interface HmcApiDeps {
  readonly hypervisor: Client<typeof hypervisorRoutes>
  readonly kernel: Client<typeof lparKernelRoutes>
  readonly collector: Client<typeof collectorRoutes>
  readonly events: EventLog
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: Metrics
  /** How long one job may take before it fails with the state it was stuck in. */
  readonly jobTimeoutMs: number
}
