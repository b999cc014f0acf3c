/**
 * A clock that moves only when told: for tests and for `lab simulate`.
 *
 * Timers fire in the order of their due time, equal ones in the order they were started; after each one everything
 * that can run without further time runs to its end. Work on threads or sockets is not awaited: virtual time is for
 * code that waits on the clock alone.
 */
import { invariant } from '../units/index.ts'
import { checkedDelay, sleepOn, type Clock } from './clock.ts'

interface Timer {
  readonly due: number
  readonly task: () => void
}

export class VirtualClock implements Clock {
  #now: number
  readonly #timers = new Set<Timer>()

  /** Starts at 2024-01-01T00:00:00.000Z unless told otherwise. */
  constructor(startMs: number = Date.UTC(2024, 0, 1)) {
    this.#now = startMs
  }

  now(): number {
    return this.#now
  }

  iso(): string {
    return new Date(this.#now).toISOString()
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, ms, signal)
  }

  schedule(ms: number, task: () => void): Disposable {
    const timer: Timer = { due: this.#now + checkedDelay(ms), task }
    this.#timers.add(timer)
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) }
  }

  /** Timers that have not fired yet. */
  get pending(): number {
    return this.#timers.size
  }

  /** Moves time on by `ms`, firing on the way every timer that comes due, also those started meanwhile. */
  async advance(ms: number): Promise<void> {
    invariant(ms >= 0, `virtual time cannot go back by ${-ms} ms`)
    const end = this.#now + ms
    await this.#settle()
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      await this.#fire(timer)
    }
    this.#now = end
  }

  /** Moves time on to the next timer and fires it. `false` when there is none. */
  async advanceToNext(): Promise<boolean> {
    await this.#settle()
    return this.#fireNext()
  }

  /** Moves time on, timer by timer, until `work` settles. A `work` that no timer can finish is a programmer error. */
  async runUntil<T>(work: Promise<T>): Promise<T> {
    let settled = false
    const mark = () => void (settled = true)
    work.then(mark, mark)
    await this.#settle()
    while (!settled) {
      const moved = await this.#fireNext()
      invariant(
        moved || settled,
        'virtual time stands still: the awaited work waits on nothing that is timed',
      )
    }
    return work
  }

  /** `false` when there is none. What ran before has settled. */
  async #fireNext(): Promise<boolean> {
    const timer = this.#next(Infinity)
    if (timer === undefined) return false
    await this.#fire(timer)
    return true
  }

  #next(end: number): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.due > end) continue
      if (next === undefined || timer.due < next.due) next = timer
    }
    return next
  }

  async #fire(timer: Timer): Promise<void> {
    this.#timers.delete(timer)
    this.#now = timer.due
    timer.task()
    await this.#settle()
  }

  /** Every promise that can settle without further input has settled: the event loop turns when none is left. */
  #settle(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve))
  }
}
