/** The event log of a machine room, read page by page: whoever reads goes on where it was when the console is back. */
import type { EventRow } from '@fadump-lab/shared/queue'
import type { Clock } from '@fadump-lab/shared/runtime'
import type { Console } from './console.ts'

const pageRows = 5_000
const pauseMs = 200

export class EventFeed {
  readonly #console: Pick<Console, 'ask'>
  readonly #clock: Clock
  /** Who waits until a page that is asked for from now on has been handed on. */
  readonly #waiting: (() => void)[] = []
  #isFollowed = false

  constructor(console: Pick<Console, 'ask'>, clock: Clock) {
    this.#console = console
    this.#clock = clock
  }

  /** Rows from now on, until `signal` aborts. One reader at a time. */
  async *follow(signal: AbortSignal): AsyncGenerator<EventRow, void> {
    this.#isFollowed = true
    try {
      let after = await this.#end()
      while (!signal.aborted) {
        const waiting = this.#waiting.splice(0)
        for (let isMore = true; isMore;) {
          const rows = await this.#page(after)
          yield* rows
          after = rows.at(-1)?.id ?? after
          isMore = rows.length === pageRows
        }
        for (const handedOn of waiting) handedOn()
        await this.#clock.sleep(pauseMs, signal).catch(() => undefined)
      }
    } finally {
      this.#isFollowed = false
      for (const handedOn of this.#waiting.splice(0)) handedOn()
    }
  }

  /** Everything that is in the log by now has been handed on when it resolves. */
  caughtUp(): Promise<void> {
    if (!this.#isFollowed) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  async #end(): Promise<string | undefined> {
    let after: string | undefined
    for (;;) {
      const rows = await this.#page(after)
      after = rows.at(-1)?.id ?? after
      if (rows.length < pageRows) return after
    }
  }

  #page(after: string | undefined): Promise<readonly EventRow[]> {
    const query = { after, limit: pageRows }
    return this.#console.ask((routes) => routes.listEvents({ query }))
  }
}
