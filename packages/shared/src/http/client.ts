/** Typed clients derived from route tables. A refusal of the service is thrown as the same `Problem`. */
import { z } from 'zod'
import { Problem, type Body, type BodyValue, type Route, type Routes } from '../contracts/index.ts'
import type { Authorize } from '../identity/index.ts'
import { currentTraceparent, traced, type Span, type SpanAttributes } from '../telemetry/index.ts'
import { invariant } from '../units/index.ts'
import { readBounded } from './body.ts'
import { parseProblem } from './problem-details.ts'

type JsonForm<S> = S extends z.ZodType ? z.input<S> : never
type ParamForm<S> = S extends z.ZodType ? Readonly<Record<string, string>> : undefined
type QueryForm = Readonly<Record<string, string | number | undefined>>

/** What a caller sends: JSON bodies in their JSON form (defaults may be left out). */
export type RequestBody<B> = B extends { kind: 'json'; schema: infer S }
  ? JsonForm<S>
  : B extends { kind: 'text' }
    ? string
    : B extends { kind: 'bytes' }
      ? Uint8Array
      : B extends { kind: 'stream' }
        ? AsyncIterable<Uint8Array> | Uint8Array
        : undefined

export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  readonly correlationId?: string
}

/** The parts a route does not have may be left out. */
export type Request<R extends Route> = RequestOptions & {
  readonly query?: QueryForm
} & (R['params'] extends z.ZodType
    ? { readonly params: ParamForm<R['params']> }
    : { readonly params?: undefined }) &
  (R['body'] extends { kind: 'json' | 'text' | 'bytes' | 'stream' }
    ? { readonly body: RequestBody<R['body']> }
    : { readonly body?: undefined })

/** A streamed reply with what its headers said. */
export interface StreamedReply {
  readonly status: number
  readonly headers: Headers
  readonly body: AsyncIterable<Uint8Array>
}

type Result<B> = B extends { kind: 'stream' } ? StreamedReply : BodyValue<B>

export type Client<Rs extends Routes> = {
  readonly [Name in keyof Rs]: (request: Request<Rs[Name]>) => Promise<Result<Rs[Name]['reply']>>
}

/** The network, as far as a client needs it: `fetch` is one. */
export type Fetch = (...request: Parameters<typeof fetch>) => Promise<Reply>

/** A reply, as far as a client needs it: a `Response` is one. */
export interface Reply extends Pick<Response, 'ok' | 'status' | 'headers'> {
  readonly body: (AsyncIterable<Uint8Array> & { readonly cancel?: () => Promise<void> }) | null
  json(): Promise<unknown>
  text(): Promise<string>
  bytes(): Promise<Uint8Array>
}

export interface ClientOptions {
  /** Without a trailing slash. */
  readonly baseUrl: string
  readonly fetch?: Fetch
  /** What lets its requests in; absent: nothing. */
  readonly authorize?: Authorize
}

/** A function per route of the table. */
export function createClient<const Rs extends Routes>(
  routes: Rs,
  options: ClientOptions,
): Client<Rs> {
  const calls = Object.entries(routes).map(([name, route]) => [
    name,
    (request: RawRequest) => call(route, request, options),
  ])
  return Object.fromEntries(calls) as Client<Rs>
}

interface RawRequest extends RequestOptions {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: QueryForm
  readonly body?: unknown
}

const replyBytesMax = 64 * 1024 * 1024

async function call(route: Route, request: RawRequest, options: ClientOptions): Promise<unknown> {
  const path = fillPath(route, request.params)
  const url = `${options.baseUrl}${path}${queryText(request.query)}`
  const exchange = async (span: Span) => {
    const response = await send(route, { request, url, options })
    span.setAttribute('http.response.status_code', response.status)
    if (!response.ok) throw parseProblem(await bodyJson(response), `${route.method} ${url}`)
    return readReply(route.reply, response)
  }
  return traced(
    {
      name: `${route.method} ${route.path}`,
      kind: 'client',
      attributes: () => clientAttributes(route, options.baseUrl, path),
      correlationId: request.correlationId,
    },
    exchange,
  )
}

