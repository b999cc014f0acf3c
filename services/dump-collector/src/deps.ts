/** What the dump collector is given: everything that is outside of it comes in here. */
import type { Fetch } from '@fadump-lab/shared/http'
import type { EventLog, JobQueues } from '@fadump-lab/shared/queue'
import type { Clock, Random } from '@fadump-lab/shared/runtime'
import type { Logger, Metrics } from '@fadump-lab/shared/telemetry'
import type { Files } from './store/files.ts'

export interface CollectorSettings {
  /** Dumps that one process collects at the same time. */
  readonly concurrency: number
  /** Bytes received between two durable checkpoints: at most so many are sent again after a cut. */
  readonly windowBytes: number
  /** A kernel that sends nothing for so long counts as cut off. */
  readonly idleTimeoutMs: number
}

/** For compositions without an environment: the demo and tests. */
export const defaultSettings: CollectorSettings = {
  concurrency: 4,
  windowBytes: 64 * 1024 * 1024,
  idleTimeoutMs: 60_000,
}

export interface DumpCollectorDeps {
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
}
