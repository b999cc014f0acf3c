/**
 * Declared routes without the framing of HTTP: a request is guarded, traced, answered and refused by the very code that
 * fastify calls. What only HTTP can say is left to fastify: a path with escapes in it, a path that no route has.
 */
import { parse } from 'node:querystring'
import type { FastifyInstance } from 'fastify'
import type { AppEdge } from './app.ts'
import { answer, type Outgoing, type ServedRoute } from './exchange.ts'
import { routeFinder, type FoundRoute, type RouteFinder } from './find-route.ts'
import { refusal } from './refusal.ts'
import { beginRequestSpan, endRequestSpan } from './trace-requests.ts'

export interface InProcessRequest {
  readonly method: string
  /** Without its query. */
  readonly path: string
  /** Behind the question mark. */
  readonly query: string
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: AsyncIterable<Uint8Array> | Uint8Array
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal | undefined
}

export class InProcessService {
  readonly #app: FastifyInstance
  /** Absent: not an app of `createApp`; nobody knows what else it does about a request. */
  readonly #edge: AppEdge | undefined
  readonly #find: RouteFinder<ServedRoute>
  #isClosed = false

  constructor(app: FastifyInstance, rows: readonly ServedRoute[]) {
    this.#app = app
    this.#edge = app.edge
    this.#find = routeFinder(rows)
    app.addHook('onClose', (_app, done) => {
      this.#isClosed = true
      done()
    })
  }

  /** `undefined`: fastify has to be asked. */
  exchange(request: InProcessRequest): Promise<Outgoing> | undefined {
    const found = this.#find(request.method, request.path)
    if (found === undefined || this.#edge === undefined) return undefined
    if (this.#isClosed) return Promise.reject(new TypeError('the service has been closed'))
    return this.#exchange(found, request, this.#edge)
  }

  async #exchange(
    { row, params }: FoundRoute<ServedRoute>,
    request: InProcessRequest,
    edge: AppEdge,
  ): Promise<Outgoing> {
    const header = (name: string) => request.headers.get(name)
    const correlationId = edge.correlationIdOf(header('x-correlation-id'))
    const { method, path: route, access } = row.route
    const { span, run } = beginRequestSpan({
      method,
      route,
      scheme: 'http',
      path: request.path,
      traceparent: header('traceparent'),
      correlationId,
    })
    const gone = new Gone(request.signal)
    const reply = await run(async () => {
      try {
        const caller = await edge.guard({
          operation: `${method} ${route}`,
          access,
          params,
          header,
          correlationId,
        })
        const query = parse(request.query)
        const { body } = request
        const given = { params, query, body, correlationId, caller, header }
        const told = await answer(row.route, row.handler, { ...given, signal: () => gone.signal })
        return { ...told, headers: { ...told.headers, 'x-correlation-id': correlationId } }
      } catch (error) {
        return refusal(error, { correlationId, log: this.#app.log })
      }
    })
    const end = (error?: unknown) => {
      endRequestSpan(span, reply.status, error)
      gone.end()
    }
    if (isWhole(reply.body)) {
      end()
      return reply
    }
    return { ...reply, body: untilEnd(reply.body, end) }
  }
}

function isWhole(body: Outgoing['body']): body is string | Uint8Array | undefined {
  return body === undefined || typeof body === 'string' || body instanceof Uint8Array
}

/** Pieces of a body; `end` is told once, when the last one has been taken or none is wanted any more. */
async function* untilEnd(
  body: AsyncIterable<Uint8Array>,
  end: (error?: unknown) => void,
): AsyncGenerator<Uint8Array> {
  let cut: unknown = closed
  try {
    yield* body
    cut = undefined
  } catch (error) {
    cut = error
    throw error
  } finally {
    end(cut)
  }
}

/** One for all, as its stack would tell nothing. */
const closed = new Error('the exchange is over')

/** The signal of an exchange, made when somebody asks for it. */
class Gone {
  readonly #client: AbortSignal | undefined
  #end: AbortController | undefined
  #isOver = false

  constructor(client: AbortSignal | undefined) {
    this.#client = client
  }

  get signal(): AbortSignal {
    this.#end ??= new AbortController()
    const { signal } = this.#end
    if (this.#isOver) this.#end.abort(closed)
    return this.#client === undefined ? signal : AbortSignal.any([signal, this.#client])
  }

  end(): void {
    this.#isOver = true
    this.#end?.abort(closed)
  }
}
