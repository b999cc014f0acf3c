import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import type { Access, LabEvent } from '../contracts/index.ts'
import { seededRandom, VirtualClock } from '../runtime/index.ts'
import {
  bearer,
  createGuard,
  dumpToken,
  newRoomKeys,
  newSecret,
  refusalRowsPerMinute,
  type GuardedRequest,
} from './index.ts'

const random = seededRandom(7)
const keys = newRoomKeys(random)
const viewerToken = newSecret('session', random)
const presented = { dump: 'p1-00ff-1', epoch: 3 }

function startedGuard() {
  const rows: LabEvent[] = []
  const clock = new VirtualClock()
  const counted: string[] = []
  const guard = createGuard({
    metrics: { count: (_name, { status }) => void counted.push(status) },
    identity: keys.identityOf('lpar-kernel'),
    clock,
    events: { append: async (event) => rows.push(event) },
    logger: { warn: () => {}, error: () => {} },
    userOf: (token) =>
      token === viewerToken
        ? { kind: 'user', name: 'vera', role: 'viewer', session: 's' }
        : undefined,
    dumps: {
      key: keys.dumpKey,
      mayAsk: async (partition, claim) => partition === 'p1' && claim.dump === presented.dump,
    },
  })
  return { guard, rows, clock, counted }
}

function aRequest(
  access: Access | undefined,
  headers: Readonly<Record<string, string>> = {},
): GuardedRequest {
  return {
    operation: 'POST /partitions/:partition/crash',
    access,
    params: { partition: 'p1' },
    header: (name) => headers[name],
    correlationId: 'c1',
  }
}

const as = (secret: string) => bearer(secret)({ access: {} })
const ofConsole = { callers: { 'hmc-api': 'credential' } } as const
const ofCollector = { callers: { 'dump-collector': 'dump-token' } } as const

suite('the guard', () => {
  test('lets in by the declared row', async () => {
    const { guard } = startedGuard()
    assert.deepEqual(await guard(aRequest({ role: 'anyone' })), { kind: 'anyone' })
    assert.deepEqual(await guard(aRequest(ofConsole, as(keys.secrets['hmc-api']))), {
      kind: 'service',
      name: 'hmc-api',
    })
    const user = await guard(aRequest({ role: 'viewer' }, as(viewerToken)))
    assert.deepEqual(user, { kind: 'user', name: 'vera', role: 'viewer', session: 's' })
  })

  test('closes a route that declares nothing, to services and users alike', async () => {
    const { guard } = startedGuard()
    await assert.rejects(guard(aRequest(undefined)), { slug: 'unauthenticated' })
    await assert.rejects(guard(aRequest(undefined, as(viewerToken))), { slug: 'forbidden' })
    for (const secret of Object.values(keys.secrets)) {
      await assert.rejects(guard(aRequest(undefined, as(secret))), { slug: 'forbidden' })
    }
  })

  test('knows 401 from 403', async () => {
    const { guard } = startedGuard()
    const wrong = as(newSecret('service', random))
    await assert.rejects(guard(aRequest(ofConsole)), { slug: 'unauthenticated', status: 401 })
    await assert.rejects(guard(aRequest(ofConsole, wrong)), { slug: 'unauthenticated' })
    const basic = { authorization: `Basic ${keys.secrets['hmc-api']}` }
    await assert.rejects(guard(aRequest(ofConsole, basic)), { slug: 'unauthenticated' })
    const kernel = as(keys.secrets['lpar-kernel'])
    await assert.rejects(guard(aRequest(ofConsole, kernel)), { slug: 'forbidden', status: 403 })
    await assert.rejects(guard(aRequest({ role: 'operator' }, as(viewerToken))), {
      slug: 'forbidden',
      message: /is for the role operator, which viewer vera does not have$/,
    })
  })

  test('wants the token of the very dump beside the credential', async () => {
    const { guard } = startedGuard()
    const collector = as(keys.secrets['dump-collector'])
    const withToken = (token: string) =>
      aRequest(ofCollector, { ...collector, 'x-dump-token': token })
    const good = dumpToken(keys.dumpKey, presented)
    assert.equal((await guard(withToken(good))).kind, 'service')
    const refused = [
      aRequest(ofCollector, collector),
      withToken(dumpToken(keys.dumpKey, { ...presented, dump: 'p1-00ff-2' })),
      withToken(dumpToken(newSecret('dump', random), presented)),
      withToken(keys.dumpKey),
      { ...withToken(good), params: { partition: 'p2' } },
      { ...withToken(good), params: {} },
    ]
    for (const request of refused) await assert.rejects(guard(request), { slug: 'forbidden' })
    const tokenAlone = aRequest(ofCollector, { 'x-dump-token': good })
    await assert.rejects(guard(tokenAlone), { slug: 'unauthenticated' })
    const stolen = aRequest(ofCollector, { ...as(keys.secrets['hmc-api']), 'x-dump-token': good })
    await assert.rejects(guard(stolen), { slug: 'forbidden' })
  })

  test('tells who was refused what, and none of the secrets that were shown', async () => {
    const { guard, rows } = startedGuard()
    const secret = newSecret('service', random)
    await assert.rejects(guard(aRequest(ofConsole, as(secret))), (error: Error) => {
      assert.doesNotMatch(error.message, /fls_/)
      return true
    })
    await assert.rejects(guard(aRequest(ofConsole, as(keys.secrets['dump-collector']))))
    assert.deepEqual(
      rows.map(({ service, aggregate, event, subject, detail }) => ({
        service,
        aggregate,
        event,
        subject,
        ...detail,
      })),
      ['somebody unknown', 'dump-collector'].map((caller, index) => ({
        service: 'lpar-kernel',
        aggregate: 'access',
        event: 'refused',
        subject: 'POST /partitions/:partition/crash',
        partition: 'p1',
        caller,
        reason: [
          'POST /partitions/:partition/crash: its credential is not known, or not any more',
          'POST /partitions/:partition/crash is not for dump-collector',
        ][index],
      })),
    )
    assert.doesNotMatch(JSON.stringify(rows), /fl[sdu]_/)
  })

  test('does not fill the event stream with refusals, and counts those it leaves out', async () => {
    const { guard, rows, clock, counted } = startedGuard()
    for (let count = 0; count < refusalRowsPerMinute + 40; count++) {
      await assert.rejects(guard(aRequest(ofConsole)))
    }
    assert.equal(rows.length, refusalRowsPerMinute)
    await clock.advance(60_000)
    await assert.rejects(guard(aRequest(ofConsole)))
    assert.equal(rows.length, refusalRowsPerMinute + 1)
    assert.equal(rows.at(-1)?.detail?.['suppressed'], 40)
    assert.equal(counted.length, refusalRowsPerMinute + 41, 'the metric counts them all')
    assert.deepEqual([...new Set(counted)], ['401'])
  })
})
