/** What a host uses, until it dies: after so many operations everything fails, as for a process that is gone. */
import type { Fetch } from '@fadump-lab/shared/http'
import type { MemoryStore } from '@fadump-lab/shared/store'

export class Mortal {
  readonly died: Promise<void>
  #left: number
  readonly #die: () => void
  #operations = 0

  /** Dies at operation number `operations`: every other time before it takes effect, else behind it. */
  constructor(operations: number) {
    this.#left = operations
    const { promise, resolve } = Promise.withResolvers<void>()
    this.died = promise
    this.#die = resolve
  }

  /** Operations so far. */
  get operations(): number {
    return this.#operations
  }

  async run<T>(operation: () => Promise<T>): Promise<T> {
    this.#operations += 1
    this.#left -= 1
    if (this.#left > 0) return operation()
    if (this.#left === 0 && this.#operations % 2 === 0) await operation()
    this.#die()
    throw new Error('this host is dead')
  }

  store(store: MemoryStore): MemoryStore {
    return new Proxy(store, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name)
        if (typeof member !== 'function') return member
        const call = member.bind(target) as (...args: unknown[]) => Promise<unknown>
        return (...args: unknown[]) => this.run(() => call(...args))
      },
    })
  }

  readonly fetch: Fetch = (input, init) => this.run(() => fetch(input, init))
}
