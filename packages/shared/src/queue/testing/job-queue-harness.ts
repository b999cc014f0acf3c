/** What the conformance suite of the job queues stands on: the harness, one queue, and handlers that take notes. */
import { z } from 'zod'
import type { ClaimedJob, JobQueue, JobQueues, QueueDefinition, WorkerOptions } from '../index.ts'

export interface JobQueueHarness extends AsyncDisposable {
  /** On a backend that nobody else uses. */
  readonly queues: JobQueues
  /** Milliseconds on the clock that the backend goes by. */
  now(): number
  /** Awaits `work`, letting time pass if it needs time. */
  wait<T>(work: Promise<T>): Promise<T>
  /** Resolves when `condition` holds. */
  eventually(what: string, condition: () => boolean | Promise<boolean>): Promise<void>
}

export interface Boot {
  readonly partition: string
  readonly epoch: number
}

export const boots: QueueDefinition<Boot> = {
  name: 'boots',
  payload: z.strictObject({ partition: z.string(), epoch: z.int() }),
  attemptsMax: 4,
  backoffMs: 20,
  backoffMsMax: 50,
  leaseMs: 2_000,
}
export const p1: Boot = { partition: 'p1', epoch: 1 }
/** The counts of an empty queue. */
export const nothing = { waiting: 0, active: 0, delayed: 0, failed: 0 }

/** A test with its own harness and the queue `boots` on it. */
export type QueueTest = (
  title: string,
  run: (harness: JobQueueHarness, queue: JobQueue<Boot>) => Promise<void>,
) => void

/** Whether no job waits, runs or is delayed; failed ones may be kept. */
export async function isEmpty(queue: Pick<JobQueue<Boot>, 'counts'>): Promise<boolean> {
  const { waiting, active, delayed } = await queue.counts()
  return waiting + active + delayed === 0
}

/** Resolves when `signal` has aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

export interface Recorder {
  readonly taken: Promise<readonly string[]>
  readonly handler: (job: ClaimedJob<Boot>) => Promise<void>
}

/** A handler that notes jobs, and the promise of the first `count` notes. */
export function recorder(
  count: number,
  note: (job: ClaimedJob<Boot>) => string = (job) => job.id,
): Recorder {
  const notes: string[] = []
  const { promise: taken, resolve } = Promise.withResolvers<readonly string[]>()
  const handler = async (job: ClaimedJob<Boot>) => {
    notes.push(note(job))
    if (notes.length === count) resolve(notes)
  }
  return { taken, handler }
}

export interface Failure {
  readonly id: string
  readonly payload: unknown
  readonly cause: string
}

export interface Failures {
  readonly given: Promise<readonly Failure[]>
  readonly onFailed: NonNullable<WorkerOptions['onFailed']>
}

/** An `onFailed` that notes its calls, and the promise of the first `count` notes. */
export function failures(count: number): Failures {
  const notes: Failure[] = []
  const { promise: given, resolve } = Promise.withResolvers<readonly Failure[]>()
  const onFailed = (job: { readonly id: string; readonly payload: unknown }, cause: Error) => {
    notes.push({ ...job, cause: cause.message })
    if (notes.length === count) resolve(notes)
  }
  return { given, onFailed }
}
