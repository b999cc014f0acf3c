import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { z } from 'zod'
import { eventually } from '../../../../test/support/eventually.ts'
import { openToAll, Problem, type Routes } from '../contracts/index.ts'
import { none, stream, text } from '../contracts/route.ts'
import { createLogger, createMetrics, traced } from '../telemetry/index.ts'
import {
  recordSpans,
  type RecordedSpan,
  type RecordedSpans,
} from '../telemetry/testing/recorded-spans.ts'
import { fromAscii } from '../units/index.ts'
import { createApp, createClient, listen, serveRoutes, type Fetch } from './index.ts'

const common = { access: openToAll, summary: 'For tests', problems: [] } as const
const routes = {
  name: {
    ...common,
    method: 'GET',
    path: '/things/:id',
    params: z.strictObject({ id: z.string() }),
    query: z.strictObject({ filter: z.string().optional() }),
    status: 200,
    reply: text(),
  },
  pipe: { ...common, method: 'GET', path: '/pipe', status: 200, reply: stream('text/plain') },
  refuse: { ...common, method: 'GET', path: '/refuse', status: 204, reply: none },
  fail: { ...common, method: 'GET', path: '/fail', status: 204, reply: none },
} as const satisfies Routes

suite('spans of requests', () => {
  test('the server goes on with the trace of its client, and hands it to what it does', async () => {
    await using room = await startTraced()
    await room.client.name({
      params: { id: 'a b' },
      query: { filter: 'planted' },
      correlationId: 'c-1',
    })
    const [asked, work, served] = await ended(room.spans, 3)
    assert.deepEqual([work?.parentId, served?.parentId], [served?.id, asked?.id])
    assert.equal(asked?.name, 'GET /things/:id')
    assert.deepEqual(served?.attributes, {
      'fadump.correlation_id': 'c-1',
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'http.route': '/things/:id',
      'url.path': '/things/a%20b',
      'url.scheme': 'http',
    })
    assert.deepEqual(asked?.attributes, {
      'fadump.correlation_id': 'c-1',
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'server.address': '127.0.0.1',
      'server.port': room.port,
      'url.full': `${room.url}/things/a%20b`,
      'url.template': '/things/:id',
    })
  })

  test('a refusal is a failure of who asked, an unexpected error of both', async () => {
    await using room = await startTraced()
    await assert.rejects(room.client.refuse({}), Problem)
    await assert.rejects(room.client.fail({}), Problem)
    const spans = await ended(room.spans, 4)
    assert.deepEqual(
      spans.map(({ kind, name, attributes }) => [kind, name, attributes['error.type']]),
      [
        ['client', 'GET /fail', 'internal-error'],
        ['client', 'GET /refuse', 'not-found'],
        ['server', 'GET /fail', '500'],
        ['server', 'GET /refuse', undefined],
      ],
    )
    assert.doesNotMatch(await room.spans.everything(), /planted/)
  })

  test('the span of a stream ends when the last byte has gone, or the client has', async () => {
    await using room = await startTraced()
    const whole = await room.client.pipe({})
    for await (const _chunk of whole.body);
    const gone = new AbortController()
    await room.client.pipe({ signal: gone.signal })
    gone.abort()
    const spans = await ended(room.spans, 4)
    assert.deepEqual(
      spans.filter(({ kind }) => kind === 'server').map((span) => span.attributes['error.type']),
      [undefined, 'aborted'],
    )
  })

  test('neither health nor what somebody types for a path is told', async () => {
    await using room = await startTraced()
    await room.fetch(`${room.url}/livez`)
    await room.fetch(`${room.url}/readyz`)
    await room.fetch(`${room.url}/planted-path`)
    const [span, ...others] = await ended(room.spans, 1)
    assert.equal(others.length, 0)
    assert.equal(span?.name, 'GET')
    assert.doesNotMatch(await room.spans.everything(), /planted/)
  })
})

async function startTraced() {
  await using stack = new AsyncDisposableStack()
  const spans = stack.use(await recordSpans())
  const app = createApp({
    guard: () => Promise.resolve({ kind: 'anyone' }),
    logger: createLogger({ service: 'test', level: 'silent' }),
    metrics: createMetrics({ processMetrics: false }),
    newCorrelationId: () => 'fresh',
    ready: async () => {},
  })
  let rounds = 0
  serveRoutes(app, routes, {
    name: async () => traced({ name: 'work', kind: 'internal' }, async () => 'done'),
    pipe: async ({ signal }) => pieces(rounds++ === 0 ? undefined : signal),
    refuse: async () => {
      throw new Problem('not-found', 'planted detail')
    },
    fail: async () => {
      throw new Error('planted words')
    },
  })
  stack.defer(() => app.close())
  const url = await listen(app, { host: '127.0.0.1', port: 0 })
  const plain: Fetch = globalThis.fetch
  const kept = stack.move()
  return {
    spans,
    url,
    port: Number(new URL(url).port),
    client: createClient(routes, { baseUrl: url }),
    fetch: plain,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** One piece, and no end before `until` aborts. */
async function* pieces(until: AbortSignal | undefined): AsyncIterable<Uint8Array> {
  yield fromAscii('piece')
  if (until === undefined || until.aborted) return
  await new Promise<void>((resolve) => {
    until.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** By kind and name: a server's span may end a moment after its client has the answer. */
async function ended(spans: RecordedSpans, count: number) {
  await eventually('the spans have ended', async () => (await spans.ended()).length >= count)
  const order = ({ kind, name }: RecordedSpan) => `${kind} ${name}`
  return (await spans.ended()).toSorted((a, b) => order(a).localeCompare(order(b)))
}