/** By OpenTelemetry's conventions for HTTP; without the query. The span of a streamed reply ends with its headers. */
function clientAttributes(route: Route, baseUrl: string, path: string): SpanAttributes {
  const server = URL.parse(baseUrl)
  if (server === null) return {}
  return {
    'http.request.method': route.method,
    'server.address': server.hostname,
    'server.port': Number(server.port) || (server.protocol === 'https:' ? 443 : 80),
    'url.full': `${server.origin}${server.pathname.replace(/\/+$/, '')}${path}`,
    'url.template': route.path,
  }
}

async function send(
  route: Route,
  target: { readonly request: RawRequest; readonly url: string; readonly options: ClientOptions },
): Promise<Reply> {
  const { request, url, options } = target
  const headers: Record<string, string> = {
    ...contentType(route.body),
    ...options.authorize?.(route),
    ...request.headers,
  }
  if (request.correlationId !== undefined) headers['x-correlation-id'] = request.correlationId
  const traceparent = currentTraceparent()
  if (traceparent !== undefined) headers['traceparent'] = traceparent
  const body = requestBody(route.body, request.body)
  try {
    return await (options.fetch ?? fetch)(url, {
      method: route.method,
      // No service sends a request elsewhere; a credential must not follow one that claims to.
      redirect: 'error',
      headers,
      ...(request.signal === undefined ? {} : { signal: request.signal }),
      ...(body === undefined ? {} : { body, duplex: 'half' }),
    } as RequestInit)
  } catch (cause) {
    request.signal?.throwIfAborted()
    throw new Problem('dependency-unavailable', `${route.method} ${url} got no answer`, { cause })
  }
}

function fillPath({ path }: Route, params: Readonly<Record<string, string>> | undefined): string {
  const segments = path.split('/').map((segment) => {
    if (segment === '*') return (params?.['*'] ?? '').split('/').map(pathSegment).join('/')
    return segment.startsWith(':') ? pathSegment(params?.[segment.slice(1)] ?? '') : segment
  })
  return segments.join('/')
}

/** Encoded; a segment that URLs take for a step up would make another request of it. */
function pathSegment(text: string): string {
  invariant(text !== '.' && text !== '..', `"${text}" is no segment of a path`)
  return encodeURIComponent(text)
}

function queryText(query: QueryForm | undefined): string {
  const entries = Object.entries(query ?? {}).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, String(value)]],
  )
  return entries.length === 0 ? '' : `?${new URLSearchParams(entries).toString()}`
}

function contentType(body: Body | undefined): Record<string, string> {
  switch (body?.kind) {
    case 'json':
      return { 'content-type': 'application/json' }
    case 'text':
      return { 'content-type': 'text/plain' }
    case 'bytes':
      return { 'content-type': 'application/octet-stream' }
    case 'stream':
      return { 'content-type': body.mediaTypes[0] ?? 'application/octet-stream' }
    case 'none':
    case undefined:
      return {}
  }
}

function requestBody(body: Body | undefined, value: unknown): unknown {
  if (body?.kind === 'json') return JSON.stringify(value ?? {})
  return body === undefined || body.kind === 'none' ? undefined : value
}

async function bodyJson(response: Reply): Promise<unknown> {
  try {
    return await response.json()
  } catch {
    return undefined
  }
}

async function readReply(body: Body, response: Reply): Promise<unknown> {
  switch (body.kind) {
    case 'none':
      await response.body?.cancel?.()
      return undefined
    case 'json':
      return z.decode(body.schema, await response.json())
    case 'text':
      return response.text()
    case 'bytes':
      return readBounded(response.body ?? noBody, replyBytesMax)
    case 'stream':
      return {
        status: response.status,
        headers: response.headers,
        body: response.body ?? emptyBody,
      }
  }
}

const noBody = new Uint8Array(0)
const emptyBody: AsyncIterable<Uint8Array> = {
  [Symbol.asyncIterator]: () => ({
    next: () => Promise.resolve({ done: true, value: undefined }),
  }),
}
