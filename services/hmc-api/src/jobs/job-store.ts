/**
 * The console's jobs. Kept in memory and bounded: a job is a view of work that others own, so a restarted console
 * loses the view, never the work (docs/limits.md).
 */
import { jobMachine, Problem, type HmcJob } from '@fadump-lab/shared/contracts'
import { invariant } from '@fadump-lab/shared/units'

/** Jobs remembered; the oldest ended ones go first. */
const jobsMax = 10_000

export class JobStore {
  readonly #jobs = new Map<string, HmcJob>()

  add(job: HmcJob): void {
    this.#jobs.set(job.id, job)
    this.#evict()
  }

  get(id: string): HmcJob {
    const job = this.#jobs.get(id)
    if (job !== undefined) return job
    throw new Problem('not-found', `no job ${id}; a console remembers its last ${jobsMax} jobs`)
  }

  /** Newest first. */
  list(): HmcJob[] {
    return [...this.#jobs.values()].toReversed()
  }

  running(): number {
    return this.list().filter((job) => job.state === 'running').length
  }

  update(id: string, change: Partial<HmcJob>): HmcJob {
    const job = { ...this.get(id), ...change }
    this.#jobs.set(id, job)
    return job
  }

  /** Ends the job by an event of its machine. */
  end(id: string, event: 'succeed' | 'fail', change: Partial<HmcJob>): HmcJob {
    const state = jobMachine.next(this.get(id).state, event)
    invariant(state !== undefined, `job ${id} cannot ${event} in state ${this.get(id).state}`)
    return this.update(id, { ...change, state })
  }

  #evict(): void {
    for (const [id, job] of this.#jobs) {
      if (this.#jobs.size <= jobsMax) return
      if (job.state !== 'running') this.#jobs.delete(id)
    }
  }
}
