/** What the dump collector is given: everything that is outside of it comes in here. */
import type { FaultPlan } from '@fadump-lab/shared/faults'
import type { Fetch } from '@fadump-lab/shared/http'
import type { ServiceIdentity } from '@fadump-lab/shared/identity'
import type { EventLog, JobQueues } from '@fadump-lab/shared/queue'
import type { Clock, Random } from '@fadump-lab/shared/runtime'
import type { Logger, Metrics } from '@fadump-lab/shared/telemetry'
import type { RetentionPolicy } from './retention/plan.ts'
import type { Files } from './store/files.ts'

/** How the dump store is kept. */
export interface StoreSettings {
  readonly retention: RetentionPolicy
  /** Bytes of the disk that no vmcore may take. */
  readonly reserveBytes: number
  /** Captures of one partition that may begin within an hour; 0: any number. */
  readonly capturesPerHourMax: number
  /** Between two rounds of retention and of a look at captures that wait. */
  readonly housekeepingMs: number
  /** Age of the last look at a stored dump after which it is read again; 0: never. */
  readonly scrubIntervalMs: number
  readonly scrubBytesPerSecond: number
}

export interface CollectorSettings extends StoreSettings {
  /** Dumps that one process collects at the same time. */
  readonly concurrency: number
  /** Bytes received between two durable checkpoints: at most so many are sent again after a cut. */
  readonly windowBytes: number
  /** A kernel that sends nothing for so long counts as cut off. */
  readonly idleTimeoutMs: number
}

const bytesPerMebibyte = 1024 * 1024
const hourMs = 3_600_000

/** For compositions without an environment: the demo and tests. */
export const defaultSettings: CollectorSettings = {
  concurrency: 4,
  windowBytes: 64 * bytesPerMebibyte,
  idleTimeoutMs: 60_000,
  retention: { ageMsMax: 0, dumpsPerPartitionMax: 0, bytesMax: 0, graceMs: hourMs },
  reserveBytes: 64 * bytesPerMebibyte,
  capturesPerHourMax: 600,
  housekeepingMs: 60_000,
  scrubIntervalMs: 168 * hourMs,
  scrubBytesPerSecond: 32 * bytesPerMebibyte,
}

export interface DumpCollectorDeps {
  readonly identity: ServiceIdentity
  /** What the tokens of dumps are made with; kernel hosts have it too. */
  readonly dumpKey: string
  /** Directory of the dump store; made when absent. */
  readonly root: string
  readonly queues: JobQueues
  readonly events: EventLog
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: Metrics
  /** How kernel hosts are reached; the machine's network when absent. */
  readonly fetch?: Fetch
  /** The disk; the machine's own when absent. */
  readonly files?: Files
  readonly settings?: CollectorSettings
  /** Faults can be armed: its ports strike by this plan. */
  readonly faults?: FaultPlan
}
