/**
 * The machine room's one event stream: every transition of every aggregate is one row, so the whole story of one
 * crash can be read in one place. Port; implementations: heap, Redis Stream. Bounded: the oldest rows go first.
 */
import type { LabEvent } from '../contracts/index.ts'

/** Rows kept; older ones are dropped. */
export const eventRowsMax = 100_000

export interface EventRow {
  /** Opaque and ordered: pass it back as `after`. */
  readonly id: string
  readonly event: LabEvent
}

export interface EventLog extends AsyncDisposable {
  /** The id of the new row. Errors: `UnavailableError`; an event that its schema refuses is a programmer error. */
  append(event: LabEvent): Promise<string>
  /**
   * Rows after `after` (from the oldest kept when undefined), at most `limit`, oldest first. Errors:
   * `UnavailableError`; `RangeError` when `after` has not the form of a row's id, as `follow`.
   */
  read(after: string | undefined, limit: number): Promise<readonly EventRow[]>
  /** Rows after `after` (only new ones when undefined), as they come, until `signal` aborts. */
  follow(after: string | undefined, signal: AbortSignal): AsyncIterable<EventRow>
}
