/** Work that goes on after a request has been answered; it is awaited when the host stops. */
import type { Logger } from '@fadump-lab/shared/telemetry'

export class Background implements AsyncDisposable {
  readonly #logger: Logger
  readonly #running = new Set<Promise<void>>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  run(name: string, work: () => Promise<void>): void {
    const task = this.#finish(name, work)
    this.#running.add(task)
    void task.then(() => this.#running.delete(task))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#running)
  }

  async #finish(name: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#logger.error({ err: error, work: name }, 'background work failed')
    }
  }
}
