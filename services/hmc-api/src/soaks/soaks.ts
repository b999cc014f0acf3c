/** The soaks of one console: a few at a time, the last of them remembered. */
import { Problem, type NewSoak, type Soak, type SoakReport } from '@fadump-lab/shared/contracts'
import type { Random } from '@fadump-lab/shared/runtime'
import { SoakRun } from './soak-run.ts'
import type { SoakTools } from './soak-tools.ts'

/** Soaks under way; their fleets share one machine. */
const runningMax = 2
/** Remembered with their reports; the oldest that is over goes first. */
const soaksMax = 10

export class Soaks {
  readonly #tools: SoakTools
  readonly #random: Random
  readonly #runs = new Map<string, SoakRun>()
  readonly #tasks = new Set<Promise<void>>()
  readonly #stop = new AbortController()

  constructor(tools: SoakTools, random: Random) {
    this.#tools = tools
    this.#random = random
  }

  /** Errors: `conflict` when enough are under way. */
  start(asked: NewSoak, correlationId: string): Soak {
    if (this.#tasks.size >= runningMax) {
      throw new Problem(
        'conflict',
        `${runningMax} soaks are under way; stop one or wait for its end`,
      )
    }
    const random = this.#random
    const id = `soak-${random.hex(3)}`
    const seed = asked.seed ?? random.int(2 ** 32)
    const run = new SoakRun(this.#tools, {
      id,
      asked,
      seed,
      correlationId,
      signal: this.#stop.signal,
    })
    this.#runs.set(id, run)
    this.#evict()
    const task = run.run().finally(() => this.#tasks.delete(task))
    this.#tasks.add(task)
    return run.soak
  }

  /** Newest first. */
  list(): Soak[] {
    return [...this.#runs.values()].map(({ soak }) => soak).toReversed()
  }

  get(id: string): Soak {
    return this.#find(id).soak
  }

  /** Errors: `wrong-state` while the soak goes on. */
  report(id: string): SoakReport {
    const { report, soak } = this.#find(id)
    if (report !== undefined) return report
    throw new Problem(
      'wrong-state',
      `soak ${id} is ${soak.state}: its report comes when it is over`,
      {
        extensions: { state: soak.state, allowedStates: ['passed', 'failed', 'stopped'] },
      },
    )
  }

  stop(id: string): Soak {
    const run = this.#find(id)
    run.stop()
    return run.soak
  }

  /** Ends all of them; fleets of soaks that are cut off here stay. */
  async close(): Promise<void> {
    this.#stop.abort(new Error('the console is stopping'))
    await Promise.all(this.#tasks)
  }

  #find(id: string): SoakRun {
    const run = this.#runs.get(id)
    if (run !== undefined) return run
    throw new Problem('not-found', `no soak ${id}; a console remembers its last ${soaksMax} soaks`)
  }

  #evict(): void {
    for (const [id, { report }] of this.#runs) {
      if (this.#runs.size <= soaksMax) return
      if (report !== undefined) this.#runs.delete(id)
    }
  }
}
