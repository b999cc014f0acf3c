/**
 * The network of the simulated room: no sockets, only messages that take time, get lost, or arrive where nobody is left.
 * A host is one process, or several that share a name.
 */
import {
  createInProcessNetwork,
  type Fetch,
  type Reply,
  type Service,
} from '@fadump-lab/shared/http'
import type { Clock, Random } from '@fadump-lab/shared/runtime'
import type { ProcessLife } from './process-life.ts'

interface Server {
  readonly life: ProcessLife
  readonly fetch: Fetch
}

/** `refused`: told at once. `silent`: the packets vanish, as on a half-open connection. */
export type CutKind = 'refused' | 'silent'

export interface NetworkSettings {
  /** The most milliseconds that a message takes one way. */
  readonly latencyMsMax: number
  /** After so long without an answer a connection counts as broken. */
  readonly silenceMs: number
}

/** One request that asks for a change, and its answer. */
export interface Message {
  readonly from: string
  readonly to: string
  /** `POST /partitions/p1/rtas`. */
  readonly request: string
  /** The status, or why there is none. */
  readonly outcome: string
}

export class SimulatedNetwork {
  readonly #clock: Clock
  readonly #random: Random
  readonly #settings: NetworkSettings
  readonly #servers = new Map<string, Server[]>()
  readonly #cuts = new Map<string, CutKind>()
  #pending = 0
  /** Told when a request that is no GET has its answer. */
  onMessage: (message: Message) => void = () => undefined

  constructor(clock: Clock, random: Random, settings: NetworkSettings) {
    this.#clock = clock
    this.#random = random
    this.#settings = settings
  }

  /** Requests that have no answer yet. */
  get pending(): number {
    return this.#pending
  }

  attach(hosts: readonly string[], service: Service, life: ProcessLife): void {
    for (const host of hosts) {
      const local = createInProcessNetwork()
      local.attach(host, service)
      const servers = (this.#servers.get(host) ?? []).filter((server) => !server.life.isOver)
      this.#servers.set(host, [...servers, { life, fetch: local.fetch }])
    }
  }

  /** Between `a` and `b`, in both directions. */
  cut(a: string, b: string, kind: CutKind): void {
    this.#cuts.set(linkOf(a, b), kind)
  }

  heal(a: string, b: string): void {
    this.#cuts.delete(linkOf(a, b))
  }

  healAll(): void {
    this.#cuts.clear()
  }

  /** What the process `origin` sends requests with; one that has died gets no answers. */
  fetchOf(origin: string, life?: ProcessLife): Fetch {
    return (input, init = {}) => {
      const url = new URL(input instanceof Request ? input.url : input)
      this.#pending += 1
      const sent = abortable(this.#exchange(origin, url, init), init.signal ?? undefined)
      const tell = (outcome: string): void => this.#answered(origin, url, { init, outcome })
      sent.then(
        ({ status }) => tell(String(status)),
        (error: unknown) => tell(error instanceof Error ? error.message : String(error)),
      )
      return life === undefined ? sent : life.answer(sent)
    }
  }

  #answered(
    from: string,
    { hostname: to, pathname }: URL,
    { init, outcome }: { readonly init: RequestInit; readonly outcome: string },
  ): void {
    this.#pending -= 1
    const { method = 'GET' } = init
    if (method !== 'GET') this.onMessage({ from, to, request: `${method} ${pathname}`, outcome })
  }

  async #exchange(origin: string, url: URL, init: RequestInit): Promise<Reply> {
    const host = url.hostname
    await this.#travel(origin, host)
    const { life, fetch } = this.#serverOf(host)
    const death = deathOf(life)
    const reply = await Promise.race([fetch(url, init), death])
    await this.#travel(host, origin)
    const signal = init.signal ?? undefined
    const next = (piece: Promise<IteratorResult<Uint8Array>>) =>
      abortable(Promise.race([this.#through(origin, host, piece), death]), signal)
    return {
      ok: reply.ok,
      status: reply.status,
      get headers() {
        return reply.headers
      },
      get body() {
        return reply.body === null ? null : pieces(reply.body, next)
      },
      json: () => reply.json(),
      text: () => reply.text(),
      bytes: () => reply.bytes(),
    }
  }

  async #travel(from: string, to: string): Promise<void> {
    const { latencyMsMax } = this.#settings
    const latency = latencyMsMax === 0 ? 0 : this.#random.int(latencyMsMax + 1)
    if (latency > 0) await this.#clock.sleep(latency)
    await this.#checkLink(from, to)
  }

  /** A piece of a body on its way; they follow each other closely, so that some come without delay. */
  async #through<T>(from: string, to: string, piece: Promise<T>): Promise<T> {
    const received = await piece
    if (this.#random.int(2) === 0) await this.#travel(to, from)
    else await this.#checkLink(from, to)
    return received
  }

  async #checkLink(from: string, to: string): Promise<void> {
    const cut = this.#cuts.get(linkOf(from, to))
    if (cut === 'silent') await this.#clock.sleep(this.#settings.silenceMs)
    if (cut !== undefined) throw new TypeError(`no connection between ${from} and ${to}`)
  }

  #serverOf(host: string): Server {
    const alive = (this.#servers.get(host) ?? []).filter(({ life }) => !life.isOver)
    const server = alive[alive.length < 2 ? 0 : this.#random.int(alive.length)]
    if (server === undefined) throw new TypeError(`connect ECONNREFUSED ${host}`)
    return server
  }
}

async function* pieces(
  body: AsyncIterable<Uint8Array>,
  through: (piece: Promise<IteratorResult<Uint8Array>>) => Promise<IteratorResult<Uint8Array>>,
): AsyncGenerator<Uint8Array> {
  const iterator = body[Symbol.asyncIterator]()
  let isOver = false
  try {
    for (;;) {
      const piece = await through(iterator.next())
      isOver = piece.done === true
      if (isOver) return
      yield piece.value
    }
  } finally {
    if (!isOver) void iterator.return?.().catch(() => undefined)
  }
}

function linkOf(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`
}

function deathOf(life: ProcessLife): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  life.onEnd(() => reject(new TypeError(`other side closed: ${life.name} has died`)))
  promise.catch(() => undefined)
  return promise
}

/** `work`, or the reason of `signal` when that aborts first. */
function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  // Whoever has gone before the request does not hear what becomes of it.
  if (signal.aborted) work.catch(() => undefined)
  return new Promise((resolve, reject) => {
    const abort = () => {
      const reason: unknown = signal.reason
      reject(reason instanceof Error ? reason : new Error('aborted', { cause: reason }))
    }
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    work
      .finally(() => signal.removeEventListener('abort', abort))
      .then(resolve, (error: unknown) =>
        reject(error instanceof Error ? error : new Error(String(error))),
      )
  })
}
