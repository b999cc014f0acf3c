/** The Redis store on a Redis Cluster: no script of a frame touches a key of another slot. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { eventually } from '../../../../test/support/eventually.ts'
import { startRedisServer } from '../../../../test/support/redis-server.ts'
import { without } from '../../../../test/support/tools.ts'
import { auditRedis } from './conformance/audit.ts'
import { memoryStoreConformance, type Subject } from './memory-store.conformance.ts'
import { createRedisMemoryStore } from './redis-memory-store.ts'

/** One node that holds all slots: enough to refuse what crosses slots, and to redirect nobody. */
async function openCluster(): Promise<Subject> {
  await using stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'memory-store-cluster-'))
  stack.defer(() => rm(folder, { recursive: true }))
  const bus = ['--cluster-port', String(await freePort()), '--cluster-announce-ip', '127.0.0.1']
  const server = stack.use(
    await startRedisServer(['--cluster-enabled', 'yes', '--dir', folder, ...bus]),
  )
  const observer = stack.adopt(new Redis(server.url), (client) => client.disconnect())
  await observer.cluster('ADDSLOTSRANGE', 0, 16_383)
  await eventually('the cluster is up', async () =>
    String(await observer.cluster('INFO')).includes('cluster_state:ok'),
  )
  const { url } = server
  const store = stack.use(await createRedisMemoryStore({ url, cluster: true }))
  const second = stack.use(await createRedisMemoryStore({ url, cluster: true }))
  const kept = stack.move()
  return {
    store,
    second,
    footprint: () => observer.dbsize(),
    audit: () => auditRedis(observer),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  server.close()
  await once(server, 'close')
  return address.port
}

memoryStoreConformance('RedisMemoryStore on a cluster', openCluster, {
  skip: without('redis-server'),
})
