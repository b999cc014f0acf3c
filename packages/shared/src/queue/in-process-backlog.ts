/** The jobs of one in-process queue and the workers that take them. */
import { backoffDelayMs, type Clock } from '../runtime/index.ts'
import { invariant } from '../units/index.ts'
import { UnrecoverableJobError, type QueueCounts, type WorkerOptions } from './job-queue.ts'
import { failedJobsMax, toError, type QueueBounds, type StoredJobHandler } from './job-rules.ts'

export interface NewJob {
  readonly id: string
  /** JSON text. */
  readonly payload: string
  readonly traceparent: string | undefined
}

interface Job extends NewJob {
  /** Runs that ended in an error or in a lost lease. */
  attemptsMade: number
  /** The run that holds the lease. */
  run: Run | undefined
}

interface Run {
  readonly job: Job
  readonly worker: Worker
  readonly abort: AbortController
}

interface Worker {
  readonly handler: StoredJobHandler
  readonly options: WorkerOptions
  readonly runs: Map<Run, Promise<void>>
  state: 'taking' | 'stopping' | 'dead'
}

export interface InProcessWorker extends AsyncDisposable {
  /**
   * As if the worker's process died: it takes no further job and gives no sign of life. What it runs goes to
   * somebody else after the lease; handlers that still run then see their signal abort, and their outcome is ignored.
   */
  kill(): void
}

export class InProcessBacklog implements AsyncDisposable {
  readonly definition: QueueBounds
  readonly #clock: Clock
  /** Every job that is waiting, delayed or active. */
  readonly #jobs = new Map<string, Job>()
  /** The next one first. */
  readonly #waiting: Job[] = []
  /** Ids, the oldest first. */
  readonly #failed = new Set<string>()
  readonly #workers = new Set<Worker>()
  readonly #timers = new Set<Disposable>()

  constructor(definition: QueueBounds, clock: Clock) {
    this.definition = definition
    this.#clock = clock
  }

  add(added: NewJob): void {
    const { id } = added
    if (this.#jobs.has(id)) return
    this.#failed.delete(id)
    const job: Job = { ...added, attemptsMade: 0, run: undefined }
    this.#jobs.set(id, job)
    this.#waiting.push(job)
    this.#dispatch()
  }

  work(handler: StoredJobHandler, options: WorkerOptions): InProcessWorker {
    invariant(
      options.concurrency >= 1,
      `concurrency must be at least 1, not ${options.concurrency}`,
    )
    const worker: Worker = { handler, options, runs: new Map(), state: 'taking' }
    this.#workers.add(worker)
    this.#dispatch()
    return {
      kill: () => this.#kill(worker),
      [Symbol.asyncDispose]: () => this.#stop(worker),
    }
  }

  counts(): QueueCounts {
    const active = [...this.#jobs.values()].filter((job) => job.run !== undefined).length
    const waiting = this.#waiting.length
    return {
      waiting,
      active,
      delayed: this.#jobs.size - waiting - active,
      failed: this.#failed.size,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#workers].map((worker) => this.#stop(worker)))
    for (const timer of this.#timers) timer[Symbol.dispose]()
    this.#timers.clear()
    this.#jobs.clear()
    this.#waiting.length = 0
  }

  #dispatch(): void {
    for (;;) {
      const worker = this.#idlest()
      const job = worker === undefined ? undefined : this.#waiting.shift()
      if (worker === undefined || job === undefined) return
      const run: Run = { job, worker, abort: new AbortController() }
      job.run = run
      worker.runs.set(run, this.#run(run))
    }
  }

  /** The taking worker with the fewest runs that has room for one more; of equal ones the first that came. */
  #idlest(): Worker | undefined {
    let idlest: Worker | undefined
    for (const worker of this.#workers) {
      const hasRoom = worker.state === 'taking' && worker.runs.size < worker.options.concurrency
      if (hasRoom && worker.runs.size < (idlest?.runs.size ?? Infinity)) idlest = worker
    }
    return idlest
  }

  async #run(run: Run): Promise<void> {
    const { job, worker, abort } = run
    let cause: Error | undefined
    try {
      // A handler never runs within the call of add() or work().
      await Promise.resolve()
      const payload: unknown = JSON.parse(job.payload)
      await worker.handler({
        id: job.id,
        payload,
        attempt: job.attemptsMade + 1,
        signal: abort.signal,
        traceparent: job.traceparent,
      })
    } catch (error) {
      cause = toError(error)
    }
    worker.runs.delete(run)
    if (job.run !== run || worker.state === 'dead') return
    job.run = undefined
    this.#settle(run, cause)
    this.#dispatch()
  }

  #settle(run: Run, cause: Error | undefined): void {
    const { job, worker } = run
    if (cause === undefined) {
      this.#jobs.delete(job.id)
    } else if (cause instanceof UnrecoverableJobError) {
      this.#giveUp(run, cause)
    } else if (worker.state === 'stopping') {
      this.#waiting.unshift(job)
    } else {
      job.attemptsMade++
      if (job.attemptsMade >= this.definition.attemptsMax) this.#giveUp(run, cause)
      else
        this.#later(backoffDelayMs(this.definition, job.attemptsMade), () =>
          this.#waiting.push(job),
        )
    }
  }

  #giveUp(run: Run, cause: Error): void {
    const { job, worker } = run
    this.#jobs.delete(job.id)
    this.#failed.add(job.id)
    for (const oldest of this.#failed) {
      if (this.#failed.size <= failedJobsMax) break
      this.#failed.delete(oldest)
    }
    worker.options.onFailed?.({ id: job.id, payload: JSON.parse(job.payload) }, cause)
  }

  #later(ms: number, then: () => void): void {
    const timer = this.#clock.schedule(ms, () => {
      this.#timers.delete(timer)
      then()
      this.#dispatch()
    })
    this.#timers.add(timer)
  }

  async #stop(worker: Worker): Promise<void> {
    this.#workers.delete(worker)
    if (worker.state === 'taking') worker.state = 'stopping'
    if (worker.state === 'dead') return
    for (const run of worker.runs.keys()) run.abort.abort(new Error('the worker stops'))
    await Promise.all(worker.runs.values())
  }

  #kill(worker: Worker): void {
    this.#workers.delete(worker)
    worker.state = 'dead'
    for (const run of worker.runs.keys()) {
      this.#later(this.definition.leaseMs, () => this.#loseLease(run))
    }
  }

  #loseLease(run: Run): void {
    run.job.run = undefined
    run.job.attemptsMade++
    this.#waiting.unshift(run.job)
    run.abort.abort(new Error(`the lease of job ${run.job.id} ended`))
  }
}
