/** The fastify instance every service starts from: correlation ids, problems, health, metrics. */
import {
  fastify,
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import { correlationId } from '../contracts/index.ts'
import type { Logger, Metrics } from '../telemetry/index.ts'
import { asProblem, problemBody, problemMedia } from './problem-details.ts'

export interface AppDeps {
  readonly logger: Logger
  readonly metrics: Metrics
  /** A fresh correlation id for a request that brings none. */
  readonly newCorrelationId: () => string
  /** Resolves when the service can do its work; its rejection is the body of a 503 on /readyz. */
  readonly ready: () => Promise<void>
}

const requestTimeoutMs = 0
const connectionTimeoutMs = 0
const keepAliveTimeoutMs = 5_000

/** Not listening yet. Streams may last for hours, so time bounds are the callers' (see `signal`). */
export function createApp(deps: AppDeps): FastifyInstance {
  const logger: FastifyBaseLogger = deps.logger
  const app: FastifyInstance = fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    requestTimeout: requestTimeoutMs,
    connectionTimeout: connectionTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 256 },
    // What fastify refuses before any route, such as a URL that cannot be decoded.
    frameworkErrors: (error, request, reply) => refuse(error, { request, reply }),
    genReqId: (request) => {
      const given = correlationId.safeParse(request.headers['x-correlation-id'])
      return given.success ? given.data : deps.newCorrelationId()
    },
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-correlation-id', request.id)
    done()
  })
  app.setErrorHandler((error, request, reply) => refuse(error, { request, reply }))
  app.setNotFoundHandler((request, reply) => refuse({ statusCode: 404 }, { request, reply }))
  addHealth(app, deps)
  return app
}

function refuse(
  error: unknown,
  {
    request,
    reply,
  }: {
    readonly request: Pick<FastifyRequest, 'id' | 'log'>
    readonly reply: Pick<FastifyReply, 'header' | 'status' | 'type' | 'send'>
  },
): void {
  const problem = asProblem(error)
  if (problem.status >= 500)
    request.log.error({ err: error, problem: problem.slug }, 'request failed')
  reply.header('x-correlation-id', request.id)
  reply.status(problem.status)
  reply.type(problemMedia)
  reply.send(JSON.stringify(problemBody(problem, request.id)))
}

function addHealth(app: FastifyInstance, deps: AppDeps): void {
  app.get('/livez', () => ({ status: 'alive' }))
  app.get('/readyz', async (_request, reply) => {
    try {
      await deps.ready()
      return { status: 'ready' }
    } catch (error) {
      reply.status(503)
      return { status: 'not ready', reason: error instanceof Error ? error.message : String(error) }
    }
  })
  app.get('/metrics', async (_request, reply) => {
    reply.type(deps.metrics.contentType)
    return deps.metrics.expose()
  })
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
  return `http://${host}:${port}`
}
