import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eventually } from '../../../../test/support/eventually.ts'
import { startRedisServer } from '../../../../test/support/redis-server.ts'
import { startTcpLine } from '../../../../test/support/tcp-line.ts'
import { without } from '../../../../test/support/tools.ts'
import { exitCodeOf } from '../runtime/index.ts'
import { RedisLink } from './redis-link.ts'

describe('a link to the control Redis', { skip: without('redis-server') }, () => {
  test('tells an outage once, however often it tries again, and the next one again', async () => {
    await using redis = await startRedisServer()
    const told: Error[] = []
    await using link = new RedisLink({ url: redis.url, onError: (error) => told.push(error) })
    await link.answer((connection) => connection.ping())
    const refused = () => told.filter((error) => error.message.endsWith('ECONNREFUSED')).length
    for (const outage of [1, 2]) {
      const tries = { count: 0 }
      link.redis.on('reconnecting', () => tries.count++)
      await redis.stop()
      await eventually('the link has tried four times', () => tries.count >= 4)
      assert.equal(refused(), outage)
      await redis.start()
      await link.answer((connection) => connection.ping())
    }
    assert.deepEqual(new Set(told.map(exitCodeOf)), new Set([75]))
  })

  test('is made anew when it has fallen silent, and tells so once', async () => {
    await using redis = await startRedisServer()
    await using line = await startTcpLine(redis.port)
    const told: string[] = []
    await using link = new RedisLink({
      url: `redis://127.0.0.1:${line.port}`,
      silenceMs: 100,
      onError: (error) => told.push(error.message),
    })
    await link.answer((connection) => connection.ping())
    line.silence()
    assert.equal(await link.answer((connection) => connection.ping()), 'PONG')
    assert.deepEqual(told, ['the control Redis is away: no answer'])
  })

  test('passes every other error on', () => {
    const told: string[] = []
    using stack = new DisposableStack()
    const link = new RedisLink({
      url: 'redis://127.0.0.1:1',
      onError: (error) => told.push(error.message),
    })
    stack.defer(() => link.drop())
    for (const text of ['could not renew lock', 'could not renew lock'])
      link.report(new Error(text))
    assert.deepEqual(told, ['could not renew lock', 'could not renew lock'])
  })
})
