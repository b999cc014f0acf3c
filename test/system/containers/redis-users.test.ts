/** The Redis users on the image that the compose file names, doing what the services do with it. */
import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { iplQueue, records, type IplJob } from '@fadump-lab/shared/contracts'
import { createBullmqQueues, createRedisEventLog } from '@fadump-lab/shared/queue'
import { createRedisMemoryStore, toEpoch, type RedisMemoryStore } from '@fadump-lab/shared/store'
import { byteLength, realAddress } from '@fadump-lab/shared/units'
import { GenericContainer, Wait } from 'testcontainers'
import { aclFile, redisUsers, type RedisServerName } from '../../../scripts/lab/init/redis-users.ts'
import { without } from '../../support/tools.ts'

const timeout = 180_000
const memoryBytes = byteLength(1n << 30n)
const id = { frame: 'server-1', space: 'partition/p1' }

suite('the users of Redis, on its image', { skip: without('docker'), timeout }, () => {
  test('firmware and kernel share memory; each has its own records', async () => {
    await using server = await startRedis('redis-memory')
    await using firmware = await createRedisMemoryStore({ url: server.urlOf('hypervisor') })
    await using kernel = await createRedisMemoryStore({ url: server.urlOf('lpar-kernel') })
    await firmware.createSpace(id, memoryBytes, { [records.firmware]: 'registered' })
    await kernel.write(
      id,
      { address: realAddress(0x100n), bytes: Uint8Array.of(1, 2, 3) },
      toEpoch(0),
    )
    await kernel.commit(id, { records: { [records.kernel]: 'booted' } })
    const copy = {
      source: realAddress(0n),
      target: realAddress(0x10_0000n),
      length: byteLength(0x1_0000n),
    }
    await firmware.commit(id, { copies: [copy], nextEpoch: true })
    assert.deepEqual(await kernel.read(id, realAddress(0x10_0100n), 3), Uint8Array.of(1, 2, 3))
    assert.equal((await kernel.readRecord(id, records.kernel)).value, 'booted')
    await checkRefusals(kernel)
    assert.equal((await firmware.readRecord(id, records.firmware)).value, 'registered')
    await firmware.deleteSpace(id)
    assert.deepEqual(await firmware.listFrames(), [])
  })

  test('a job passes from firmware to a kernel host, and both tell events', async () => {
    await using server = await startRedis('redis-control')
    await using firmware = createBullmqQueues({ url: server.urlOf('hypervisor') })
    await using kernel = createBullmqQueues({ url: server.urlOf('lpar-kernel') })
    await using console = createRedisEventLog({ url: server.urlOf('hmc-api') })
    await using told = createRedisEventLog({ url: server.urlOf('hypervisor') })
    const taken = Promise.withResolvers<IplJob>()
    await using _worker = await kernel
      .open(iplQueue)
      .work(async ({ payload }) => taken.resolve(payload), { concurrency: 1 })
    const job: IplJob = { frame: 'server-1', partition: 'p1', epoch: 1, correlationId: 'a1b2c3d4' }
    await firmware.open(iplQueue).add('p1-1', job)
    assert.deepEqual(await taken.promise, job)
    await told.append({
      time: '2026-01-01T00:00:00.000Z',
      service: 'hypervisor',
      aggregate: 'partition',
      subject: 'p1',
      event: 'booted',
    })
    assert.equal((await console.read(undefined, 10)).length, 1)
    await assert.rejects(told.read(undefined, 10), /NOPERM/)
  })
})

/** A kernel that would make itself registered, and what is left of the attempt: nothing. */
async function checkRefusals(kernel: RedisMemoryStore): Promise<void> {
  const { version } = await kernel.readRecord(id, records.kernel)
  const bytes = Uint8Array.of(9)
  const forged = {
    records: { [records.firmware]: 'forged' },
    writes: [{ address: realAddress(0n), bytes }],
  }
  await assert.rejects(kernel.commit(id, forged), /ACL|permission|can't access/)
  await assert.rejects(kernel.readRecord(id, records.firmware), /NOPERM/)
  await assert.rejects(kernel.deleteSpace(id), /NOPERM/)
  await assert.rejects(kernel.createSpace({ ...id, space: 'partition/p2' }, memoryBytes), /NOPERM/)
  assert.deepEqual(await kernel.read(id, realAddress(0n), 1), Uint8Array.of(0))
  assert.equal((await kernel.readRecord(id, records.kernel)).version, version)
}

async function startRedis(server: RedisServerName) {
  const names = [...redisUsers[server].map(({ name }) => name), 'operator']
  const passwords = Object.fromEntries(names.map((name) => [name, `password-of-${name}`]))
  const container = await new GenericContainer('redis:8-trixie')
    .withCopyContentToContainer([
      { content: aclFile(server, passwords), target: '/tmp/users.acl', mode: 0o444 },
    ])
    .withCommand(['redis-server', '--aclfile', '/tmp/users.acl'])
    .withExposedPorts(6379)
    .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections/))
    .start()
  const place = `${container.getHost()}:${container.getMappedPort(6379)}`
  return {
    urlOf: (user: string): string => `redis://${user}:${passwords[user]}@${place}/0`,
    [Symbol.asyncDispose]: async () => {
      await container.stop()
    },
  }
}
