/** What a kernel host is given: everything that is outside of it comes in here. */
import type { Fetch } from '@fadump-lab/shared/http'
import type { EventLog, JobQueues } from '@fadump-lab/shared/queue'
import type { Clock, Random } from '@fadump-lab/shared/runtime'
import type { MemoryStore } from '@fadump-lab/shared/store'
import type { Logger, Metrics } from '@fadump-lab/shared/telemetry'

/** How much one process does at a time. */
export interface LparKernelSettings {
  /** Partitions that one process boots at the same time. */
  readonly bootConcurrency: number
  /** Windows of memory that one vmcore stream reads ahead; each is at most 1 MiB. */
  readonly streamWindows: number
}

export interface LparKernelDeps {
  readonly store: MemoryStore
  readonly queues: JobQueues
  readonly events: EventLog
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: Metrics
  /** How the hypervisor is reached; the machine's network when absent. */
  readonly fetch?: Fetch
  /** Base URL of the hypervisor, without a trailing slash. */
  readonly hypervisorUrl: string
  /** Default: `defaultSettings`. */
  readonly config?: LparKernelSettings
}
