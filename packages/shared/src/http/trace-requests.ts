/** A span per request, by OpenTelemetry's conventions for HTTP servers; health and metrics are nobody's story. */
import { finished } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import {
  beginSpan,
  failSpan,
  type BegunSpan,
  type Span,
  type SpanAttributes,
} from '../telemetry/index.ts'

const untold: ReadonlySet<string> = new Set(['/livez', '/readyz', '/metrics'])

/** A request, as far as its span tells of it. */
export interface TracedRequest {
  readonly method: string
  /** The pattern; absent: no route has this path. */
  readonly route: string | undefined
  readonly scheme: string
  readonly path: string
  readonly traceparent: string | undefined
  readonly correlationId: string
}

/** Everything that a request causes belongs to its span, which ends when the reply has gone out or the client has gone. */
export function traceRequests(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    const route = request.is404 ? undefined : request.routeOptions.url
    if (route !== undefined && untold.has(route)) return done()
    const { traceparent } = request.headers
    const { span, isTraced, run } = beginRequestSpan({
      method: request.method,
      route,
      scheme: request.protocol,
      path: request.url.split('?', 1)[0] ?? '',
      traceparent: typeof traceparent === 'string' ? traceparent : undefined,
      correlationId: request.id,
    })
    if (!isTraced) return done()
    finished(reply.raw, (error) => endRequestSpan(span, reply.statusCode, error))
    run(done)
  })
}

export function beginRequestSpan(request: TracedRequest): BegunSpan {
  const { method, route, traceparent, correlationId } = request
  return beginSpan({
    name: route === undefined ? method : `${method} ${route}`,
    kind: 'server',
    attributes: () => serverAttributes(request),
    remote: { traceparent },
    correlationId,
  })
}

/** `error`: what cut the reply off. */
export function endRequestSpan(span: Span, status: number, error: unknown): void {
  span.setAttribute('http.response.status_code', status)
  if (error !== undefined && error !== null) failSpan(span, 'aborted')
  else if (status >= 500) failSpan(span, String(status))
  span.end()
}

/** Where no route matches, the path is whatever somebody has typed: it is not repeated. */
function serverAttributes({ method, route, scheme, path }: TracedRequest): SpanAttributes {
  const common = { 'http.request.method': method, 'url.scheme': scheme }
  return route === undefined ? common : { ...common, 'http.route': route, 'url.path': path }
}
