/** The users of Redis, on a real server: everything the services do is allowed, everything else is refused. */
import assert from 'node:assert/strict'
import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { Redis } from 'ioredis'
import { startRedisServer } from '../../../test/support/redis-server.ts'
import { without } from '../../../test/support/tools.ts'
import { aclFile, redisUsers, type RedisServerName } from './redis-users.ts'

/** What nobody may do, and what each may do nowhere but with keys of its own. */
const refusals: readonly {
  readonly server: RedisServerName
  readonly user: string
  readonly commands: readonly string[]
}[] = [
  {
    server: 'redis-memory',
    user: 'lpar-kernel',
    commands: [
      'SET memory:{f}:record:partition/p1:firmware {}',
      'GET memory:{f}:record:partition/p1:firmware',
      'DEL memory:{f}:record:partition/p1:vcpus',
      'SET memory:{f}:record:frame:frame {}',
      'ZADD memory:{f}:spaces 0 partition/p9',
      'ZADD memory:frames 0 f',
      'HSET memory:{f}:space:partition/p1 epoch 7',
      'UNLINK memory:{f}:space:partition/p1',
      'EVAL return(redis.call("GET",ARGV[1])) 0 memory:{f}:record:partition/p1:firmware',
      'EVAL return(redis.call("SET",KEYS[1],"x")) 1 memory:{f}:record:partition/p1:firmware',
      'KEYS *',
      'SCAN 0',
      'FLUSHALL',
      'CONFIG GET *',
      'ACL LIST',
      'SHUTDOWN',
      'MONITOR',
      'SUBSCRIBE a',
      'CLIENT LIST',
      'CLIENT KILL ID 1',
    ],
  },
  {
    server: 'redis-memory',
    user: 'hypervisor',
    commands: ['GET events', 'SET other x', 'FLUSHALL', 'KEYS *', 'ACL LIST'],
  },
  {
    server: 'redis-control',
    user: 'dump-collector',
    commands: [
      'GET memory:{f}:page:a',
      'HGETALL {queue}:ipl:job/p1-1',
      'HSET {queue}:ipl:job/p1-1 data {}',
      'EVAL return(redis.call("HGETALL",ARGV[1])) 0 {queue}:ipl:job/p1-1',
      'XRANGE events - +',
      'XDEL events 1-1',
      'XTRIM events MAXLEN 0',
      'DEL events',
      'FLUSHALL',
    ],
  },
  {
    server: 'redis-control',
    user: 'hypervisor',
    commands: ['HGETALL {queue}:capture:job/p1-1', 'DEL events', 'KEYS *'],
  },
  {
    server: 'redis-control',
    user: 'lpar-kernel',
    commands: ['DEL events', 'XREVRANGE events + -', 'SET other x'],
  },
  {
    server: 'redis-control',
    user: 'hmc-api',
    commands: ['DEL events', 'HGETALL {queue}:ipl:job/p1-1', 'LPUSH {queue}:capture:wait x'],
  },
  { server: 'redis-memory', user: 'health', commands: ['GET memory:frames', 'INFO', 'ACL WHOAMI'] },
]

/** For a command, and for a command of a script. */
const refused = /NOPERM|ACL failure in script|The user executing the script can't/

suite('the users of Redis', { skip: without('redis-server') }, () => {
  for (const { server, user, commands } of refusals) {
    test(`${user} on ${server} is refused what is not its own`, async () => {
      await using place = await guardedServer(server)
      await using client = place.clientOf(user)
      for (const command of commands) {
        const [name = '', ...args] = command.split(' ')
        await assert.rejects(client.redis.call(name, ...args), refused)
      }
    })
  }

  test('who has no user of its own cannot log on: neither the collector to memory nor strangers', async () => {
    await using place = await guardedServer('redis-memory')
    for (const [user, password] of [
      ['dump-collector', 'password of dump-collector'],
      ['hmc-api', 'password of hmc-api'],
      ['hypervisor', 'a guess'],
      ['default', ''],
    ] as const) {
      await using client = place.clientOf(user, password)
      await assert.rejects(client.redis.get('memory:frames'), /WRONGPASS|NOAUTH|NOPERM/)
    }
  })

  test('the health user gets an answer without a password', async () => {
    await using place = await guardedServer('redis-control')
    await using client = place.clientOf('health', 'any')
    assert.equal(await client.redis.ping(), 'PONG')
  })

  test('what a transaction has written outlives a restart of the control Redis', async () => {
    await using directory = await mkdtempDisposable(join(tmpdir(), 'redis-aof-'))
    const persistent = ['--appendonly', 'yes', '--dir', directory.path]
    await using place = await guardedServer('redis-control', persistent)
    {
      await using client = place.clientOf('hypervisor')
      await client.redis
        .multi()
        .set('{queue}:ipl:id', '7')
        .hset('{queue}:ipl:meta', 'a', '1')
        .exec()
    }
    await place.restart()
    await using client = place.clientOf('hypervisor')
    assert.equal(await client.redis.get('{queue}:ipl:id'), '7')
    assert.equal(await client.redis.hget('{queue}:ipl:meta', 'a'), '1')
  })

  test('no password stands in the file, only its digest', () => {
    for (const server of ['redis-memory', 'redis-control'] as const) {
      assert.doesNotMatch(aclFile(server, passwordsOf(server)), /password of/)
    }
  })
})

function passwordsOf(server: RedisServerName): Readonly<Record<string, string>> {
  const names = [...redisUsers[server].map(({ name }) => name), 'operator']
  return Object.fromEntries(names.map((name) => [name, `password of ${name}`]))
}

async function guardedServer(server: RedisServerName, settings: readonly string[] = []) {
  await using stack = new AsyncDisposableStack()
  const directory = stack.use(await mkdtempDisposable(join(tmpdir(), 'redis-acl-')))
  const file = join(directory.path, 'users.acl')
  await writeFile(file, aclFile(server, passwordsOf(server)))
  const running = stack.use(await startRedisServer(['--aclfile', file, ...settings]))
  const kept = stack.move()
  return {
    restart: () => running.restart(),
    clientOf: (username: string, password = `password of ${username}`) => {
      const redis = new Redis({
        port: running.port,
        host: '127.0.0.1',
        username,
        password,
        enableReadyCheck: false,
        maxRetriesPerRequest: 0,
        retryStrategy: () => null,
      })
      redis.on('error', () => {})
      return { redis, [Symbol.asyncDispose]: async () => redis.disconnect() }
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}
