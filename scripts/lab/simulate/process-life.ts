/**
 * The life of one process of the simulated room. Everything a service does outside of itself goes through its life; when
 * that ends, what was asked for is never answered, timers never fire, and nothing it holds in memory matters any more.
 */
import { sleepOn, type Clock } from '@fadump-lab/shared/runtime'

/** Told before every operation of a port: a simulator can make it take time, fail, or be the last one. */
export type BeforeOperation = (operation: string) => Promise<void> | undefined

export class ProcessLife {
  readonly name: string
  readonly #before: BeforeOperation
  readonly #onEnd: (() => void)[] = []
  /** Refusals of what is being waited for. */
  readonly #waiting = new Set<(reason: unknown) => void>()
  #isOver = false
  /** Operations after which it dies: the last of them is carried out, and its answer comes too late. */
  #operationsLeft = Infinity

  constructor(name: string, before: BeforeOperation) {
    this.name = name
    this.#before = before
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** As `kill -9`: at once. */
  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    for (const told of this.#onEnd) told()
  }

  endAfter(operations: number): void {
    this.#operationsLeft = operations
  }

  /** Told when it ends, or now when it has: a worker that was asked for can come into a life that is over. */
  onEnd(told: () => void): void {
    if (this.#isOver) told()
    else this.#onEnd.push(told)
  }

  /** One operation of a port: carried out if the process lives, answered if it still does then. */
  async call<Result>(operation: string, run: () => Promise<Result>): Promise<Result> {
    await this.#livingOr(this.#before(operation))
    if (this.#isOver) return never()
    this.#operationsLeft -= 1
    if (this.#operationsLeft < 0) this.end()
    return this.answer(run())
  }

  /** The outcome of `work`, unless the process has died meanwhile. */
  answer<Result>(work: Promise<Result>): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    this.#waiting.add(reject)
    work.then(
      (result) => this.#settle(reject, () => resolve(result)),
      (error: unknown) => this.#settle(reject, () => reject(error)),
    )
    return promise
  }

  /**
   * The end of the world: what this process still waits for is refused, once. Node holds on to combined abort signals for
   * as long as somebody listens to them, and with them to everything that a dead process has known.
   */
  bury(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const reject of waiting) reject(new Error(`${this.name} is no more`))
  }

  #settle(reject: (reason: unknown) => void, then: () => void): void {
    if (this.#isOver || !this.#waiting.delete(reject)) return
    then()
  }

  clockOf(clock: Clock): Clock {
    const timers = new Set<Disposable>()
    this.onEnd(() => {
      for (const timer of timers) timer[Symbol.dispose]()
    })
    const own: Clock = {
      now: () => clock.now(),
      iso: () => clock.iso(),
      sleep: (ms, signal) => this.answer(sleepOn(own, ms, signal)),
      schedule: (ms, task) => {
        if (this.#isOver) return { [Symbol.dispose]: () => undefined }
        const timer = clock.schedule(ms, () => {
          timers.delete(timer)
          if (!this.#isOver) task()
        })
        timers.add(timer)
        return {
          [Symbol.dispose]: () => {
            timers.delete(timer)
            timer[Symbol.dispose]()
          },
        }
      },
    }
    return own
  }

  /** The port, each operation of which is one of this life. */
  portOf<Port extends object>(name: string, port: Port): Port {
    return new Proxy(port, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target)
        if (typeof value !== 'function' || typeof key !== 'string') return value
        // An iteration is no single operation; what comes of its rows is.
        if (key === 'follow') return value.bind(target) as unknown
        return (...args: unknown[]) =>
          this.call(`${name}.${key}`, () => Reflect.apply(value, target, args) as Promise<unknown>)
      },
    })
  }

  async #livingOr(work: Promise<void> | undefined): Promise<void> {
    if (work !== undefined) await this.answer(work)
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined)
}
