/** One worker of one BullMQ queue: claims jobs, keeps their leases, hands back what it cannot finish. */
import { UnrecoverableError, WaitingError, Worker, type Job, type JobJson } from 'bullmq'
import { backoffDelayMs, systemClock } from '../runtime/index.ts'
import { UnrecoverableJobError, type WorkerOptions } from './job-queue.ts'
import { toError, type QueueBounds, type StoredJobHandler } from './job-rules.ts'
import type { RedisLink } from './redis-link.ts'

/** Checks for jobs whose lease has ended, per lease: such a job is found within one more half lease. */
const leaseChecks = 4
/** How long at most Redis holds a worker's question when there is nothing to do. */
const idleSeconds = 2
/** Pause before BullMQ repeats an operation that a lost connection broke. */
const repeatMs = 1_000

export interface BullmqWorkerParts {
  readonly definition: QueueBounds
  readonly options: WorkerOptions
  readonly handler: StoredJobHandler
  readonly prefix: string
  /** What stored ids have in front. */
  readonly idPrefix: string
  /** The worker's own: it ends with the worker. */
  readonly link: RedisLink
}

export class BullmqWorker implements AsyncDisposable {
  readonly #parts: BullmqWorkerParts
  readonly #worker: LeaseWorker
  readonly #runs = new Map<string, LeasedRun>()
  #isStopping = false

  constructor(parts: BullmqWorkerParts) {
    const { definition, options, link, prefix } = parts
    this.#parts = parts
    this.#worker = new LeaseWorker(definition.name, (job, token) => this.#process(job, token), {
      connection: link.redis,
      prefix,
      concurrency: options.concurrency,
      lockDuration: definition.leaseMs,
      stalledInterval: Math.max(1, Math.floor(definition.leaseMs / leaseChecks)),
      // The handler itself refuses the run after the last: it knows all runs, not only the stalled ones.
      maxStalledCount: definition.attemptsMax,
      drainDelay: idleSeconds,
      runRetryDelay: repeatMs,
      settings: { backoffStrategy: (attemptsMade) => backoffDelayMs(definition, attemptsMade) },
    })
    this.#worker.on('error', (error) => link.report(error))
    this.#worker.on('locksRenewed', ({ jobIds }) => {
      for (const id of jobIds) this.#runs.get(id)?.renew()
    })
    this.#worker.on('lockRenewalFailed', (jobIds) => {
      for (const id of jobIds) this.#runs.get(id)?.lose()
    })
    this.#worker.on('failed', (job, error) => this.#tellFailed(job, error))
  }

  /** Resolves when jobs are being taken. Errors: `UnavailableError`. */
  async ready(): Promise<void> {
    await this.#parts.link.answer(() => this.#worker.waitUntilReady())
  }

  /** Handlers see their signal abort and are awaited; Redis is waited for no longer than `closeTimeoutMs`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true
    const closed = this.#worker.close()
    for (const run of this.#runs.values()) run.stop()
    await Promise.all([...this.#runs.values()].map((run) => run.ended))
    if (!(await this.#parts.link.goodbye(closed))) this.#worker.abandon()
    await this.#parts.link[Symbol.asyncDispose]()
  }

  async #process(job: Job, token: string | undefined): Promise<void> {
    try {
      await this.#run(job)
    } catch (thrown) {
      const error = toError(thrown)
      if (error instanceof UnrecoverableJobError) throw unrecoverable(error)
      if (!this.#isStopping) throw this.#isLastRun(job) ? unrecoverable(error) : error
      await job.moveToWait(token)
      throw new WaitingError()
    }
  }

  async #run(job: Job): Promise<void> {
    const storedId = job.id ?? ''
    const id = storedId.slice(this.#parts.idPrefix.length)
    using run = new LeasedRun(id, this.#parts.definition.leaseMs)
    this.#runs.set(storedId, run)
    try {
      if (this.#isStopping) throw new Error('the worker stops')
      await this.#parts.handler({
        id,
        payload: job.data,
        attempt: job.attemptsMade + job.stalledCounter + 1,
        signal: run.signal,
        traceparent: traceparentOf(job),
      })
    } finally {
      if (this.#runs.get(storedId) === run) this.#runs.delete(storedId)
    }
  }

  /** BullMQ counts runs that ended in an error; runs that ended with their process count as well. */
  #isLastRun(job: Job): boolean {
    return job.attemptsMade + job.stalledCounter + 1 >= this.#parts.definition.attemptsMax
  }

  #tellFailed(job: Job | undefined, error: Error): void {
    if (job?.id === undefined || job.finishedOn === undefined) return
    const cause =
      error instanceof UnrecoverableError && error.cause instanceof Error ? error.cause : error
    const id = job.id.slice(this.#parts.idPrefix.length)
    this.#parts.options.onFailed?.({ id, payload: job.data }, cause)
  }
}

/** The lease of one run as its holder sees it: it ends unless it is renewed in time. */
class LeasedRun implements Disposable {
  readonly #id: string
  readonly #leaseMs: number
  readonly #abort = new AbortController()
  readonly #ended = Promise.withResolvers<void>()
  #expiry: Disposable

  constructor(id: string, leaseMs: number) {
    this.#id = id
    this.#leaseMs = leaseMs
    this.#expiry = this.#expireLater()
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Resolves when the run is over. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  renew(): void {
    this.#expiry[Symbol.dispose]()
    this.#expiry = this.#expireLater()
  }

  lose(): void {
    this.#abort.abort(new Error(`the lease of job ${this.#id} is lost`))
  }

  stop(): void {
    this.#abort.abort(new Error('the worker stops'))
  }

  [Symbol.dispose](): void {
    this.#expiry[Symbol.dispose]()
    this.#ended.resolve()
  }

  #expireLater(): Disposable {
    return systemClock.schedule(this.#leaseMs, () => this.lose())
  }
}

class LeaseWorker extends Worker {
  /** Also bounds what BullMQ's watchdog of a lost connection keeps a process alive. */
  override get maximumBlockTimeout(): number {
    return idleSeconds
  }

  /** Ends what `close` could not: it waits for ever when Redis is away (taskforcesh/bullmq issue 4656). */
  abandon(): void {
    void this.lockManager.close()
    // The timer of the next check for stalled jobs; BullMQ itself ends it last of all.
    this['stalledCheckStopper']?.()
    void this.getBackend()
      .blockingClient?.then((client) => client.disconnect())
      .catch(() => {})
  }

  /** A payload that is not JSON is read as null, which no schema takes: the job fails instead of stalling for ever. */
  protected override createJob(stored: JobJson, jobId: string): Job {
    try {
      return super.createJob(stored, jobId)
    } catch {
      return super.createJob({ ...stored, data: 'null' }, jobId)
    }
  }
}

/** From the options as Redis has them: whatever somebody may have written there. */
function traceparentOf(job: Job): string | undefined {
  const metadata: unknown = job.opts.telemetry?.metadata
  return typeof metadata === 'string' ? metadata : undefined
}

function unrecoverable(cause: Error): UnrecoverableError {
  return Object.assign(new UnrecoverableError(cause.message), { cause })
}
