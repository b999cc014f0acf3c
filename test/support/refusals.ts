/** What a refused request must look like, and what it must leave behind: nothing. */
import assert from 'node:assert/strict'
import { problems } from '@fadump-lab/shared/contracts'
import type { Room } from './room.ts'

export interface RawRequest {
  /** Method and path below /v1, such as `POST /partitions`. */
  readonly to: string
  /** Sent as JSON, unless it is text or bytes already. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** What the refusal must say. */
export interface ExpectedRefusal {
  readonly status: number
  /** Of `detail`: the thing, the rule and the value. */
  readonly detail: RegExp
}

/**
 * Sends the request as any HTTP client would, not through our own. Asserts that it is refused by a problem document
 * (RFC 9457) of the registry, and that the room is afterwards what it was before.
 */
export async function assertRefused(
  room: Room,
  request: RawRequest,
  expected: ExpectedRefusal,
): Promise<void> {
  const before = await inventory(room)
  const response = await send(room, request)
  const text = await response.text()
  assert.equal(response.status, expected.status, text)
  assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json\b/)
  const { type, status, detail, correlationId, title } = JSON.parse(text) as Record<string, unknown>
  const registry = new Map(
    Object.entries(problems).map(([slug, row]) => [`/problems/${slug}`, row]),
  )
  assert.equal(title, registry.get(String(type))?.title, `${String(type)} is in the registry`)
  assert.equal(status, response.status)
  assert.match(String(detail), expected.detail)
  assert.equal(correlationId, response.headers.get('x-correlation-id'))
  assert.deepEqual(await inventory(room), before)
}

function send(room: Room, { to, body, headers }: RawRequest): Promise<Response> {
  const [method = '', path = ''] = to.split(' ')
  const sent =
    typeof body === 'string' || body instanceof Uint8Array
      ? (body as string | Uint8Array<ArrayBuffer>)
      : JSON.stringify(body)
  return fetch(`${room.urls.console}/v1${path}`, {
    method,
    ...(body === undefined ? {} : { body: sent }),
    headers: {
      ...room.headers,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
  })
}

/** Everything that a request could leave behind: what the console lists, and what the store holds. */
async function inventory({ api, store }: Room): Promise<unknown> {
  const { routes } = api
  const frames = await routes.listFrames({})
  return {
    frames,
    partitions: await routes.listPartitions({}),
    images: await routes.listImages({}),
    dumps: await routes.listDumps({}),
    jobs: (await routes.listJobs({})).map(({ id }) => id),
    stored: await Promise.all(
      (await store.listFrames()).map(async (frame) => ({
        frame,
        spaces: await store.listSpaces(frame),
        usage: await store.usage(frame),
      })),
    ),
  }
}
