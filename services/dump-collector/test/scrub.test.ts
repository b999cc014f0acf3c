import assert from 'node:assert/strict'
import { mkdir, open, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import test, { suite } from 'node:test'
import { VirtualClock } from '@fadump-lab/shared/runtime'
import { eventually } from '../../../test/support/eventually.ts'
import { nodeFiles, type Files } from '../src/store/files.ts'
import {
  openRoom,
  readJson,
  type Collector,
  type Room,
  type RoomOptions,
} from './collector-room.ts'
import {
  aVmcore,
  flattened,
  manifestOf,
  partBytes,
  startFakeKernel,
  wholeFile,
} from './fake-kernel.ts'

const hourMs = 3_600_000
/** Pages 0, 1, 2, 9, 10, 40: three runs. */
const vmcore = aVmcore()
const params = { dump: 'p1-1' }

async function collected(room: Room, options: RoomOptions = {}): Promise<Collector> {
  await using kernel = await startFakeKernel(vmcore)
  const collector = await room.startCollector(options)
  await room.announce(kernel.job)
  await room.idle()
  return collector
}

async function flipBit(path: string, position: number): Promise<void> {
  await using file = await open(path, 'r+')
  const byte = new Uint8Array(1)
  await file.read(byte, 0, 1, position)
  await file.write(
    byte.map((value) => value ^ 0x10),
    0,
    1,
    position,
  )
}

async function scrubbed({ client }: Collector) {
  assert.equal((await client.startScrub({})).state, 'running')
  await eventually('the pass has ended', async () => (await client.getScrub({})).state === 'idle')
  return client.getScrub({})
}

suite('scrubbing', () => {
  test('finds a flipped bit: the dump is partial from then on, with the exact bytes', async () => {
    await using room = await openRoom()
    await using collector = await collected(room)
    await flipBit(room.path('p1', 'p1-1', 'vmcore'), 9 * partBytes + 77)
    const state = await scrubbed(collector)
    assert.deepEqual([state.dumps, state.bytes, state.rotten], [1, BigInt(6 * partBytes), ['p1-1']])
    const dump = await collector.client.getDump({ params })
    assert.deepEqual([dump.status, dump.step, dump.released], ['partial', 'failed', true])
    assert.deepEqual(dump.missing, [{ offset: BigInt(9 * partBytes), length: BigInt(partBytes) }])
    assert.match(dump.failure ?? '', /^bit rot: 1 of 6 entries differ/)
    assert.equal((await room.story('p1-1')).at(-1), 'rot>failed')
    assert.match(await collector.metrics.expose(), /fadump_dumps_rotten_total 1/)
    const summary = (await readJson(room.path('p1', 'p1-1', 'manifest.json'))) as {
      readonly status: string
    }
    assert.equal(summary.status, 'partial')
    const again = await scrubbed(collector)
    assert.deepEqual(again.rotten, [], 'what is known to be missing is not found twice')
  })

  test('leaves a good dump complete, and notes when it was looked at', async () => {
    await using room = await openRoom()
    await using collector = await collected(room)
    const before = await collector.client.getDump({ params })
    await scrubbed(collector)
    const { scrubbedAt, ...after } = await collector.client.getDump({ params })
    assert.ok(scrubbedAt !== undefined)
    assert.deepEqual(after, before)
  })

  for (const [what, damage] of [
    ['has a flipped bit', (path: string) => flipBit(path, 300)],
    ['is another one', (path: string) => writeFile(path, manifestOf(aVmcore({ seed: 2 })))],
    ['is cut', (path: string) => truncate(path, 400)],
  ] as const) {
    test(`does not vouch for anything when the manifest ${what}`, async () => {
      await using room = await openRoom()
      await using collector = await collected(room)
      await damage(room.path('p1', 'p1-1', 'manifest.ndjson'))
      await scrubbed(collector)
      const dump = await collector.client.getDump({ params })
      assert.equal(dump.status, 'failed')
      assert.match(dump.failure ?? '', /^its manifest is damaged/)
    })
  }

  test('is repeated by itself, and reads no faster than it may', async () => {
    const clock = new VirtualClock()
    await using room = await openRoom()
    const settings = { scrubIntervalMs: hourMs, scrubBytesPerSecond: partBytes }
    await using collector = await collected(room, { clock, settings })
    const { client } = collector
    await clock.advance(hourMs)
    await eventually('the first run of pages is read', async () => {
      return (await client.getScrub({})).bytes === BigInt(3 * partBytes)
    })
    await clock.advance(2999)
    assert.equal((await client.getScrub({})).bytes, BigInt(3 * partBytes))
    await eventually('the pass has ended', async () => {
      await clock.advance(1000)
      return (await client.getScrub({})).completedAt !== undefined
    })
    assert.deepEqual((await client.getScrub({})).bytes, BigInt(6 * partBytes))
  })

  test('lets a partition that still has its memory repair the dump', async () => {
    await using room = await openRoom()
    await using collector = await collected(room)
    await flipBit(room.path('p1', 'p1-1', 'vmcore'), 0)
    await scrubbed(collector)
    await using kernel = await startFakeKernel(vmcore, { epoch: 4 })
    kernel.behave({ vmcore: (from) => flattened(vmcore, from) })
    await room.announce(kernel.job)
    await room.idle()
    const dump = await collector.client.getDump({ params })
    assert.deepEqual([dump.status, dump.missing, dump.failure], ['complete', [], undefined])
    const file = new Uint8Array(await readFile(room.path('p1', 'p1-1', 'vmcore')))
    assert.deepEqual(file, wholeFile(vmcore))
  })
})

suite('the look at the store after a start', () => {
  for (const [what, damage, failure] of [
    ['gone', (path: string) => rm(`${path}/vmcore`), /its vmcore is gone/],
    ['cut', (path: string) => truncate(`${path}/vmcore`, 1000), /has 1000 bytes instead of/],
    ['without manifest', (path: string) => rm(`${path}/manifest.ndjson`), /manifest is gone/],
  ] as const) {
    test(`labels a dump whose vmcore is ${what}`, async () => {
      await using room = await openRoom()
      await (await collected(room))[Symbol.asyncDispose]()
      await damage(room.path('p1', 'p1-1'))
      await using collector = await room.startCollector()
      const dump = await collector.client.getDump({ params })
      assert.equal(dump.status, 'failed')
      assert.match(dump.failure ?? '', failure)
    })
  }

  test('removes half-written files and tells of a directory that belongs to no dump', async () => {
    await using room = await openRoom()
    await (await collected(room))[Symbol.asyncDispose]()
    const half = room.path('p1', 'p1-1', 'manifest.ndjson.new')
    await writeFile(half, manifestOf(vmcore).slice(0, 200))
    const stray = await startFakeKernel(vmcore, { dump: 'p1-2' })
    await using _stray = stray
    {
      await using collector = await room.startCollector()
      await room.announce(stray.job)
      await room.idle()
      assert.equal((await collector.client.listDumps({})).length, 2)
    }
    await rm(room.path('p1', 'p1-2', 'dump.json'))
    await using collector = await room.startCollector()
    await assert.rejects(readFile(half), { code: 'ENOENT' })
    const dumps = await collector.client.listDumps({})
    assert.deepEqual(
      dumps.map(({ id, status }) => `${id} ${status}`),
      ['p1-1 complete'],
    )
    assert.equal((await room.story('p1-2')).at(-1), 'orphaned>')
    assert.match(
      await collector.metrics.expose(),
      /fadump_store_findings_total\{finding="orphan"\} 1/,
    )
  })

  for (const name of ['dump.json', 'vmcore', 'manifest.ndjson']) {
    test(`lets a dump go that is deleted when ${name} is looked at`, async () => {
      await using room = await openRoom()
      await (await collected(room))[Symbol.asyncDispose]()
      const directory = room.path('p1', 'p1-1')
      const facts: Files['facts'] = async (path) => {
        if (path === `${directory}/${name}`) await rm(directory, { recursive: true, force: true })
        return nodeFiles.facts(path)
      }
      await using collector = await room.startCollector({ files: { ...nodeFiles, facts } })
      assert.deepEqual(await collector.client.listDumps({}), [])
      assert.ok(!(await room.story('p1-1')).some((event) => event.startsWith('rot')))
    })
  }

  test('takes a directory that another collector has only just made for no orphan', async () => {
    await using room = await openRoom()
    await mkdir(room.path('p1', 'p1-1.incomplete'), { recursive: true })
    await using collector = await room.startCollector()
    assert.deepEqual(await room.story('p1-1'), [])
    assert.doesNotMatch(await collector.metrics.expose(), /finding="orphan"/)
  })
})
