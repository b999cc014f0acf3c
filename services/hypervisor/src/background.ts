/**
 * Work that goes on after a request has been answered. Each piece has a key; a piece that is asked for again while it
 * runs is run once more afterwards, so no request is lost and no two runs of a key overlap.
 */
import type { Logger } from '@fadump-lab/shared/telemetry'

export type Work = (signal: AbortSignal) => Promise<void>

export class Background implements AsyncDisposable {
  readonly #logger: Logger
  readonly #stop = new AbortController()
  readonly #running = new Map<string, { again: boolean; readonly done: Promise<void> }>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** Runs `work`, now or after the run of the same key that is under way. Nothing starts once disposed. */
  start(key: string, work: Work): void {
    const running = this.#running.get(key)
    if (running !== undefined) {
      running.again = true
    } else if (!this.#stop.signal.aborted) {
      const entry = { again: false, done: Promise.resolve() }
      this.#running.set(key, entry)
      entry.done = this.#run(key, work, entry)
    }
  }

  /** Aborts what runs and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('the hypervisor stops'))
    await Promise.all([...this.#running.values()].map((entry) => entry.done))
  }

  async #run(key: string, work: Work, entry: { again: boolean }): Promise<void> {
    const { signal } = this.#stop
    try {
      do {
        entry.again = false
        await work(signal)
      } while (entry.again && !signal.aborted)
    } catch (error) {
      if (!signal.aborted) this.#logger.error({ err: error, key }, 'background work failed')
    } finally {
      this.#running.delete(key)
    }
  }
}
