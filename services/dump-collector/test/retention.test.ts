import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import test, { suite } from 'node:test'
import { Problem } from '@fadump-lab/shared/contracts'
import { VirtualClock } from '@fadump-lab/shared/runtime'
import { eventually } from '../../../test/support/eventually.ts'
import { defaultSettings } from '../src/index.ts'
import { nodeFiles, type Files } from '../src/store/files.ts'
import { openRoom, type Collector, type Room } from './collector-room.ts'
import { aVmcore, startFakeKernel } from './fake-kernel.ts'

const hourMs = 3_600_000
const vmcore = aVmcore()
const { retention } = defaultSettings

async function collect(room: Room, partition: string, number: number): Promise<void> {
  await using kernel = await startFakeKernel(vmcore, { partition, dump: `${partition}-${number}` })
  await room.announce(kernel.job)
  await room.idle()
}

const idsOf = async ({ client }: Collector) => (await client.listDumps({})).map(({ id }) => id)

suite('retention of the store', () => {
  test('keeps the newest dumps of each partition and pinned ones, and tells what it removes', async () => {
    const clock = new VirtualClock()
    await using room = await openRoom()
    const settings = { retention: { ...retention, dumpsPerPartitionMax: 1, graceMs: 0 } }
    await using collector = await room.startCollector({ clock, settings })
    for (const [partition, number] of [
      ['p1', 1],
      ['p1', 2],
      ['p1', 3],
      ['p2', 1],
    ] as const) {
      await collect(room, partition, number)
      await clock.advance(1000)
    }
    const pinned = await collector.client.pinDump({ params: { dump: 'p1-1' } })
    assert.equal(pinned.pinned, true)
    await eventually('one dump is gone', async () => {
      await clock.advance(defaultSettings.housekeepingMs)
      return (await collector.metrics.expose()).includes('fadump_dumps_evicted_total{')
    })
    assert.deepEqual(await idsOf(collector), ['p2-1', 'p1-3', 'p1-1'])
    assert.deepEqual((await readdir(room.path('p1'))).toSorted(), ['p1-1', 'p1-3'])
    const event = (await room.events()).find(({ event: name }) => name === 'evicted')
    assert.deepEqual([event?.subject, event?.detail?.['reason']], ['p1-2', 'count'])
    assert.match(await collector.metrics.expose(), /fadump_dumps_evicted_total\{reason="count"\} 1/)
    const free = await collector.client.unpinDump({ params: { dump: 'p1-1' } })
    assert.equal(free.pinned, false)
    await eventually('it goes as well', async () => {
      await clock.advance(defaultSettings.housekeepingMs)
      return (await idsOf(collector)).length === 2
    })
  })

  test('tells of a dump whose name is gone although the disk fails in the middle of its removal', async () => {
    const clock = new VirtualClock()
    await using room = await openRoom()
    let isFailing = false
    const files: Files = {
      ...nodeFiles,
      syncDirectory: async (path) => {
        if (isFailing) throw Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' })
        await nodeFiles.syncDirectory(path)
      },
    }
    const settings = { retention: { ...retention, dumpsPerPartitionMax: 1, graceMs: 0 } }
    await using collector = await room.startCollector({ clock, settings, files })
    await collect(room, 'p1', 1)
    await clock.advance(1000)
    await collect(room, 'p1', 2)
    isFailing = true
    await eventually('the name is gone', async () => {
      await clock.advance(defaultSettings.housekeepingMs)
      return !(await readdir(room.path('p1'))).includes('p1-1')
    })
    const told = (await room.events()).filter(({ event }) => event === 'evicted')
    assert.deepEqual(
      told.map(({ subject }) => subject),
      ['p1-1'],
    )
    assert.deepEqual(await idsOf(collector), ['p1-2'])
  })

  test('leaves a dump alone as long as people may not have seen it', async () => {
    const clock = new VirtualClock()
    await using room = await openRoom()
    const settings = { retention: { ...retention, ageMsMax: 1, bytesMax: 1, graceMs: hourMs } }
    await using collector = await room.startCollector({ clock, settings })
    await collect(room, 'p1', 1)
    await clock.advance(hourMs / 2)
    assert.deepEqual(await idsOf(collector), ['p1-1'])
    await eventually('it goes', async () => {
      await clock.advance(hourMs / 2)
      return (await idsOf(collector)).length === 0
    })
  })

  test('a pinned dump is not deleted by hand either, and a pin outlives the collector', async () => {
    await using room = await openRoom()
    const params = { dump: 'p1-1' }
    {
      await using collector = await room.startCollector()
      await collect(room, 'p1', 1)
      await collector.client.pinDump({ params })
    }
    await using collector = await room.startCollector()
    await assert.rejects(collector.client.deleteDump({ params }), (error) => {
      assert.ok(error instanceof Problem)
      assert.equal(error.slug, 'wrong-state')
      assert.match(error.message, /is pinned and can be deleted when it is unpinned/)
      return true
    })
    await collector.client.unpinDump({ params })
    await collector.client.deleteDump({ params })
    assert.deepEqual(await idsOf(collector), [])
  })
})
