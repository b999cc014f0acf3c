/**
 * One exchange of a declared route: inputs decoded, the handler asked, its reply encoded. All that lies between a request
 * and its handler is here and in the guard, whichever way the request has come: over a socket or within the process.
 */
import { z } from 'zod'
import { Problem, type Body, type BodyValue, type Route, type Routes } from '../contracts/index.ts'
import type { Caller } from '../identity/index.ts'
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
  /** Who asks; the route's access says who that can be. */
  readonly caller: Caller
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

/** One for each route of a table. */
export type Handlers<Rs extends Routes> = { readonly [Name in keyof Rs]: Handler<Rs[Name]> }

/** A row of a table with its handler. */
export interface ServedRoute {
  readonly route: Route
  readonly handler: Handler<Route>
}

/** A request that has been let in, as it came. */
export interface Incoming extends Pick<Input<Route>, 'correlationId' | 'caller' | 'header'> {
  readonly params: unknown
  readonly query: unknown
  readonly body: AsyncIterable<Uint8Array> | Uint8Array
  /** Made when it is asked for: a signal for each exchange costs more than most exchanges. */
  readonly signal: () => AbortSignal
}

/** A reply that is to be sent. */
export interface Outgoing {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array | AsyncIterable<Uint8Array> | undefined
}

const saidBefore = new WeakMap<Error, Outgoing['headers']>()

/** Headers that a handler has given before it threw `error`: a 416 names the size (RFC 9110 §15.5.17). */
export function headersSaidBefore(error: unknown): Outgoing['headers'] {
  return (error instanceof Error ? saidBefore.get(error) : undefined) ?? {}
}

/** Errors: what decoding and the handler refuse, as they throw it. */
export async function answer(
  route: Route,
  handler: Handler<Route>,
  incoming: Incoming,
): Promise<Outgoing> {
  const { correlationId, caller, header, signal } = incoming
  const input: Input<Route> = {
    params: decode('path', route.params, incoming.params) as Record<string, never>,
    query: decode('query', route.query, incoming.query) as Record<string, never>,
    body: await readBody(route.body, incoming),
    correlationId,
    caller,
    header,
    get signal() {
      return signal()
    },
  }
  let status: number = route.status
  const headers: Record<string, string> = {}
  const value: unknown = await handler(input, {
    status: (code) => void (status = code),
    header: (name, text) => void (headers[name.toLowerCase()] = text),
  }).catch((error: unknown) => {
    if (error instanceof Error) saidBefore.set(error, headers)
    throw error
  })
  const { media, body } = encode(route.reply, value)
  if (media !== undefined) headers['content-type'] ??= media
  return { status, headers, body }
}

function decode(place: string, schema: z.ZodType | undefined, value: unknown): unknown {
  if (schema === undefined) return {}
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw invalidRequest(place, parsed.error, value)
  return parsed.data
}

async function readBody(body: Body | undefined, incoming: Incoming): Promise<unknown> {
  switch (body?.kind) {
    case undefined:
    case 'none':
      return undefined
    case 'json': {
      const bytes = await readBounded(incoming.body, body.maxBytes ?? jsonBytesMax)
      return decode('body', body.schema, parseJson(bytes))
    }
    case 'text':
      return new TextDecoder().decode(await readBounded(incoming.body, body.maxBytes))
    case 'bytes':
      return readBounded(incoming.body, body.maxBytes)
    case 'stream':
      checkMediaType(body.mediaTypes, incoming.header('content-type'))
      return incoming.body instanceof Uint8Array ? onePiece(incoming.body) : incoming.body
  }
}

async function* onePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

function checkMediaType(accepted: readonly string[], contentType: string | undefined): void {
  const media = contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (accepted.includes(media)) return
  throw new Problem(
    'unsupported-media-type',
    `the body is ${media === '' ? 'of no stated type' : media}; send ${accepted.join(' or ')}`,
  )
}

function encode(
  body: Body,
  value: unknown,
): { readonly media?: string; readonly body: Outgoing['body'] } {
  switch (body.kind) {
    case 'none':
      return { body: undefined }
    case 'json':
      return {
        media: 'application/json; charset=utf-8',
        body: JSON.stringify(z.encode(body.schema, value)),
      }
    case 'text':
      return { media: 'text/plain; charset=utf-8', body: value as string }
    case 'bytes':
      return { media: 'application/octet-stream', body: value as Uint8Array }
    case 'stream':
      return {
        media: body.mediaTypes[0] ?? 'application/octet-stream',
        body: value as AsyncIterable<Uint8Array>,
      }
  }
}
