/**
 * A connection to the control Redis that comes back by itself, answers within a bounded time or is reported, and ends
 * for good when it is closed, whatever state it is in.
 */
import { Redis } from 'ioredis'
import { systemClock, withinDeadline } from '../runtime/index.ts'

/** How long somebody waits for Redis before the operation is refused as unavailable. */
export const answerTimeoutMs = 10_000
/** How long closing waits for Redis to say goodbye. */
export const closeTimeoutMs = 2_000
/** Pause before the second attempt to connect; doubles with each further one. */
const reconnectMs = 50
const reconnectMsMax = 1_000

export interface RedisLinkOptions {
  /** `redis://[user:password@]host:port[/database]` or `rediss://…`. */
  readonly url: string
  /** Told of errors nobody awaits, of a lost connection once per outage; without it they are dropped. */
  readonly onError?: (error: Error) => void
}

export class RedisLink implements AsyncDisposable {
  readonly redis: Redis
  readonly #options: RedisLinkOptions
  /** Codes of connection errors that were told since Redis answered last. */
  readonly #told = new Set<string>()
  #isClosing = false

  constructor(options: RedisLinkOptions) {
    this.#options = options
    this.redis = new Redis(options.url, {
      // Blocking commands and workers wait for Redis to come back; callers are bounded by answer().
      maxRetriesPerRequest: null,
      // BullMQ is tested with RESP2 replies.
      protocol: 2,
      retryStrategy: (attempt) =>
        this.#isClosing ? null : Math.min(reconnectMs * 2 ** (attempt - 1), reconnectMsMax),
    })
    this.redis.setMaxListeners(0)
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
    if (code !== undefined && (this.#isClosing || this.#told.has(code))) return
    if (code !== undefined) this.#told.add(code)
    this.#options.onError?.(error)
  }

  /** The outcome of `command`, begun when the connection is ready. Errors: `UnavailableError`. */
  async answer<T>(command: (redis: Redis) => Promise<T>): Promise<T> {
    const deadline = { clock: systemClock, timeoutMs: answerTimeoutMs, what: 'the control Redis' }
    if (this.redis.status !== 'ready') {
      const ready = Promise.withResolvers<void>()
      const onReady = () => ready.resolve()
      this.redis.once('ready', onReady)
      try {
        await withinDeadline(ready.promise, deadline)
      } finally {
        this.redis.off('ready', onReady)
      }
    }
    return await withinDeadline(command(this.redis), deadline)
  }

  /** Ends the connection at once; what was sent and not answered stays unanswered. */
  drop(): void {
    this.#isClosing = true
    this.redis.disconnect()
  }

  /** Ends the connection when Redis has answered what was sent, or after `closeTimeoutMs`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true
    if (this.redis.status === 'ready') {
      const deadline = { clock: systemClock, timeoutMs: closeTimeoutMs, what: 'the control Redis' }
      await withinDeadline(this.redis.quit(), deadline).catch((error: Error) => this.report(error))
    }
    this.drop()
  }
}

/** What makes two connection errors the same, `undefined` for errors of another kind. */
function outageCode(error: Error): string | undefined {
  if ('code' in error && typeof error.code === 'string' && 'syscall' in error) return error.code
  return error.message.startsWith('Connection is closed') ? 'closed' : undefined
}
