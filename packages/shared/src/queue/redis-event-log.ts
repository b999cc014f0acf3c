/** The event stream as a Redis Stream. The oldest rows go when there are more than `eventRowsMax`, in small batches. */
import { labEvent, type LabEvent } from '../contracts/index.ts'
import { eventRowsMax, type EventLog, type EventRow } from './event-log.ts'
import { checkedRowId, checkedRowLimit, encodeEvent } from './event-rules.ts'
import { RedisLink, type RedisLinkOptions } from './redis-link.ts'

/** The Redis key of the stream. */
export const eventLogKey = 'events'
/** Rows that a follower takes at once. */
const followRows = 100
/** How long Redis holds a follower's question when there is nothing new. */
const followBlockMs = 5_000
const field = 'event'

export interface RedisEventLogOptions extends RedisLinkOptions {
  /** Instead of `eventLogKey`. */
  readonly key?: string
  /** Instead of `eventRowsMax`. */
  readonly rowsMax?: number
}

/** Returns at once; operations wait for Redis for `answerTimeoutMs` and are then refused with `UnavailableError`. */
export function createRedisEventLog(options: RedisEventLogOptions): EventLog {
  return new RedisEventLog(options)
}

type StreamEntry = [id: string, fields: string[]]

class RedisEventLog implements EventLog {
  readonly #link: RedisLink
  readonly #key: string
  readonly #rowsMax: number
  readonly #closing = new AbortController()

  constructor(options: RedisEventLogOptions) {
    this.#link = new RedisLink(options)
    this.#key = options.key ?? eventLogKey
    this.#rowsMax = options.rowsMax ?? eventRowsMax
  }

  async append(event: LabEvent): Promise<string> {
    const text = JSON.stringify(encodeEvent(event))
    const id = await this.#link.answer((redis) =>
      redis.xadd(this.#key, 'MAXLEN', '~', this.#rowsMax, '*', field, text),
    )
    return id ?? ''
  }

  async read(after: string | undefined, limit: number): Promise<readonly EventRow[]> {
    const start = after === undefined ? '-' : `(${checkedRowId(after)}`
    const count = checkedRowLimit(limit)
    const entries = await this.#link.answer((redis) =>
      redis.xrange(this.#key, start, '+', 'COUNT', count),
    )
    return this.#rows(entries)
  }

  follow(after: string | undefined, signal: AbortSignal): AsyncIterable<EventRow> {
    // The newest id is asked for now, before anything that the caller appends next.
    const start = after === undefined ? this.#newest() : Promise.resolve(checkedRowId(after))
    start.catch(() => {})
    return this.#follow(start, AbortSignal.any([signal, this.#closing.signal]))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await this.#link[Symbol.asyncDispose]()
  }

  async *#follow(start: Promise<string>, signal: AbortSignal): AsyncGenerator<EventRow, void> {
    if (signal.aborted) return
    let last = await start
    const link = this.#link.another()
    const stopped = Promise.withResolvers<undefined>()
    const stop = () => {
      link.drop()
      stopped.resolve(undefined)
    }
    signal.addEventListener('abort', stop, { once: true })
    try {
      while (!signal.aborted) {
        const entries = await Promise.race([this.#entriesAfter(link, last), stopped.promise])
        if (entries === undefined) return
        for (const row of this.#rows(entries)) {
          if (signal.aborted) return
          yield row
        }
        last = entries.at(-1)?.[0] ?? last
      }
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      signal.removeEventListener('abort', stop)
      stop()
    }
  }

  async #entriesAfter(link: RedisLink, last: string): Promise<StreamEntry[]> {
    const reply = await link.redis.xread(
      'COUNT',
      followRows,
      'BLOCK',
      followBlockMs,
      'STREAMS',
      this.#key,
      last,
    )
    return reply?.[0]?.[1] ?? []
  }

  async #newest(): Promise<string> {
    const [newest] = await this.#link.answer((redis) =>
      redis.xrevrange(this.#key, '+', '-', 'COUNT', 1),
    )
    return newest?.[0] ?? '0-0'
  }

  /** A stored row that is no event is reported and left out: it must not stop everybody who follows. */
  #rows(entries: readonly StreamEntry[]): readonly EventRow[] {
    return entries.flatMap(([id, fields]) => {
      try {
        return [{ id, event: labEvent.parse(JSON.parse(fields[fields.indexOf(field) + 1] ?? '')) }]
      } catch (cause) {
        this.#link.report(new Error(`row ${id} of stream ${this.#key} is not an event`, { cause }))
        return []
      }
    })
  }
}
