/** The Redis store when something goes wrong: Redis is away, full or forgetful, or a process has died. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Redis } from 'ioredis'
import { eventually } from '../../../../test/support/eventually.ts'
import { startRedisServer } from '../../../../test/support/redis-server.ts'
import { startTcpLine } from '../../../../test/support/tcp-line.ts'
import { without } from '../../../../test/support/tools.ts'
import { byteLength } from '../units/index.ts'
import { planPages } from './change/page-plan.ts'
import { segmentsOf } from './change/segments.ts'
import { auditRedis } from './conformance/audit.ts'
import {
  aSpace,
  at,
  copying,
  epoch0,
  fill,
  filled,
  firstBytes,
  pages,
  refuses,
  sizeOf,
  writing,
} from './conformance/subject.ts'
import { spaceKey, stagingsKey, trashKey } from './keys.ts'
import { pageSize, StoreError, type SpaceId } from './memory-store.ts'
import { createRedisMemoryStore } from './redis-memory-store.ts'
import { RedisConnection } from './redis/connection.ts'
import { loadScripts } from './redis/script-source.ts'
import { Stager } from './redis/staging.ts'

const options = { skip: without('redis-server') }

async function openRedis(settings: readonly string[] = []) {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startRedisServer(settings))
  const observer = stack.adopt(new Redis(server.url), (client) => client.disconnect())
  observer.on('error', () => {})
  const kept = stack.move()
  return { server, observer, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

test(
  'a store without Redis is unavailable, and works again when Redis is back',
  options,
  async () => {
    await using redis = await openRedis()
    const { url } = redis.server
    let failures = 0
    const onConnectionError = () => (failures += 1)
    await using store = await createRedisMemoryStore({
      url,
      commandTimeoutMs: 2_000,
      onConnectionError,
    })
    const id = await aSpace(store, 64)
    await fill(store, id, [1, 2])
    await redis.server.stop()
    const operations = [
      store.ping(),
      store.read(id, at(0), 1),
      store.write(id, writing(at(0), filled(1)), epoch0),
      store.write(id, writing(at(0, 1), filled(1, 1)), epoch0),
      store.commit(id, { records: { state: 'x' } }),
      store.commit(id, { copies: [copying(at(0), at(2, 1), pageSize)] }),
      store.populated(id, pages(0, 1), 1),
      store.listFrames(),
    ]
    await Promise.all(operations.map((operation) => refuses('unavailable', operation)))
    assert.ok(failures > 0, 'the owner of the store is told')
    await redis.server.start()
    await eventually('the store answers', () => isAvailable(store.ping()))
    assert.equal(await store.describe(id), undefined, 'this Redis keeps nothing')
    await store.createSpace(id, sizeOf(4))
    await store.write(id, writing(at(0, 1), filled(1, 1)), epoch0)
  },
)

test('a connection that has fallen silent is given up for another', options, async () => {
  await using redis = await openRedis()
  await using line = await startTcpLine(redis.server.port)
  const url = `redis://127.0.0.1:${line.port}`
  await using store = await createRedisMemoryStore({ url, commandTimeoutMs: 200 })
  const id = await aSpace(store, 4)
  await fill(store, id, [1])
  line.silence()
  await refuses('unavailable', store.ping())
  await eventually('the store answers', () => isAvailable(store.ping()))
  assert.deepEqual(await firstBytes(store, id, 1), [1])
})

test('a cluster that cannot be reached is unavailable as well', async () => {
  // Nothing listens on port 1.
  const url = 'redis://127.0.0.1:1'
  await using store = await createRedisMemoryStore({ url, cluster: true })
  await refuses('unavailable', store.ping())
  await refuses('unavailable', store.describe({ frame: 'server-1', space: 'p' }))
})

test('operations under way when Redis goes away end as unavailable', options, async () => {
  await using redis = await openRedis()
  const { url } = redis.server
  await using store = await createRedisMemoryStore({ url, commandTimeoutMs: 2_000 })
  const id = await aSpace(store, 6_000)
  await fill(store, id, Array<number>(200).fill(3))
  const operations = Array.from({ length: 20 }, (_, n) =>
    store.commit(id, { copies: [copying(at(0), at(300 + n, 1), 190 * pageSize)] }),
  )
  const settled = Promise.allSettled(operations)
  await store.read(id, at(0), 1)
  await redis.server.stop()
  for (const outcome of await settled) {
    if (outcome.status === 'fulfilled') continue
    assert.ok(outcome.reason instanceof StoreError)
    assert.match(outcome.reason.code, /^(unavailable|version-conflict)$/)
  }
})

test('a Redis that has forgotten the scripts is given them again', options, async () => {
  await using redis = await openRedis()
  await using store = await createRedisMemoryStore({ url: redis.server.url })
  const id = await aSpace(store, 4)
  await fill(store, id, [1])
  await redis.observer.script('FLUSH')
  assert.deepEqual(await firstBytes(store, id, 2), [1, 0])
  await redis.observer.script('FLUSH')
  await store.write(id, writing(at(1), filled(2)), epoch0)
  await redis.observer.script('FLUSH')
  await store.commit(id, { copies: [copying(at(0), at(2), 2 * pageSize)] })
  assert.deepEqual(await firstBytes(store, id, 4), [1, 2, 1, 2])
})

test(
  'a full Redis takes no pages, but states and everything that frees memory',
  options,
  async () => {
    const settings = ['--maxmemory', '12mb', '--maxmemory-policy', 'noeviction']
    await using redis = await openRedis(settings)
    await using store = await createRedisMemoryStore({ url: redis.server.url })
    const id = await aSpace(store, 4_096)
    const random = Uint8Array.from({ length: pageSize }, (_, n) => (n * 7) % 251)
    await assert.rejects(async () => {
      for (let page = 0; page < 4_096; page += 1) {
        random.set([page & 0xff, page >> 8])
        await store.write(id, writing(at(page), random), epoch0)
      }
    }, /OOM/)
    const present = (await store.describe(id))?.populatedPages ?? 0
    assert.ok(present > 20)
    const copy = { copies: [copying(at(0), at(2_000, 1), 40 * pageSize)] }
    await refuses('unavailable', store.commit(id, copy))
    await refuses('unavailable', store.createSpace({ ...id, space: 'more' }, sizeOf(1)))
    await auditRedis(redis.observer)
    await store.commit(id, { records: { state: 'failed' }, nextEpoch: true })
    await store.commit(id, { clears: [pages(0, 10)] })
    assert.equal((await store.describe(id))?.populatedPages, present - 10)
    await store.deleteSpace(id)
    assert.equal(await redis.observer.dbsize(), 0)
  },
)

test(
  'pages staged by a process that died are given back by the next commit after their lease',
  options,
  async () => {
    await using redis = await openRedis()
    await using store = await createRedisMemoryStore({ url: redis.server.url })
    const id = await aSpace(store, 1_000)
    await fill(store, id, [1, 2, 3, 4])
    const before = await redis.observer.dbsize()
    await stageAndDie(redis.server.url, id, 1)
    assert.ok((await redis.observer.dbsize()) > before, 'something was staged')
    await auditRedis(redis.observer)
    assert.equal((await store.describe(id))?.populatedPages, 4, 'and nobody sees it')
    const repeat = { copies: [copying(at(0), at(1), 0)], clears: [pages(999, 1_000)] }
    await eventually('the next commit gives it back', async () => {
      await store.commit(id, repeat)
      return (await redis.observer.dbsize()) === before
    })
    await auditRedis(redis.observer)
  },
)

test('pages staged by a process that died go with their space, lease or not', options, async () => {
  await using redis = await openRedis()
  await using store = await createRedisMemoryStore({ url: redis.server.url })
  const id = await aSpace(store, 1_000)
  await fill(store, id, [1, 2, 3, 4])
  await stageAndDie(redis.server.url, id, 3_600_000)
  await store.commit(id, { clears: [pages(999, 1_000)] })
  assert.equal(await redis.observer.zcard(stagingsKey(id)), 1, 'the lease still holds')
  await store.deleteSpace(id)
  assert.equal(await redis.observer.dbsize(), 0)
})

test('a staging whose lease has ended under a slow commit is staged again', options, async () => {
  await using redis = await openRedis()
  await using slow = await createRedisMemoryStore({ url: redis.server.url, stagingLeaseMs: 0 })
  await using other = await createRedisMemoryStore({ url: redis.server.url })
  const id = await aSpace(slow, 400)
  await fill(slow, id, Array<number>(100).fill(7))
  let isDone = false
  // Each of these commits drops whatever lease has ended.
  const dropping = (async () => {
    while (!isDone) await other.commit(id, { clears: [pages(399, 400)] })
  })()
  for (let round = 0; round < 2; round += 1) {
    const outcome = await slow
      .commit(id, { writes: [writing(at(200, 1), filled(round + 1, 40 * pageSize))] })
      .then(() => 'committed')
      .catch((error: unknown) => (error instanceof StoreError ? error.code : String(error)))
    assert.match(outcome, /^(committed|version-conflict)$/)
    const first = await slow.read(id, at(200, 1), 1)
    const last = await slow.read(id, at(240), 1)
    assert.deepEqual(first, last, 'all of it or nothing')
  }
  isDone = true
  await dropping
  await slow.deleteSpace(id)
  assert.equal(await redis.observer.dbsize(), 0)
})

test(
  'the trash of a process that died while it deleted goes with the next deletion',
  options,
  async () => {
    await using redis = await openRedis()
    await using store = await createRedisMemoryStore({ url: redis.server.url })
    const [a, b] = [await aSpace(store, 100), await aSpace(store, 1)]
    await fill(store, a, [1, 2, 3])
    const other = { frame: a.frame, space: 'other' }
    await store.createSpace(other, byteLength(pageSize))
    // What delete-space.lua leaves to be swept: the space is gone, its leaf waits in the trash.
    const incarnation = await redis.observer.hget(spaceKey(a), 'incarnation')
    await redis.observer.sadd(
      trashKey(a.frame),
      `memory:{${a.frame}}:leaf:${a.space}@${incarnation}:0`,
    )
    await redis.observer.del(spaceKey(a), `memory:{${a.frame}}:leaves:${a.space}`)
    await redis.observer.zrem(`memory:{${a.frame}}:spaces`, a.space)
    await store.deleteSpace(other)
    await store.deleteSpace(b)
    assert.equal(await redis.observer.dbsize(), 0)
  },
)

async function isAvailable(operation: Promise<void>): Promise<boolean> {
  return await operation.then(() => true).catch(() => false)
}

/** Stages an unaligned copy as a commit does, and never commits it. */
async function stageAndDie(url: string, id: SpaceId, leaseMs: number): Promise<void> {
  await using connection = new RedisConnection({ url }, await loadScripts())
  const [, , , , incarnation, staging, , baseIncarnation, baseChanges] = await connection.run(
    'beginCommit',
    {
      keys: {
        space: spaceKey(id),
        base: spaceKey(id),
        stagings: stagingsKey(id),
        trash: trashKey(id.frame),
      },
      args: {},
    },
  )
  const start = {
    incarnation: String(incarnation),
    staging: String(staging),
    baseIncarnation: String(baseIncarnation),
    baseChanges: String(baseChanges),
  }
  const writes = Array.from({ length: 40 }, (_, n) => writing(at(100 + n), filled(100 + n)))
  const plan = planPages(segmentsOf({ writes }))
  await new Stager(connection, { id, base: id, start, plan, leaseMs }).run()
}
