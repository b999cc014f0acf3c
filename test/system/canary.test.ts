/**
 * Secrets stay where they belong. A whole crash on a real Redis with logs at their most talkative, with refusals of every
 * kind; then everything that was written anywhere is searched for every secret there is.
 */
import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { hmcRoutes } from '@fadump-lab/shared/contracts'
import { createClient } from '@fadump-lab/shared/http'
import { bearer, dumpToken, verifierOf } from '@fadump-lab/shared/identity'
import { toAscii } from '@fadump-lab/shared/units'
import { Redis } from 'ioredis'
import { password, startProcessRoom, type ProcessRoom } from '../support/processes.ts'
import { without } from '../support/tools.ts'

const MiB = 2 ** 20
const planted = 'planted-canary-password'
/** Too short to be accepted. */
const shortOne = 'canary-9'

suite('no secret is written down', { skip: without('redis-server') }, () => {
  test('not in jobs, events, logs or answers: neither keys, nor tokens, nor passwords', async () => {
    await using room = await startProcessRoom({ logLevel: 'trace' })
    const answers: string[] = []
    await room.api.boot({ id: 'p1', memoryBytes: 1024 * MiB, processors: 1 })
    const crash = await room.api.crash('p1')
    const after = await room.api.partition('p1')
    await room.api.routes.createUser({ body: { name: 'vera', role: 'viewer', password: planted } })
    const { routes } = room.api
    const { token } = await createClient(hmcRoutes, { baseUrl: room.url('hmc-api') }).logOn({
      body: { name: 'vera', password: planted },
    })
    await refusedRequests(room, answers)
    answers.push(
      JSON.stringify([
        await routes.listSessions({}),
        await routes.listUsers({}),
        await routes.listEvents({ query: { limit: 10_000 } }),
        await routes.listJobs({}),
      ]),
    )
    const dumpTokens = Array.from({ length: after.epoch + 1 }, (_, epoch) =>
      dumpToken(room.keys.dumpKey, { dump: crash.id, epoch }),
    )
    const secrets = [
      ...Object.values(room.keys.secrets),
      room.keys.dumpKey,
      room.token(),
      token,
      verifierOf(token),
      password,
      planted,
      shortOne,
      ...dumpTokens.map((text) => text.split('.').at(-1) ?? ''),
    ].flatMap((secret) => [secret, secret.replace(/^fl[sdu]_/, '')])
    const places = {
      redis: await everythingIn(room.redisUrl),
      logs: room.wholeLog(),
      answers: answers.join('\n'),
    }
    assert.match(places.redis, /partitionUrl/, 'the capture job was there to be searched')
    assert.match(places.logs, /access refused/)
    for (const [place, text] of Object.entries(places)) {
      const found = secrets.filter((secret) => text.includes(secret))
      assert.deepEqual(found, [], `${place}, ${text.length} characters`)
    }
  })
})

/** Answers to those who show a good secret in the wrong place, and a wrong one in the right place. */
async function refusedRequests(room: ProcessRoom, answers: string[]): Promise<void> {
  const { secrets, dumpKey } = room.keys
  const send = async (url: string, init: RequestInit): Promise<void> => {
    const response = await fetch(url, init)
    answers.push(await response.text(), JSON.stringify([...response.headers]))
  }
  const crash = `${room.url('lpar-kernel')}/partitions/p1/crash`
  const collector = bearer(secrets['dump-collector'])({ access: {} })
  await send(crash, { method: 'POST', headers: collector })
  await send(crash, { method: 'POST', headers: { authorization: `Bearer ${dumpKey}` } })
  await send(crash, { method: 'POST', headers: { authorization: secrets['hmc-api'] } })
  await send(`${room.url('lpar-kernel')}/partitions/p1/proc/vmcore`, {
    headers: { ...collector, 'x-dump-token': dumpKey },
  })
  const console = room.url('hmc-api')
  await send(`${console}/v1/partitions`, {
    headers: { authorization: `Bearer ${secrets.monitor}` },
  })
  await send(`${console}/v1/users`, {
    method: 'POST',
    headers: { authorization: `Bearer ${room.token()}` },
    body: JSON.stringify({ name: 'eve', role: 'viewer', password: shortOne }),
  })
  for (const body of [
    { name: 'admin', password: planted },
    { name: 'admin', pass: planted },
  ]) {
    await send(`${console}/v1/sessions`, { method: 'POST', body: JSON.stringify(body) })
  }
}

/** Every key of the server with all it holds. */
async function everythingIn(url: string): Promise<string> {
  const redis = new Redis(url)
  try {
    const texts: string[] = []
    for await (const keys of redis.scanStream() as AsyncIterable<string[]>) {
      for (const key of keys) {
        const held = await redis.dumpBuffer(key)
        texts.push(key, held === null ? '' : toAscii(held), await readable(redis, key))
      }
    }
    return texts.join('\n')
  } finally {
    redis.disconnect()
  }
}

/** `DUMP` compresses what is long; this is the same in clear. */
async function readable(redis: Redis, key: string): Promise<string> {
  switch (await redis.type(key)) {
    case 'string':
      return toAscii((await redis.getBuffer(key)) ?? new Uint8Array(0))
    case 'hash':
      return JSON.stringify(await redis.hgetall(key))
    case 'stream':
      return JSON.stringify(await redis.xrange(key, '-', '+'))
    case 'list':
      return JSON.stringify(await redis.lrange(key, '0', '-1'))
    case 'set':
      return JSON.stringify(await redis.smembers(key))
    default:
      return JSON.stringify(await redis.zrange(key, '0', '-1'))
  }
}
