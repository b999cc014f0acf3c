/** A network without sockets: requests go to the services of this process. For simulators and long test runs. */
import { invariant } from '../units/index.ts'
import type { Fetch } from './client.ts'
import type { Outgoing } from './exchange.ts'
import { InProcessReply } from './in-process-reply.ts'
import type { InProcessRequest } from './in-process-service.ts'
import { inject } from './inject.ts'
import type { Service } from './service.ts'
import { untilAborted } from './until-aborted.ts'

export interface InProcessNetwork {
  readonly fetch: Fetch
  /** Makes `service` answer what is sent to `http://<host>`. */
  attach(host: string, service: Pick<Service, 'app' | 'inProcess'>): void
  /** Requests that have been sent, and pieces of replies that have been asked for, so far. */
  readonly sent: number
  /** Those of them that have no answer yet. */
  readonly pending: number
}

/** Streams are streams: a reply comes when its headers are there, and its body as it is read. */
export function createInProcessNetwork(): InProcessNetwork {
  const services = new Map<string, Pick<Service, 'app' | 'inProcess'>>()
  const counts = { sent: 0, pending: 0 }
  const counted = async <T>(work: () => Promise<T>): Promise<T> => {
    counts.sent += 1
    counts.pending += 1
    try {
      return await work()
    } finally {
      counts.pending -= 1
    }
  }
  const send: Fetch = async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input)
    const service = services.get(url.hostname)
    if (service === undefined) throw new TypeError(`no host is called ${url.hostname}`)
    const request = requestOf(url, init)
    const { signal } = request
    const reply = await counted(() =>
      untilAborted(
        signal,
        () => service.inProcess?.exchange(request) ?? inject(service.app, request),
      ),
    )
    return new InProcessReply({ ...reply, body: delivered(reply.body, { signal, counted }) })
  }
  return {
    fetch: send,
    attach: (host, service) => void services.set(host, service),
    get sent() {
      return counts.sent
    },
    get pending() {
      return counts.pending
    },
  }
}

const noBody = new Uint8Array(0)
const utf8 = new TextEncoder()

function requestOf(
  url: URL,
  { method = 'GET', headers, body, signal }: RequestInit,
): InProcessRequest {
  return {
    method,
    path: url.pathname,
    query: url.search.slice(1),
    headers: headersOf(headers),
    body: method === 'GET' ? noBody : bodyOf(body),
    signal: signal ?? undefined,
  }
}

/** Headers that are listed by name already are taken as they are: making `Headers` of them costs more than all else. */
function headersOf(given: RequestInit['headers']): ReadonlyMap<string, string> {
  const isPlain = given !== undefined && Object.getPrototypeOf(given) === Object.prototype
  if (!isPlain) return new Map(new Headers(given))
  return new Map(Object.entries(given).map(([name, value]) => [name.toLowerCase(), value]))
}

function bodyOf(body: unknown): InProcessRequest['body'] {
  if (body === undefined || body === null) return noBody
  if (typeof body === 'string') return utf8.encode(body)
  invariant(
    body instanceof Uint8Array || isByteStream(body),
    'a request body must be text, bytes or a stream of bytes',
  )
  return body
}

function isByteStream(body: unknown): body is AsyncIterable<Uint8Array> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body
}

interface Delivery {
  readonly signal: AbortSignal | undefined
  readonly counted: <T>(work: () => Promise<T>) => Promise<T>
}

/** Copies, as over a wire: nobody sees what the other side does to its bytes afterwards. */
function delivered(body: Outgoing['body'], delivery: Delivery): Outgoing['body'] {
  if (body === undefined || typeof body === 'string') return body
  return body instanceof Uint8Array ? new Uint8Array(body) : pieces(body, delivery)
}

async function* pieces(
  body: AsyncIterable<Uint8Array>,
  { signal, counted }: Delivery,
): AsyncGenerator<Uint8Array> {
  const iterator = body[Symbol.asyncIterator]()
  let isOver = false
  try {
    for (;;) {
      const piece = await counted(() => untilAborted(signal, () => iterator.next()))
      isOver = piece.done === true
      if (isOver) return
      yield new Uint8Array(piece.value)
    }
  } finally {
    // Whoever has been cut off may be busy still: nobody waits for its end.
    if (!isOver) void iterator.return?.().catch(() => undefined)
  }
}
