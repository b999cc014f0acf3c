/**
 * Work that goes on after a request has been answered. Each piece has a key; a piece that is asked for again while it
 * runs is run once more afterwards, so no request is lost and no two runs of a key overlap.
 */
import { boundToSpan, type Logger } from '@fadump-lab/shared/telemetry'

export type Work = (signal: AbortSignal) => Promise<void>

interface Entry {
  /** What is to be run next, as part of what has asked for it last. */
  again: Work | undefined
  done: Promise<void>
}

export class Background implements AsyncDisposable {
  readonly #logger: Logger
  readonly #stop = new AbortController()
  readonly #running = new Map<string, Entry>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** Runs `work`, now or after the run of the same key that is under way. Nothing starts once disposed. */
  start(key: string, work: Work): void {
    const running = this.#running.get(key)
    if (running !== undefined) {
      running.again = boundToSpan(work)
    } else if (!this.#stop.signal.aborted) {
      const entry: Entry = { again: work, done: Promise.resolve() }
      this.#running.set(key, entry)
      entry.done = this.#run(key, entry)
    }
  }

  /** Aborts what runs and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('the hypervisor stops'))
    await Promise.all([...this.#running.values()].map((entry) => entry.done))
  }

  async #run(key: string, entry: Entry): Promise<void> {
    const { signal } = this.#stop
    try {
      for (let work = entry.again; work !== undefined && !signal.aborted; work = entry.again) {
        entry.again = undefined
        await work(signal)
      }
    } catch (error) {
      if (!signal.aborted) this.#logger.error({ err: error, key }, 'background work failed')
    } finally {
      this.#running.delete(key)
    }
  }
}
