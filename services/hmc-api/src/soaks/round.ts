/** Those who wait for each other: the last to come lets all go. */
export class Barrier {
  #missing: number
  readonly #open = Promise.withResolvers<void>()

  constructor(count: number) {
    this.#missing = count
    if (count <= 0) this.#open.resolve()
  }

  async arrive(): Promise<void> {
    this.#missing -= 1
    if (this.#missing <= 0) this.#open.resolve()
    await this.#open.promise
  }
}

/** At most so many at a time, in order of asking. */
export class Turnstile {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(width: number) {
    this.#free = width
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await task()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free += 1
      else next()
    }
  }
}
