/** What a kernel host is given: everything that is outside of it comes in here. */
import type { FaultPlan } from '@fadump-lab/shared/faults'
import type { Fetch } from '@fadump-lab/shared/http'
import type { ServiceIdentity } from '@fadump-lab/shared/identity'
import type { EventLog, JobQueues } from '@fadump-lab/shared/queue'
import type { Clock, Random } from '@fadump-lab/shared/runtime'
import type { MemoryStore } from '@fadump-lab/shared/store'
import type { Logger, Metrics } from '@fadump-lab/shared/telemetry'
import type { CaptureProcess } from './capture-process/port.ts'

/** How much one process does at a time. */
export interface LparKernelSettings {
  /** Partitions that one process boots at the same time. */
  readonly bootConcurrency: number
  /** Windows of memory that one vmcore stream reads ahead; each is at most 1 MiB. */
  readonly streamWindows: number
}

export interface LparKernelDeps {
  readonly identity: ServiceIdentity
  /** What the tokens of dumps are made with; collectors have it too. */
  readonly dumpKey: string
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
  /** Capture work under real memory limits; the memory of capture kernels is an account only when absent. */
  readonly captureProcess?: CaptureProcess
  /** Faults can be armed: its ports strike by this plan. */
  readonly faults?: FaultPlan
  /** Default: `defaultSettings`. */
  readonly config?: LparKernelSettings
}
