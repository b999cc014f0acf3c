/** What a row of the fault registry says. */
import type { ServiceName } from './access.ts'

/** Where faults act. Each point is a port that services are given, or a moment in the life of a partition. */
export const faultPoints = {
  firmware: 'RTAS calls and dumps of one partition’s firmware',
  network: 'requests of a service and their replies',
  disk: 'the dump store’s disk',
  clock: 'the clock that a service reads',
  queue: 'jobs as a worker is given them',
  'redis-memory': 'the store of partition memory',
  'redis-control': 'queues and the event stream',
  process: 'the process of a service',
  life: 'a moment in the life of a partition, at which the console acts as a user would',
} as const
export type FaultPoint = keyof typeof faultPoints

/** What the number of a fault means; `none`: it takes none. */
export type FaultValue = 'rtas-status' | 'flags' | 'bytes' | 'count' | 'ms' | 'moment' | 'none'

/** What `at` names. */
export type FaultPlace = 'operation' | 'file' | 'queue' | 'store-call' | 'step' | 'none'

/** What must never happen, whatever strikes (docs/principles.md). */
export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5'

export interface FaultRow {
  readonly point: FaultPoint
  /** Services in which it can strike. */
  readonly services: readonly ServiceName[]
  readonly does: string
  readonly value: FaultValue
  /** The value when none is given. */
  readonly default?: number
  readonly place: FaultPlace
  /** The places it acts at; default: all of the kind. */
  readonly places?: readonly string[]
  /** Which invariants are in danger, and what comes out when they hold. */
  readonly expects: { readonly holds: readonly Invariant[]; readonly outcome: string }
  /** Rows of the catalogue of failures in docs/faults.md. */
  readonly catalogue: readonly number[]
}
