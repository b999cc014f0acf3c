/** What partitions, images and dumps took is given back when they are deleted, in the heap and in Redis. */
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import test, { suite } from 'node:test'
import { queueNames } from '@fadump-lab/shared/contracts'
import {
  createBullmqQueues,
  createRedisEventLog,
  eventLogKey,
  queueKeyPrefix,
} from '@fadump-lab/shared/queue'
import { createRedisMemoryStore } from '@fadump-lab/shared/store'
import { Redis } from 'ioredis'
import { aVmcore, patternAt } from '../../packages/shared/src/elf/core-builder.ts'
import { startRedisServer } from '../support/redis-server.ts'
import { startRoom, type Room } from '../support/room.ts'
import { without } from '../support/tools.ts'

const GiB = 2 ** 30
const MiB = 2 ** 20
const frame = 'server-1'

/** Everything that takes memory: an image, two partitions, two crashes of each; then all of it is deleted. */
async function liveAndDie(room: Room): Promise<void> {
  const { api } = room
  await api.routes.createImage({
    query: { id: 'image' },
    body: aVmcore({ loads: [{ physical: 0n, bytes: patternAt(0n, 3 * MiB) }] }),
  })
  await api.boot({
    id: 'plain',
    memoryBytes: GiB,
    processors: 3,
    content: { seed: 7, populatedBytes: 6 * MiB },
  })
  await api.boot({
    id: 'imaged',
    memoryBytes: 2 * GiB,
    processors: 2,
    profile: 'modern',
    image: 'image',
  })
  const used = await room.store.usage(frame)
  assert.ok(used.pages > (6 * MiB) / 65_536, `${used.pages} pages are in use`)
  assert.ok(used.references > used.pages, 'the pages of the image are shared')
  for (const partition of ['plain', 'imaged', 'plain', 'imaged']) await api.crash(partition)
  for (const partition of ['plain', 'imaged']) {
    const params = { partition }
    await api.done(await api.routes.shutdownPartition({ params, body: { immediate: true } }))
    await api.routes.deletePartition({ params })
  }
  await api.routes.deleteImage({ params: { image: 'image' } })
  for (const { id } of await api.routes.listDumps({})) {
    await api.routes.deleteDump({ params: { dump: id } })
  }
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name)
}

suite('nothing leaks', () => {
  test('in the heap pages, references and spaces are what they were before', async () => {
    await using room = await startRoom()
    const before = await room.store.usage(frame)
    await liveAndDie(room)
    assert.deepEqual(await room.store.usage(frame), before)
    assert.deepEqual(await room.store.listSpaces(frame), ['frame'])
    assert.deepEqual(await filesBelow(room.dumpRoot), [])
  })

  test(
    'in Redis every key of memory is gone, and of queues and events their few fixed keys are left',
    { skip: without('redis-server') },
    async () => {
      await using stack = new AsyncDisposableStack()
      const redis = stack.use(await startRedisServer())
      const [memory, control] = ['0', '1'].map((database) => `${redis.url}/${database}`)
      assert.ok(memory !== undefined && control !== undefined)
      const raw = [memory, control].map((url) =>
        stack.adopt(new Redis(url), async (client) => void (await client.quit())),
      )
      const keys = async (): Promise<string[][]> =>
        Promise.all(raw.map(async (client) => (await client.keys('*')).toSorted()))
      const room = stack.use(
        await startRoom({
          store: stack.use(await createRedisMemoryStore({ url: memory })),
          queues: stack.use(createBullmqQueues({ url: control })),
          events: stack.use(createRedisEventLog({ url: control })),
        }),
      )
      const [before] = await keys()
      await liveAndDie(room)
      const [after, kept = []] = await keys()
      assert.deepEqual(after, before)
      assert.deepEqual(await filesBelow(room.dumpRoot), [])
      const fixed = queueNames.flatMap((queue) =>
        ['meta', 'id', 'events', 'marker', 'stalled-check'].map(
          (part) => `${queueKeyPrefix}:${queue}:${part}`,
        ),
      )
      assert.deepEqual(
        kept.filter((key) => key !== eventLogKey && !fixed.includes(key)),
        [],
      )
    },
  )
})
