/** Route tables turned into fastify routes: bodies bounded, inputs decoded, replies encoded, refusals as problems. */
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { Problem, type Body, type BodyValue, type Route, type Routes } from '../contracts/index.ts'
import { asBuffer } from '../units/index.ts'
import { parseJson, readBounded } from './body.ts'
import { invalidRequest } from './problem-details.ts'

const jsonBytesMax = 1024 * 1024

type SchemaValue<S> = S extends z.ZodType ? z.output<S> : Record<string, never>

/** What a handler is given, decoded. */
export interface Input<R extends Route> {
  readonly params: SchemaValue<R['params']>
  readonly query: SchemaValue<R['query']>
  readonly body: BodyValue<R['body']>
  readonly correlationId: string
  /** Aborts when the client goes away before the reply is complete. */
  readonly signal: AbortSignal
  /** A request header in lower case, e.g. `range`, `accept`. */
  readonly header: (name: string) => string | undefined
}

/** What a handler may say beside the body. */
export interface ReplyControl {
  readonly status: (code: number) => void
  readonly header: (name: string, value: string) => void
}

export type Handler<R extends Route> = (
  input: Input<R>,
  reply: ReplyControl,
) => Promise<BodyValue<R['reply']>>

export type Handlers<Rs extends Routes> = { readonly [Name in keyof Rs]: Handler<Rs[Name]> }

/** Adds every route of the table; the compiler asks for a handler per route. */
export function serveRoutes<const Rs extends Routes>(
  app: FastifyInstance,
  routes: Rs,
  handlers: Handlers<Rs>,
): void {
  for (const [name, route] of Object.entries(routes)) {
    const handler = handlers[name as keyof Rs] as unknown as Handler<Route>
    app.route({
      method: route.method,
      url: route.path,
      exposeHeadRoute: false,
      handler: (request, reply) => answer(route, handler, { request, reply }),
    })
  }
}

async function answer(
  route: Route,
  handler: Handler<Route>,
  exchange: { readonly request: FastifyRequest; readonly reply: FastifyReply },
): Promise<FastifyReply> {
  const { request, reply } = exchange
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  reply.status(route.status)
  const input: Input<Route> = {
    params: decode('path', route.params, request.params) as Record<string, never>,
    query: decode('query', route.query, request.query) as Record<string, never>,
    body: await readBody(route.body, request),
    correlationId: request.id,
    signal: gone.signal,
    header: (name) => {
      const value = request.headers[name]
      return typeof value === 'string' ? value : undefined
    },
  }
  const value: unknown = await handler(input, {
    status: (code) => void reply.status(code),
    header: (name, text) => void reply.header(name, text),
  })
  return send(route.reply, value, reply)
}

function decode(place: string, schema: z.ZodType | undefined, value: unknown): unknown {
  if (schema === undefined) return {}
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw invalidRequest(place, parsed.error, value)
  return parsed.data
}

async function readBody(body: Body | undefined, request: FastifyRequest): Promise<unknown> {
  const incoming = (request.body ?? []) as AsyncIterable<Uint8Array>
  switch (body?.kind) {
    case undefined:
    case 'none':
      return undefined
    case 'json': {
      const bytes = await readBounded(incoming, body.maxBytes ?? jsonBytesMax)
      return decode('body', body.schema, parseJson(bytes))
    }
    case 'text':
      return new TextDecoder().decode(await readBounded(incoming, body.maxBytes))
    case 'bytes':
      return readBounded(incoming, body.maxBytes)
    case 'stream':
      checkMediaType(body.mediaTypes, request.headers['content-type'])
      return incoming
  }
}

function checkMediaType(accepted: readonly string[], contentType: string | undefined): void {
  const media = contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (accepted.includes(media)) return
  throw new Problem(
    'unsupported-media-type',
    `the body is ${media === '' ? 'of no stated type' : media}; send ${accepted.join(' or ')}`,
  )
}

function send(body: Body, value: unknown, reply: FastifyReply): FastifyReply {
  switch (body.kind) {
    case 'none':
      return reply.send()
    case 'json':
      return reply.type('application/json').send(JSON.stringify(z.encode(body.schema, value)))
    case 'text':
      return reply.type('text/plain; charset=utf-8').send(value)
    case 'bytes':
      return reply.type('application/octet-stream').send(asBuffer(value as Uint8Array))
    case 'stream': {
      if (!reply.hasHeader('content-type')) {
        reply.type(body.mediaTypes[0] ?? 'application/octet-stream')
      }
      const chunks = value as AsyncIterable<Uint8Array>
      return reply.send(Readable.from(chunks, { objectMode: false, highWaterMark: 1 }))
    }
  }
}
