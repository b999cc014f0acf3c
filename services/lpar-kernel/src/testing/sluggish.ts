/** A host that stands still at one of its operations until it may go on. */
import { Mortal } from './mortal.ts'

export class Sluggish extends Mortal {
  #stopsAt: number
  readonly #reached = Promise.withResolvers<void>()
  readonly #released = Promise.withResolvers<void>()
  #done = 0

  /** Stands still at operation number `operations`: every other time before it takes effect, else behind it. */
  constructor(operations: number) {
    super(Number.MAX_SAFE_INTEGER)
    this.#stopsAt = operations
  }

  /** Resolves when it stands still. */
  get reached(): Promise<void> {
    return this.#reached.promise
  }

  /** Moves the place where it stands still to `operations` from now. */
  stopIn(operations: number): void {
    this.#stopsAt = this.#done + operations
  }

  goOn(): void {
    this.#released.resolve()
  }

  override async run<T>(operation: () => Promise<T>): Promise<T> {
    this.#done += 1
    const isHere = this.#done === this.#stopsAt
    if (isHere && this.#stopsAt % 2 === 1) await this.#standStill()
    const outcome = await super.run(operation)
    if (isHere && this.#stopsAt % 2 === 0) await this.#standStill()
    return outcome
  }

  #standStill(): Promise<void> {
    this.#reached.resolve()
    return this.#released.promise
  }
}
