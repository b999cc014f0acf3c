import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { pipeline } from 'node:stream/promises'
import test, { suite } from 'node:test'
import { z } from 'zod'
import { byteCount, openToAll, Problem, type Routes } from '../contracts/index.ts'
import { bytes, json, none, stream, text } from '../contracts/route.ts'
import { createLogger, createMetrics } from '../telemetry/index.ts'
import { concat, fromAscii, toAscii } from '../units/index.ts'
import { ignoredBytesMax } from './ignored-body.ts'
import { createApp, createClient, listen, serveRoutes } from './index.ts'

const thing = z.strictObject({
  name: z.string(),
  size: byteCount,
  note: z.string().default('none'),
})
const params = z.strictObject({ id: z.string().max(8) })

const routes = {
  put: {
    method: 'PUT',
    access: openToAll,
    path: '/things/:id',
    summary: 'Echo a thing',
    params,
    query: z.strictObject({ times: z.coerce.number().int().min(0).default(1) }),
    body: json(thing, 200),
    status: 200,
    reply: json(thing),
    problems: [],
  },
  file: {
    method: 'PUT',
    access: openToAll,
    path: '/files/*',
    summary: 'Echo a text',
    params: z.strictObject({ '*': z.string() }),
    body: text(16),
    status: 200,
    reply: text(),
    problems: [],
  },
  raw: {
    method: 'POST',
    access: openToAll,
    path: '/raw',
    summary: 'Reverse bytes',
    body: bytes(8),
    status: 200,
    reply: bytes(8),
    problems: [],
  },
  pipe: {
    method: 'POST',
    access: openToAll,
    path: '/pipe',
    summary: 'Pass a stream through',
    body: stream('application/octet-stream'),
    status: 200,
    reply: stream('application/octet-stream'),
    problems: [],
  },
  refuse: {
    method: 'POST',
    access: openToAll,
    path: '/refuse',
    summary: 'Refuse',
    status: 204,
    reply: none,
    problems: ['wrong-state'],
  },
  fail: {
    method: 'GET',
    access: openToAll,
    path: '/fail',
    summary: 'Fail',
    status: 204,
    reply: none,
    problems: [],
  },
} as const satisfies Routes

async function startedService() {
  const app = createApp({
    guard: () => Promise.resolve({ kind: 'anyone' }),
    logger: createLogger({ service: 'test', level: 'silent' }),
    metrics: createMetrics({ processMetrics: false }),
    newCorrelationId: () => 'fresh',
    ready: () => Promise.resolve(),
  })
  serveRoutes(app, routes, {
    put: ({ params: { id }, query, body }) =>
      Promise.resolve({ ...body, name: `${id}${body.name}`.repeat(query.times) }),
    file: ({ params: rest, body }) => Promise.resolve(`${rest['*']}=${body}`),
    raw: ({ body }) => Promise.resolve(body.toReversed()),
    pipe: ({ body }) => Promise.resolve(body),
    refuse: () =>
      Promise.reject(
        new Problem('wrong-state', 'p1 is running', { extensions: { state: 'running' } }),
      ),
    fail: () => Promise.reject(new Error('a secret of the inside')),
  })
  const url = await listen(app, { host: '127.0.0.1', port: 0 })
  return {
    url,
    client: createClient(routes, { baseUrl: url }),
    [Symbol.asyncDispose]: () => app.close(),
  }
}

