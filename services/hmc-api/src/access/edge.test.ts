/** The console from outside: logging on, expiry, roles, bounds, headers, TLS. */
import assert from 'node:assert/strict'
import { request } from 'node:https'
import test, { suite } from 'node:test'
import { hmcRoutes, type NewSession, type Role } from '@fadump-lab/shared/contracts'
import { listen } from '@fadump-lab/shared/http'
import { VirtualClock } from '@fadump-lab/shared/runtime'
import { sessionTtlMs, startedConsole, type ScriptedConsole } from '../testing/fake-room.ts'
import { localhostTls } from '../testing/localhost-tls.ts'

const password = 'a password of ours'

const logOn = (api: ScriptedConsole, body: object) =>
  api.app.inject({ method: 'POST', url: '/v1/sessions', payload: JSON.stringify(body) })

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

const as = (api: ScriptedConsole, role: Role) =>
  bearer(api.sessions.open({ name: `some-${role}`, role }).token)

const pathOf = (path: string) =>
  path.replace(/:([a-z]+)/g, (_match, name: string) => `no-${name}`).replace('*', 'kernel/fadump')

suite('the console', () => {
  test('gives a token for name and password, and takes it back', async () => {
    await using api = await startedConsole({})
    await api.users.create({ name: 'admin', role: 'administrator', password })
    const answer = await logOn(api, { name: 'admin', password })
    assert.equal(answer.statusCode, 201)
    const { token, ...session } = answer.json<NewSession>()
    const headers = bearer(token)
    const own = await api.app.inject({ url: '/v1/session', headers })
    assert.deepEqual(own.json(), session)
    assert.equal((await api.app.inject({ url: '/v1/users', headers })).statusCode, 200)
    const off = await api.app.inject({ method: 'DELETE', url: '/v1/session', headers })
    assert.equal(off.statusCode, 204)
    assert.equal((await api.app.inject({ url: '/v1/session', headers })).statusCode, 401)
    const rows = (await api.events.read(undefined, 10)).map(({ event }) => event.event)
    assert.deepEqual(rows, ['loggedOn', 'loggedOff', 'refused'])
  })

  test('answers a wrong name as it answers a wrong password, and tells it', async () => {
    await using api = await startedConsole({})
    await api.users.create({ name: 'admin', role: 'administrator', password })
    const [name, word] = [
      await logOn(api, { name: 'nobody', password }),
      await logOn(api, { name: 'admin', password: 'not the password' }),
    ]
    assert.equal(name.statusCode, 401)
    assert.equal(name.headers['www-authenticate'], 'Bearer')
    const { correlationId: _one, instance: _first, ...first } = name.json<Record<string, string>>()
    const { correlationId: _two, instance: _next, ...second } = word.json<Record<string, string>>()
    assert.deepEqual(first, second)
    const rows = await api.events.read(undefined, 10)
    assert.deepEqual(
      rows.map(({ event }) => [event.aggregate, event.event, event.detail?.['caller']]),
      [
        ['access', 'refused', 'nobody'],
        ['access', 'refused', 'admin'],
      ],
    )
    assert.doesNotMatch(JSON.stringify(rows), /not the password|a password of ours/)
  })

  test('ends the sessions of a user whose role or password changes', async () => {
    await using api = await startedConsole({})
    await api.users.create({ name: 'admin', role: 'administrator', password })
    await api.users.create({ name: 'olga', role: 'operator', password })
    const { token } = (await logOn(api, { name: 'olga', password })).json<NewSession>()
    const changed = await api.app.inject({
      method: 'PUT',
      url: '/v1/users/olga',
      headers: as(api, 'administrator'),
      payload: JSON.stringify({ role: 'viewer' }),
    })
    assert.deepEqual(changed.json(), { name: 'olga', role: 'viewer' })
    const refused = await api.app.inject({ url: '/v1/session', headers: bearer(token) })
    assert.equal(refused.statusCode, 401)
  })

  test('refuses an expired token on every route but those that need none', async () => {
    const clock = new VirtualClock()
    await using api = await startedConsole({}, { clock })
    const headers = as(api, 'administrator')
    await clock.advance(sessionTtlMs)
    for (const { method, path, access } of Object.values(hmcRoutes)) {
      const { statusCode } = await api.app.inject({ method, url: pathOf(path), headers })
      const isOpen = 'role' in access && access.role === 'anyone'
      assert.equal(statusCode, isOpen ? 400 : 401, `${method} ${path}`)
    }
    assert.deepEqual(api.called, [])
  })

  test('lets a viewer see dumps, but no byte of them', async () => {
    await using api = await startedConsole({})
    const statusOf = async (url: string) =>
      (await api.app.inject({ url, headers: as(api, 'viewer') })).statusCode
    assert.equal(await statusOf('/v1/dumps/p1-00000000-1'), 200)
    assert.equal(await statusOf('/v1/dumps/p1-00000000-1/vmcore'), 403)
    assert.equal(await statusOf('/v1/partitions/p1/structures/regsave'), 403)
    assert.deepEqual(api.called, ['getDump'])
  })

  test('refuses more logons and more requests than it was told', async () => {
    const limits = { requestsPerMinute: 3, logonsPerMinute: 2 }
    await using api = await startedConsole({}, { limits })
    const body = { name: 'nobody', password }
    const logons = [await logOn(api, body), await logOn(api, body), await logOn(api, body)]
    assert.deepEqual(
      logons.map(({ statusCode }) => statusCode),
      [401, 401, 429],
    )
    assert.match(String(logons[2]?.headers['retry-after']), /^\d+$/)
    assert.equal(logons[2]?.json<{ type: string }>().type, '/problems/too-many-requests')
    const statuses: number[] = []
    for (let count = 0; count < 4; count++) {
      statuses.push((await api.app.inject({ url: '/v1/jobs', headers: api.headers })).statusCode)
    }
    assert.deepEqual(statuses, [200, 200, 200, 429])
    const elsewhere = { remoteAddress: '192.0.2.7', url: '/v1/jobs', headers: api.headers }
    assert.equal((await api.app.inject(elsewhere)).statusCode, 200, 'from another address')
    const wrong = { ...elsewhere, headers: bearer('fls_wrong') }
    const refused = [401, 401, 429, 429]
    for (const status of refused) assert.equal((await api.app.inject(wrong)).statusCode, status)
  })

  test('sends headers that keep browsers from guessing, framing and loading from elsewhere', async () => {
    await using api = await startedConsole({})
    for (const url of ['/docs/', '/v1/jobs', '/v1/users', '/openapi.json']) {
      // Users are for administrators: refusals have the headers as well.
      const { headers } = await api.app.inject({ url, headers: api.headers })
      assert.equal(headers['x-content-type-options'], 'nosniff', url)
      assert.match(
        String(headers['content-security-policy']),
        /default-src 'self'.*frame-ancestors 'none'/,
      )
      assert.doesNotMatch(
        String(headers['content-security-policy']),
        /upgrade-insecure|unsafe-eval/,
      )
      assert.equal(headers['strict-transport-security'], undefined, 'not over plain HTTP')
    }
  })

  test('speaks TLS when it has a certificate, and nothing else then', async () => {
    await using api = await startedConsole({}, { tls: localhostTls })
    const url = await listen(api.app, { host: '127.0.0.1', port: 0 })
    assert.match(url, /^https:/)
    const { promise, resolve, reject } =
      Promise.withResolvers<readonly [number | undefined, string]>()
    const asked = request(`${url}/v1/jobs`, { ca: localhostTls.cert, headers: api.headers })
    asked.once('error', reject).once('response', (reply) => {
      reply.resume()
      resolve([reply.statusCode, String(reply.headers['strict-transport-security'])])
    })
    asked.end()
    const [status, strict] = await promise
    assert.equal(status, 200)
    assert.match(strict, /^max-age=\d+/)
    await assert.rejects(fetch(`${url.replace('https:', 'http:')}/livez`))
  })
})
