/** One at a time per key: a fair mutex for the asynchronous work of one process. */

export class KeyedMutex {
  readonly #tails = new Map<string, Promise<void>>()

  /** Keys that are held now. */
  get held(): number {
    return this.#tails.size
  }

  /** Runs `task` when all earlier tasks of `key` have ended, in order of call; its outcome is the caller's. */
  async run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key)
    const { promise: tail, resolve: release } = Promise.withResolvers<void>()
    this.#tails.set(key, tail)
    if (before !== undefined) await before
    try {
      return await task()
    } finally {
      if (this.#tails.get(key) === tail) this.#tails.delete(key)
      release()
    }
  }
}
