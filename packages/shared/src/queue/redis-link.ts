/**
 * A connection to the control Redis that comes back by itself, answers within a bounded time or is reported, and ends
 * for good when it is closed, whatever state it is in.
 */
import { Redis } from 'ioredis'
import { systemClock, UnavailableError, withinDeadline } from '../runtime/index.ts'

/** How long somebody waits for Redis before the operation is refused as unavailable. */
export const answerTimeoutMs = 10_000
/** How long closing waits for Redis to say goodbye. */
export const closeTimeoutMs = 2_000
/**
 * A connection on which Redis owes an answer and says nothing for this long is given up for another: one whose other end is
 * gone without a word is never closed by itself. Longer than any question lets Redis wait, which is 10 s (`BZPOPMIN` of BullMQ).
 */
const silenceMs = 15_000
/** A socket that Redis does not close is destroyed after this long. */
const socketEndMs = 200
/** Pause before the second attempt to connect; doubles with each further one. */
const reconnectMs = 50
const reconnectMsMax = 1_000

export interface RedisLinkOptions {
  /** `redis://[user:password@]host:port[/database]` or `rediss://…`. */
  readonly url: string
  /** Told of errors nobody awaits, of a lost connection once per outage; without it they are dropped. */
  readonly onError?: (error: Error) => void
  /** Instead of `answerTimeoutMs`. */
  readonly answerTimeoutMs?: number
  /** Instead of `closeTimeoutMs`. */
  readonly closeTimeoutMs?: number
  /** Instead of `silenceMs`. */
  readonly silenceMs?: number
}

export class RedisLink implements AsyncDisposable {
  readonly redis: Redis
  readonly #options: RedisLinkOptions
  /** Codes of connection errors that were told since Redis answered last. */
  readonly #told = new Set<string>()
  #isClosing = false
  #isDropped = false

  constructor(options: RedisLinkOptions) {
    this.#options = options
    this.redis = new Redis(options.url, {
      // Blocking commands and workers wait for Redis to come back; callers are bounded by answer().
      maxRetriesPerRequest: null,
      // BullMQ is tested with RESP2 replies.
      protocol: 2,
      disconnectTimeout: socketEndMs,
      socketTimeout: options.silenceMs ?? silenceMs,
      retryStrategy: (attempt) =>
        this.#isClosing ? null : Math.min(reconnectMs * 2 ** (attempt - 1), reconnectMsMax),
    })
    // Callers wait for the connection by listening; BullMQ adds to this number.
    this.redis.setMaxListeners(Infinity)
    this.redis.on('error', (error: Error) => this.report(error))
    this.redis.on('ready', () => this.#told.clear())
  }

  /** Another link to the same server, closed on its own. */
  another(): RedisLink {
    return new RedisLink(this.#options)
  }

  /** Passes an error on, unless it tells of the same outage again. */
  report(error: Error): void {
    const code = outageCode(error)
    if (code === undefined) {
      this.#options.onError?.(error)
    } else if (!this.#isClosing && !this.#told.has(code)) {
      this.#told.add(code)
      const cause = { cause: error }
      this.#options.onError?.(new UnavailableError(`the control Redis is away: ${code}`, cause))
    }
  }

  /** The outcome of `command`, begun when the connection is ready. Errors: `UnavailableError`. */
  async answer<T>(command: (redis: Redis) => Promise<T>): Promise<T> {
    const timeoutMs = this.#options.answerTimeoutMs ?? answerTimeoutMs
    if (this.redis.status !== 'ready') await this.#untilReady(timeoutMs)
    return await within(command(this.redis), timeoutMs)
  }

  /** Whether `farewell` ends within `closeTimeoutMs`; reports when it does not or fails. */
  async goodbye(farewell: Promise<unknown>): Promise<boolean> {
    try {
      await within(farewell, this.#options.closeTimeoutMs ?? closeTimeoutMs)
      return true
    } catch (error) {
      if (error instanceof Error) this.report(error)
      return false
    }
  }

  /** Ends the connection at once; what was sent and not answered stays unanswered. */
  drop(): void {
    this.#isClosing = true
    if (this.#isDropped || this.redis.status === 'end') return
    this.#isDropped = true
    this.redis.disconnect()
  }

  /** Ends the connection when Redis has answered what was sent, or after `closeTimeoutMs`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true
    if (this.redis.status === 'ready') await this.goodbye(this.redis.quit())
    this.drop()
  }

  async #untilReady(timeoutMs: number): Promise<void> {
    const ready = Promise.withResolvers<void>()
    const onReady = () => ready.resolve()
    this.redis.once('ready', onReady)
    try {
      await within(ready.promise, timeoutMs)
    } finally {
      this.redis.off('ready', onReady)
    }
  }
}

function within<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  return withinDeadline(work, { clock: systemClock, timeoutMs, what: 'the control Redis' })
}

/** Errors of ioredis that have no code of the system. */
const outages = [
  { begins: 'Connection is closed', code: 'connection closed' },
  { begins: 'Socket timeout', code: 'no answer' },
] as const

/** The system's code of a connection error, `undefined` for errors of another kind. */
function outageCode(error: Error): string | undefined {
  if ('code' in error && typeof error.code === 'string' && /^E[A-Z_]+$/.test(error.code)) {
    return error.code
  }
  return outages.find(({ begins }) => error.message.startsWith(begins))?.code
}
