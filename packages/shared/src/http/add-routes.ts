/** Declared routes as fastify has them. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Route, Routes } from '../contracts/index.ts'
import { answer, type Handler, type Handlers, type Incoming, type ServedRoute } from './exchange.ts'
import { send } from './send.ts'

/** The table with its handlers, row by row. */
export function rowsOf<Rs extends Routes>(routes: Rs, handlers: Handlers<Rs>): ServedRoute[] {
  return Object.entries(routes).map(([name, route]) => ({
    route,
    handler: handlers[name as keyof Rs] as unknown as Handler<Route>,
  }))
}

/** When the app is made ready, which it never is where all requests come from within the process. */
export function addRoutes(app: FastifyInstance, rows: readonly ServedRoute[]): void {
  app.register((scope, _options, done) => {
    for (const row of rows) addRoute(scope, row)
    done()
  })
}

/** The header when it was sent once. */
export function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' ? value : undefined
}

function addRoute(app: FastifyInstance, { route, handler }: ServedRoute): void {
  app.route({
    method: route.method,
    url: route.path,
    exposeHeadRoute: false,
    config: { access: route.access },
    handler: async (request, reply) => {
      return send(await answer(route, handler, incoming(request, reply)), reply)
    },
  })
}

function incoming(request: FastifyRequest, reply: FastifyReply): Incoming {
  return {
    params: request.params,
    query: request.query,
    body: (request.body ?? noBody) as AsyncIterable<Uint8Array>,
    correlationId: request.id,
    caller: request.caller,
    signal: () => goneSignal(reply),
    header: (name) => headerOf(request, name),
  }
}

const noBody = new Uint8Array(0)

/** One for all: a reason made for each exchange costs more than the exchange itself needs for its headers. */
const closed = new Error('the exchange is over')

function goneSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController()
  if (raw.closed || raw.destroyed) gone.abort(closed)
  else raw.once('close', () => gone.abort(closed))
  return gone.signal
}
