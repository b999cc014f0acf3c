/** What the hypervisor is given: everything that is outside of it comes in here. */
import type { FaultPlan } from '@fadump-lab/shared/faults'
import type { Fetch } from '@fadump-lab/shared/http'
import type { ServiceIdentity } from '@fadump-lab/shared/identity'
import type { EventLog, JobQueues } from '@fadump-lab/shared/queue'
import type { Clock, Random } from '@fadump-lab/shared/runtime'
import type { MemoryStore } from '@fadump-lab/shared/store'
import type { Logger, Metrics } from '@fadump-lab/shared/telemetry'
import type { ByteLength } from '@fadump-lab/shared/units'

export interface HypervisorSettings {
  /** The frame that is made at start when the store holds none. */
  readonly defaultFrame: {
    readonly id: string
    readonly memoryBytes: ByteLength
    readonly processors: number
  }
  /** How long firmware waits after a system reset before it acts alone: for a kernel host, then for the interlock. */
  readonly systemResetTimeoutMs: number
  /** The most bytes of one vmcore after decompression. */
  readonly imageBytesMax: ByteLength
}

export interface HypervisorDeps {
  readonly identity: ServiceIdentity
  readonly store: MemoryStore
  readonly queues: JobQueues
  readonly events: EventLog
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: Metrics
  /** How kernel hosts are reached; the machine's network when absent. */
  readonly fetch?: Fetch
  /** Faults can be armed: its ports strike by this plan. */
  readonly faults?: FaultPlan
  /** Default: `defaultSettings`. */
  readonly config?: HypervisorSettings
}

/** What the rooms of the service see: settings are settled. */
export type HypervisorContext = HypervisorDeps & { readonly config: HypervisorSettings }
