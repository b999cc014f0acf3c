import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Redis } from 'ioredis'
import { eventually } from '../../../../test/support/eventually.ts'
import { startRedisServer, type RedisServer } from '../../../../test/support/redis-server.ts'
import { startTcpLine } from '../../../../test/support/tcp-line.ts'
import { without } from '../../../../test/support/tools.ts'
import { UnavailableError } from '../runtime/index.ts'
import { anEvent, eventLogConformance } from './event-log.conformance.ts'
import { createRedisEventLog, eventLogKey } from './redis-event-log.ts'

describe('Redis Stream', { skip: without('redis-server') }, () => {
  const servers = new AsyncDisposableStack()
  const shared: { redis?: RedisServer } = {}
  before(async () => void (shared.redis = servers.use(await startRedisServer())))
  after(() => servers.disposeAsync())
  let keys = 0

  eventLogConformance('the event log in a Redis Stream', async () => {
    const logs = new AsyncDisposableStack()
    const errors: Error[] = []
    const onError = (error: Error) => void errors.push(error)
    return {
      // Redis trims whole nodes of its stream: 100 rows by default.
      slack: 100,
      open: async (rowsMax) =>
        logs.use(
          createRedisEventLog({
            url: shared.redis?.url ?? '',
            key: `events-${keys++}`,
            rowsMax,
            onError,
          }),
        ),
      async [Symbol.asyncDispose]() {
        await logs.disposeAsync()
        assert.deepEqual(errors, [])
      },
    }
  })

  test('a stored row that is no event is left out and reported', async () => {
    await using redis = await startRedisServer()
    const errors: string[] = []
    await using log = createRedisEventLog({
      url: redis.url,
      onError: (error) => errors.push(error.message),
    })
    await using raw = rawRedis(redis.url)
    const rows = log.follow(undefined, new AbortController().signal)[Symbol.asyncIterator]()
    const first = await log.append(anEvent('created'))
    const bad = [
      await raw.redis.xadd(eventLogKey, '*', 'event', 'not JSON'),
      await raw.redis.xadd(eventLogKey, '*', 'event', '{"time":"never"}'),
      await raw.redis.xadd(eventLogKey, '*', 'other', '{}'),
    ]
    const last = await log.append(anEvent('removed'))
    assert.deepEqual(
      (await log.read(undefined, 10)).map((row) => row.id),
      [first, last],
    )
    assert.deepEqual(
      errors,
      bad.map((id) => `row ${id} of stream events is not an event`),
    )
    assert.equal((await rows.next()).value?.id, first)
    assert.equal((await rows.next()).value?.id, last)
  })

  test('a follower has a connection of its own, which ends with it', async () => {
    await using redis = await startRedisServer()
    await using log = createRedisEventLog({ url: redis.url })
    await using raw = rawRedis(redis.url)
    await log.append(anEvent('created'))
    const connections = async () =>
      String(await raw.redis.client('LIST'))
        .trim()
        .split('\n').length
    const before = await connections()
    const rows = log.follow('0-0', new AbortController().signal)[Symbol.asyncIterator]()
    await rows.next()
    assert.equal(await connections(), before + 1)
    await rows.return?.()
    await eventually('the connection is closed', async () => (await connections()) === before)
  })

  test('a follower goes on when Redis comes back', async () => {
    await using redis = await startRedisServer()
    await using log = createRedisEventLog({ url: redis.url })
    const rows = log.follow(undefined, new AbortController().signal)[Symbol.asyncIterator]()
    await log.append(anEvent('created'))
    await rows.next()
    const next = rows.next()
    await redis.restart()
    const id = await log.append(anEvent('removed'))
    assert.equal((await next).value?.id, id)
  })

  test('a follower goes on when its connection has fallen silent', async () => {
    await using redis = await startRedisServer()
    await using line = await startTcpLine(redis.port)
    const url = `redis://127.0.0.1:${line.port}`
    await using log = createRedisEventLog({ url, silenceMs: 200 })
    const rows = log.follow(undefined, new AbortController().signal)[Symbol.asyncIterator]()
    await log.append(anEvent('created'))
    await rows.next()
    const next = rows.next()
    line.silence()
    const id = await log.append(anEvent('removed'))
    assert.equal((await next).value?.id, id)
  })

  test('while Redis is away, appending and reading are refused and following can be stopped', async () => {
    await using redis = await startRedisServer()
    await using log = createRedisEventLog({
      url: redis.url,
      answerTimeoutMs: 50,
      closeTimeoutMs: 50,
    })
    const stop = new AbortController()
    const rows = log.follow(undefined, stop.signal)[Symbol.asyncIterator]()
    await log.append(anEvent('created'))
    await rows.next()
    const waiting = rows.next()
    await redis.stop()
    await assert.rejects(log.append(anEvent('removed')), UnavailableError)
    await assert.rejects(log.read(undefined, 1), UnavailableError)
    stop.abort()
    assert.deepEqual(await waiting, { done: true, value: undefined })
  })
})

function rawRedis(url: string): AsyncDisposable & { readonly redis: Redis } {
  const redis = new Redis(url)
  redis.on('error', () => {})
  return {
    redis,
    async [Symbol.asyncDispose]() {
      redis.disconnect()
    },
  }
}
