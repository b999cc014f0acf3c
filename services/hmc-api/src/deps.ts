/** What the console is given. */
import type {
  collectorRoutes,
  hypervisorRoutes,
  lparKernelRoutes,
} from '@fadump-lab/shared/contracts'
import type { FaultPlan } from '@fadump-lab/shared/faults'
import type { Client, Tls } from '@fadump-lab/shared/http'
import type { ServiceIdentity } from '@fadump-lab/shared/identity'
import type { EventLog } from '@fadump-lab/shared/queue'
import type { Clock, Random } from '@fadump-lab/shared/runtime'
import type { Logger, Metrics } from '@fadump-lab/shared/telemetry'
import type { RequestLimits } from './access/edge.ts'
import type { Sessions } from './access/sessions.ts'
import type { Users } from './access/users.ts'
import type { FindProcesses } from './faults/processes.ts'

export interface HmcApiDeps {
  readonly identity: ServiceIdentity
  readonly users: Users
  readonly sessions: Sessions
  /** Default: `defaultLimits`. */
  readonly limits?: RequestLimits
  /** Absent: plain HTTP. */
  readonly tls?: Tls
  readonly hypervisor: Client<typeof hypervisorRoutes>
  readonly kernel: Client<typeof lparKernelRoutes>
  readonly collector: Client<typeof collectorRoutes>
  readonly events: EventLog
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: Metrics
  /** Whether strangers reach it: bounds on their requests, headers for browsers, pages. Default: true. */
  readonly isPublic?: boolean
  /** How long one job may take before it fails with the state it was stuck in. */
  readonly jobTimeoutMs: number
  /** The longest pause between two looks at what a job waits for. Default: half a second. */
  readonly lookMsMax?: number
  /** Faults can be armed: its own ports strike by this plan. */
  readonly faults?: FaultPlan
  /** Where faults of the other services are armed; absent: nowhere. */
  readonly processes?: FindProcesses
}
