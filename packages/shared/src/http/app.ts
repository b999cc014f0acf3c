/** The fastify instance every service starts from: correlation ids, access, problems. */
import { parse } from 'node:querystring'
import { Readable } from 'node:stream'
import {
  fastify,
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import { correlationId, healthRoutes, type Access } from '../contracts/index.ts'
import type { Caller, Guard, GuardedRequest } from '../identity/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { addRoutes, headerOf, rowsOf } from './add-routes.ts'
import type { ServedRoute } from './exchange.ts'
import { parameterCharactersMax } from './find-route.ts'
import { healthHandlers, type HealthDeps } from './health.ts'
import { ignoreRest } from './ignored-body.ts'
import { refusal } from './refusal.ts'
import { send } from './send.ts'
import { traceRequests } from './trace-requests.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call the route; one without it is closed to everybody. */
    access?: Access
  }
  interface FastifyRequest {
    caller: Caller
  }
  interface FastifyInstance {
    /** Of an app that `createApp` has made. */
    edge?: AppEdge
  }
}

/** What every request goes through, whichever way it comes. */
export interface AppEdge {
  readonly guard: Guard
  /** The id that a request brings when it is one, or a fresh one. */
  readonly correlationIdOf: (given: unknown) => string
  /** Rows of every service. */
  readonly health: readonly ServedRoute[]
}

/** A certificate chain and its private key, PEM. */
export interface Tls {
  readonly cert: string
  readonly key: string
}

export interface AppDeps extends HealthDeps {
  /** Absent: plain HTTP. */
  readonly tls?: Tls
  /** Decides about every request but those to paths that are none. */
  readonly guard: Guard
  readonly logger: Logger
  /** A fresh correlation id for a request that brings none. */
  readonly newCorrelationId: () => string
}

const requestTimeoutMs = 0
const connectionTimeoutMs = 0
const keepAliveTimeoutMs = 5_000

/** Not listening yet. Streams may last for hours, so time bounds are the callers' (see `signal`). */
export function createApp(deps: AppDeps): FastifyInstance {
  const logger: FastifyBaseLogger = deps.logger
  const edge: AppEdge = {
    guard: deps.guard,
    correlationIdOf: (given) => {
      const read = correlationId.safeParse(given)
      return read.success ? read.data : deps.newCorrelationId()
    },
    health: rowsOf(healthRoutes, healthHandlers(deps)),
  }
  const app = fastify({
    ...(deps.tls === undefined ? {} : { https: { ...deps.tls, minVersion: 'TLSv1.2' } }),
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    requestTimeout: requestTimeoutMs,
    connectionTimeout: connectionTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: parameterCharactersMax, querystringParser: parse },
    // What fastify refuses before any route, such as a URL that cannot be decoded.
    frameworkErrors: (error, request, reply) => refuse(error, { request, reply }),
    genReqId: (request) => edge.correlationIdOf(request.headers['x-correlation-id']),
  })
  app.decorate('edge', edge)
  traceRequests(app)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-correlation-id', request.id)
    done()
  })
  // Before the reply is sent: node throws away unread, and without any bound, what comes afterwards.
  app.addHook('onSend', async (request, reply, payload) => {
    const isRead = request.raw.readableDidRead || payload instanceof Readable
    if (reply.statusCode >= 400 || !isRead) ignoreRest(request.raw)
    return payload
  })
  app.decorateRequest('caller')
  // Behind the bounds and headers that a service adds on request, before anything of the body is read.
  app.addHook('preParsing', async (request) => {
    if (!request.is404) request.caller = await edge.guard(guarded(request))
  })
  app.setErrorHandler((error, request, reply) => refuse(error, { request, reply }))
  app.setNotFoundHandler((request, reply) => refuse({ statusCode: 404 }, { request, reply }))
  addRoutes(app, edge.health)
  return app
}

function guarded(request: FastifyRequest): GuardedRequest {
  const { url = '', config } = request.routeOptions
  return {
    operation: `${request.method} ${url}`,
    access: config.access,
    params: request.params as Readonly<Record<string, string>>,
    header: (name) => headerOf(request, name),
    correlationId: request.id,
  }
}

function refuse(
  error: unknown,
  {
    request,
    reply,
  }: {
    readonly request: Pick<FastifyRequest, 'id' | 'log'>
    readonly reply: Pick<FastifyReply, 'header' | 'status' | 'send'>
  },
): void {
  send(refusal(error, { correlationId: request.id, log: request.log }), reply)
}

/** Listens and gives the base URL. Port 0 takes a free one. */
export async function listen(
  app: FastifyInstance,
  where: { readonly host: string; readonly port: number },
): Promise<string> {
  await app.listen(where)
  const host = where.host === '0.0.0.0' ? '127.0.0.1' : where.host
  const address = app.server.address()
  const port = typeof address === 'object' ? (address?.port ?? where.port) : where.port
  const scheme = 'setSecureContext' in app.server ? 'https' : 'http'
  return `${scheme}://${host}:${port}`
}
