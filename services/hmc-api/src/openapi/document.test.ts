import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { hmcRoutes, problems } from '@fadump-lab/shared/contracts'
import { startedConsole } from '../testing/fake-room.ts'

interface Operation {
  readonly operationId: string
  readonly parameters: readonly { readonly name: string; readonly in: string }[]
  readonly responses: Readonly<Record<string, unknown>>
  readonly description?: string
  readonly security?: readonly unknown[]
}
interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> }
}

suite('the OpenAPI document', () => {
  test('has every route of the table once, with every path parameter declared', async () => {
    await using api = await startedConsole({})
    const document = (await api.app.inject({ url: '/openapi.json' })).json<Document>()
    assert.equal(document.openapi, '3.1.0')
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.values(methods).map((operation) => ({ path, ...operation })),
    )
    assert.deepEqual(
      operations.map(({ operationId }) => operationId).toSorted(),
      Object.keys(hmcRoutes).toSorted(),
    )
    for (const { path, parameters } of operations) {
      const declared = parameters.filter((parameter) => parameter.in === 'path')
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
      assert.deepEqual(declared.map(({ name }) => name).toSorted(), inPath.toSorted(), path)
    }
  })

  test('names memory in bytes as an integer and the status of every refusal', async () => {
    await using api = await startedConsole({})
    const text = (await api.app.inject({ url: '/openapi.json' })).body
    const create = (JSON.parse(text) as Document).paths['/v1/partitions']?.['post']
    assert.ok(create !== undefined)
    for (const status of ['201', '400', '401', '403', '404', '409', '422', '429', '507']) {
      assert.ok(status in create.responses, status)
    }
    assert.match(text, /"memoryBytes":\{"type":"integer","minimum":0/)
  })

  test('says of every operation that it needs a session, and for which role, but of logging on', async () => {
    await using api = await startedConsole({})
    const document = (await api.app.inject({ url: '/openapi.json' })).json<
      Document & { readonly security: unknown; readonly components: { securitySchemes: unknown } }
    >()
    assert.deepEqual(document.security, [{ session: [] }])
    assert.deepEqual(document.components.securitySchemes, {
      session: { type: 'http', scheme: 'bearer' },
    })
    const open = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        .filter(([, operation]) => operation.security !== undefined)
        .map(([method, operation]) => `${method} ${path} ${JSON.stringify(operation.security)}`),
    )
    assert.deepEqual(open, ['post /v1/sessions []'])
    const download = document.paths['/v1/dumps/{dump}/vmcore']?.['get']
    assert.equal(download?.description, 'For the role operator and those above it.')
  })

  test('has a page that people can read, served without any other host', async () => {
    await using api = await startedConsole({})
    const home = await api.app.inject({ url: '/' })
    assert.equal(home.headers.location, '/docs')
    const page = await api.app.inject({ url: '/docs/' })
    assert.equal(page.statusCode, 200)
    assert.doesNotMatch(page.body, /(?:src|href)="https?:/)
  })

  test('every problem type resolves to its explanation', async () => {
    await using api = await startedConsole({})
    for (const [slug, row] of Object.entries(problems)) {
      const answer = await api.app.inject({ url: `/problems/${slug}` })
      assert.deepEqual(answer.json(), { type: `/problems/${slug}`, ...row })
    }
    assert.equal((await api.app.inject({ url: '/problems/nonsense' })).statusCode, 404)
  })
})