suite('routes served and called from one table', () => {
  test('JSON crosses with its codecs, defaults and query', async () => {
    await using service = await startedService()
    const reply = await service.client.put({
      params: { id: 'a' },
      query: { times: 2 },
      body: { name: 'b', size: 2 ** 40 },
    })
    assert.deepEqual(reply, { name: 'abab', size: 2n ** 40n, note: 'none' })
  })

  test('text, bytes and streams cross unchanged', async () => {
    await using service = await startedService()
    assert.equal(
      await service.client.file({ params: { '*': 'kernel/fadump_registered' }, body: '1' }),
      'kernel/fadump_registered=1',
    )
    assert.equal(toAscii(await service.client.raw({ body: fromAscii('abc') })), 'cba')
    const big = new Uint8Array(300_000).map((_, index) => index % 251)
    const { body } = await service.client.pipe({ body: big })
    const parts: Uint8Array[] = []
    for await (const part of body) parts.push(part)
    assert.deepEqual(concat(parts), big)
  })

  test('a refusal arrives as the same problem, with its extensions', async () => {
    await using service = await startedService()
    await assert.rejects(service.client.refuse({}), (error) => {
      assert.ok(error instanceof Problem)
      assert.deepEqual(
        { slug: error.slug, detail: error.message, extensions: error.extensions },
        {
          slug: 'wrong-state',
          detail: 'p1 is running',
          extensions: { status: 409, state: 'running' },
        },
      )
      return true
    })
  })

  const refused: readonly [string, RequestInit & { path: string }, number, RegExp][] = [
    ['an unknown field', { path: '/things/a', body: '{"name":"x","size":1,"x":1}' }, 400, /x/],
    ['a missing field', { path: '/things/a', body: '{"name":"x"}' }, 400, /#\/size/],
    [
      'a negative size',
      { path: '/things/a', body: '{"name":"x","size":-1}' },
      400,
      /"body: size: [^"]*; found -1".*#\/size/,
    ],
    ['null', { path: '/things/a', body: 'null' }, 400, /expected object, received null/],
    [
      'a URL that cannot be decoded',
      { path: '/things/%zz' },
      400,
      /'\/things\/%zz' is not a valid/,
    ],
    ['a body that is not JSON', { path: '/things/a', body: '{' }, 400, /not JSON/],
    [
      'a body over its bound',
      { path: '/things/a', body: `{"name":"${'x'.repeat(300)}"` },
      413,
      /200 bytes/,
    ],
    ['a query that is no number', { path: '/things/a?times=x', body: '{}' }, 400, /query/],
    ['a parameter over its bound', { path: '/things/123456789', body: '{}' }, 400, /path/],
    ['an unknown route', { path: '/nothing', body: '{}' }, 404, /no such route/],
  ]
  for (const [what, { path, ...init }, status, detail] of refused) {
    test(`${what} is refused with ${status} and a reason`, async () => {
      await using service = await startedService()
      const response = await fetch(`${service.url}${path}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json', 'x-correlation-id': 'mine-1' },
        ...init,
      })
      const text = await response.text()
      assert.equal(response.status, status)
      assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/)
      assert.equal(response.headers.get('x-correlation-id'), 'mine-1')
      assert.match(text, detail)
    })
  }

  test('an unexpected error tells the client nothing of the inside', async () => {
    await using service = await startedService()
    const response = await fetch(`${service.url}/fail`)
    assert.equal(response.status, 500)
    assert.doesNotMatch(await response.text(), /secret/)
  })

  test('a parameter never makes another path of a request', async () => {
    await using service = await startedService()
    const file = (path: string) => service.client.file({ params: { '*': path }, body: '' })
    assert.equal(await file('a b/c?d'), 'a b/c?d=')
    await assert.rejects(file('../things/a'), /"\.\." is no segment of a path/)
    await assert.rejects(
      service.client.put({ params: { id: '..' }, body: { name: 'x', size: 1 } }),
      /"\.\." is no segment of a path/,
    )
  })

  for (const [request, status] of [
    ['POST /refuse', 409],
    ['POST /nowhere', 404],
    ['GET /livez', 200],
    ['GET /fail', 500],
  ] as const) {
    test(`an endless body is answered, and cut off after 64 MiB: ${request}`, async () => {
      await using service = await startedService()
      const { hostname, port } = new URL(service.url)
      const socket = connect(Number(port), hostname)
      const answer = once(socket, 'data')
      const chunk = concat([fromAscii('100000\r\n'), new Uint8Array(0x10_0000), fromAscii('\r\n')])
      let sent = 0
      function* endless() {
        yield fromAscii(`${request} HTTP/1.1\r\nhost: lab\r\ntransfer-encoding: chunked\r\n\r\n`)
        for (; sent < 4 * ignoredBytesMax; sent += chunk.byteLength) yield chunk
      }
      await assert.rejects(pipeline(endless(), socket), { code: /^(EPIPE|ECONNRESET)$/ })
      assert.match(String((await answer)[0]), new RegExp(`^HTTP/1.1 ${status} `))
      assert.ok(sent < 4 * ignoredBytesMax)
    })
  }

  test('a service that is not there is dependency-unavailable', async () => {
    const client = createClient(routes, { baseUrl: 'http://127.0.0.1:1' })
    await assert.rejects(client.fail({}), { slug: 'dependency-unavailable' })
  })

  test('health and metrics are served', async () => {
    await using service = await startedService()
    assert.equal((await fetch(`${service.url}/livez`)).status, 200)
    assert.equal((await fetch(`${service.url}/readyz`)).status, 200)
    assert.match(await (await fetch(`${service.url}/metrics`)).text(), /fadump_rtas_calls_total/)
  })
})
