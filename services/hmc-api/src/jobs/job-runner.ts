/** Runs long operations behind a 202: one task per job, its steps and its end kept in the job store and the events. */
import { Problem, type HmcJob } from '@fadump-lab/shared/contracts'
import { traced } from '@fadump-lab/shared/telemetry'
import type { HmcApiDeps } from '../deps.ts'
import { JobStore } from './job-store.ts'

/** Jobs that run at the same time; more are refused. */
const runningMax = 2_000

/** What an operation may tell while it runs. */
export interface JobContext {
  readonly correlationId: string
  /** Aborts at the job's deadline and when the console stops. */
  readonly signal: AbortSignal
  /** Jobs of this console that run now: who waits looks the less often the more they are. */
  readonly crowd: () => number
  step(text: string): void
  dump(id: string): void
}

export interface NewJob {
  readonly operation: HmcJob['operation']
  readonly partition: string
  readonly correlationId: string
  readonly run: (context: JobContext) => Promise<void>
}

export class JobRunner {
  readonly store = new JobStore()
  readonly #deps: HmcApiDeps
  readonly #stopping = new AbortController()
  readonly #tasks = new Map<string, Promise<void>>()

  constructor(deps: HmcApiDeps) {
    this.#deps = deps
  }

  /** Starts the operation and answers with the running job. */
  start(job: NewJob): HmcJob {
    if (this.store.running() >= runningMax) {
      throw new Problem(
        'dependency-unavailable',
        `${runningMax} jobs are running; wait for some to end`,
      )
    }
    const id = `job-${this.#deps.random.hex(8)}`
    this.store.add({
      id,
      operation: job.operation,
      partition: job.partition,
      state: 'running',
      step: 'started',
      startedAt: this.#deps.clock.iso(),
      correlationId: job.correlationId,
    })
    const task = this.#run(id, job).finally(() => this.#tasks.delete(id))
    this.#tasks.set(id, task)
    return this.store.get(id)
  }

  /** The job once it has ended, for callers in this process. */
  async ended(id: string): Promise<HmcJob> {
    await this.#tasks.get(id)
    return this.store.get(id)
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the console is stopping'))
    await Promise.all(this.#tasks.values())
  }

  async #run(id: string, job: NewJob): Promise<void> {
    const deadline = new AbortController()
    const timer = new AbortController()
    const { clock, jobTimeoutMs } = this.#deps
    void clock.sleep(jobTimeoutMs, timer.signal).then(
      () =>
        deadline.abort(
          new Error(`not done after ${jobTimeoutMs / 1000} s, at: ${this.store.get(id).step}`),
        ),
      () => undefined,
    )
    try {
      const work: JobContext = {
        correlationId: job.correlationId,
        signal: AbortSignal.any([deadline.signal, this.#stopping.signal]),
        crowd: () => this.#tasks.size,
        step: (step) => void this.store.update(id, { step }),
        dump: (dump) => void this.store.update(id, { dump }),
      }
      const attributes = () => ({ 'fadump.partition': job.partition, 'fadump.hmc_job': id })
      const name = `job ${job.operation}`
      await traced({ name, kind: 'internal', attributes }, () => job.run(work))
      await this.#end(id, 'succeed', {})
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error)
      this.#deps.logger.warn({ err: error, job: id, partition: job.partition }, 'job failed')
      await this.#end(id, 'fail', { failure: failure.slice(0, 1024) })
    } finally {
      timer.abort()
    }
  }

  async #end(id: string, event: 'succeed' | 'fail', change: Partial<HmcJob>): Promise<void> {
    const { clock, events, metrics, logger } = this.#deps
    const job = this.store.end(id, event, { ...change, completedAt: clock.iso() })
    metrics.count('fadump_jobs_total', { operation: job.operation, outcome: job.state })
    const row = {
      time: clock.iso(),
      service: 'hmc-api',
      aggregate: 'job',
      subject: id,
      event,
      from: 'running',
      to: job.state,
      correlationId: job.correlationId,
      detail: {
        operation: job.operation,
        partition: job.partition,
        ...(job.dump === undefined ? {} : { dump: job.dump }),
        ...(job.failure === undefined ? {} : { failure: job.failure }),
      },
    } as const
    await events.append(row).catch((error: unknown) => {
      logger.error({ err: error, job: id }, 'event not recorded')
    })
  }
}
