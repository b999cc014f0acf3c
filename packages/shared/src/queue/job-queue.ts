/**
 * Work handed from one service to another: the port. Implementations: in-process, BullMQ.
 *
 * Jobs carry ids and addresses, never memory. Delivery is at least once: a handler whose process dies is run again
 * elsewhere after the lease ends, so handlers are idempotent.
 */
import type { QueueDefinition } from '../contracts/index.ts'

export interface ClaimedJob<Payload> {
  readonly id: string
  readonly payload: Payload
  /** 1 for the first run. Runs that died with their process count; runs handed back because a worker stopped do not. */
  readonly attempt: number
  /** Aborts when the lease is lost or the worker is told to stop: hand the work back quickly. */
  readonly signal: AbortSignal
}

/** Throw from a handler to fail the job at once, without further attempts. */
export class UnrecoverableJobError extends Error {
  override readonly name = 'UnrecoverableJobError'
}

export type JobHandler<Payload> = (job: ClaimedJob<Payload>) => Promise<void>

export interface WorkerOptions {
  /** Jobs of this queue that one process runs at the same time. */
  readonly concurrency: number
  /** Told once per job that is given up: attempts exhausted or `UnrecoverableJobError`. */
  readonly onFailed?: (
    job: { readonly id: string; readonly payload: unknown },
    cause: Error,
  ) => void
}

export interface QueueCounts {
  readonly waiting: number
  readonly active: number
  readonly delayed: number
  readonly failed: number
}

export interface JobQueue<Payload> {
  /**
   * Adds a job. The same `id` while that job is waiting or running is the same job: nothing is added. `id` is 1 to 128
   * letters, digits and `. _ / -`. Errors: `UnavailableError`; a refused id or payload is a programmer error.
   */
  add(id: string, payload: Payload): Promise<void>
  /**
   * Starts to take jobs; disposing stops: running handlers see their signal abort and are awaited. A handler that then
   * throws has handed its job back; one that returns has completed it. Errors: `UnavailableError`.
   */
  work(handler: JobHandler<Payload>, options: WorkerOptions): Promise<AsyncDisposable>
  counts(): Promise<QueueCounts>
}

/** Opens queues on one backend. */
export interface JobQueues extends AsyncDisposable {
  open<Payload>(definition: QueueDefinition<Payload>): JobQueue<Payload>
}
