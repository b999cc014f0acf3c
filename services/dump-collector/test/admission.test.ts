import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { VirtualClock } from '@fadump-lab/shared/runtime'
import { eventually } from '../../../test/support/eventually.ts'
import { defaultSettings } from '../src/index.ts'
import { nodeFiles, type Files } from '../src/store/files.ts'
import { openRoom, settledDump, type Collector, type Room } from './collector-room.ts'
import { aVmcore, flattened, partBytes, startFakeKernel } from './fake-kernel.ts'
import { fullDisk } from './faulty-files.ts'

const hourMs = 3_600_000
/** Eight parts of 64 KiB. */
const vmcore = aVmcore({ pages: [...Array(8).keys()] })
const reserveBytes = partBytes

/** A disk that says what it has left, in parts beyond the reserve. */
function diskWith(parts: number): { readonly files: Files; free: (parts: number) => void } {
  const left = (count: number) => count * partBytes + reserveBytes
  let freeBytes = left(parts)
  return {
    files: { ...nodeFiles, freeBytes: () => Promise.resolve(freeBytes) },
    free: (count) => void (freeBytes = left(count)),
  }
}

const dumpOf = ({ client }: Collector, dump = 'p1-1') => client.getDump({ params: { dump } })

const isComplete = async (collector: Collector, dump = 'p1-1') =>
  (await dumpOf(collector, dump)).status === 'complete'

/** Rounds of the housekeeper, until one finds that the failed dump can go on; it then has the time that it takes. */
async function revived(collector: Collector, clock: VirtualClock, id: string): Promise<void> {
  await eventually(`${id} is complete`, async () => {
    const { status } = await dumpOf(collector, id)
    if (status === 'failed') await clock.advance(defaultSettings.housekeepingMs)
    return status === 'complete'
  })
}

async function collect(room: Room, partition: string, number: number): Promise<void> {
  await using kernel = await startFakeKernel(vmcore, { partition, dump: `${partition}-${number}` })
  await room.announce(kernel.job)
  await room.idle()
}

suite('a capture for which there is no room', () => {
  test('waits before a byte is sent, says what it needs, and goes on when there is room', async () => {
    const disk = diskWith(7)
    await using room = await openRoom()
    await using kernel = await startFakeKernel(vmcore)
    await using collector = await room.startCollector({
      files: disk.files,
      settings: { reserveBytes },
    })
    await room.announce(kernel.job)
    await room.paused()
    const waiting = await dumpOf(collector)
    assert.equal(waiting.status, 'capturing')
    assert.match(
      waiting.failure ?? '',
      /^dump p1-1 needs 1 MiB of room; 1 MiB are free, of which 0 MiB are promised to other dumps and 1 MiB stay free\. Delete dumps/,
    )
    assert.deepEqual(kernel.froms, [])
    assert.ok((await room.story('p1-1')).includes('interrupted>transferring'))
    assert.match(
      await collector.metrics.expose(),
      /fadump_admissions_refused_total\{reason="room"\} 1/,
    )
    disk.free(8)
    await room.idle()
    const dump = await dumpOf(collector)
    assert.deepEqual([dump.status, dump.released, dump.failure], ['complete', true, undefined])
    assert.deepEqual(kernel.froms, [0])
  })

  for (const [what, limited] of [
    ['by what the disk says', diskWith(7)],
    [
      'by what the disk takes',
      (() => {
        const { files, free } = fullDisk(nodeFiles, 5 * partBytes)
        return { files, free: () => free() }
      })(),
    ],
  ] as const) {
    test(`fails with its cause when none comes, and goes on by itself when it does: ${what}`, async () => {
      const clock = new VirtualClock()
      await using room = await openRoom()
      await using kernel = await startFakeKernel(vmcore)
      await using collector = await room.startCollector({
        clock,
        files: limited.files,
        settings: { reserveBytes, windowBytes: 2 * partBytes },
      })
      await room.announce(kernel.job)
      await room.idle()
      const failed = await settledDump(collector, 'p1-1')
      assert.deepEqual([failed.status, failed.attempts, failed.released], ['failed', 40, false])
      assert.match(failed.failure ?? '', /room|ENOSPC/)
      assert.ok(!kernel.requests.some((request) => request.startsWith('release')))

      limited.free(8)
      await revived(collector, clock, 'p1-1')
      await room.idle()
      const dump = await dumpOf(collector)
      assert.deepEqual([dump.released, dump.failure], [true, undefined])
    })
  }

  test('takes it from older dumps of its own partition, and from no other', async () => {
    const clock = new VirtualClock()
    const disk = diskWith(100)
    await using room = await openRoom()
    await using collector = await room.startCollector({
      clock,
      files: disk.files,
      settings: { reserveBytes },
    })
    await collect(room, 'p2', 1)
    await collect(room, 'p1', 1)
    await clock.advance(2 * hourMs)
    disk.free(1)
    await collect(room, 'p1', 2)
    const ids = (await collector.client.listDumps({})).map(({ id, status }) => `${id} ${status}`)
    assert.deepEqual(ids.toSorted(), ['p1-2 complete', 'p2-1 complete'])
    assert.equal((await room.story('p1-1')).at(-1), 'evicted>')
  })

  test('does not hold up a smaller one for which there is', async () => {
    const disk = diskWith(7)
    await using room = await openRoom()
    await using large = await startFakeKernel(vmcore)
    await using small = await startFakeKernel(aVmcore({ pages: [1, 2, 3] }), { partition: 'p2' })
    await using collector = await room.startCollector({
      files: disk.files,
      settings: { reserveBytes },
    })
    await room.announce(large.job)
    await room.paused()
    await room.announce(small.job)
    await room.paused()
    assert.ok(await isComplete(collector, 'p2-1'))
    assert.equal((await dumpOf(collector)).status, 'capturing')
  })

  test('does not count on the room that another capture is going to fill', async () => {
    const disk = diskWith(12)
    await using room = await openRoom()
    await using slow = await startFakeKernel(vmcore)
    await using other = await startFakeKernel(vmcore, { partition: 'p2' })
    const asked = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    slow.behave({
      vmcore: async function* (from) {
        asked.resolve()
        await goOn.promise
        yield* flattened(vmcore, from)
      },
    })
    await using collector = await room.startCollector({
      files: disk.files,
      settings: { reserveBytes },
    })
    await room.announce(slow.job)
    await asked.promise
    await room.announce(other.job)
    await eventually('the other one waits', async () => {
      const [first] = await collector.client.listDumps({ query: { partition: 'p2' } })
      return first?.failure?.includes('promised to other dumps') === true
    })
    assert.deepEqual(other.froms, [])
    goOn.resolve()
    await eventually('the first is complete', () => isComplete(collector))
    await room.idle()
    assert.ok(await isComplete(collector, 'p2-1'))
  })
})

suite('a partition in a crash loop', () => {
  test('gets so many captures an hour; others are not held up, and it goes on by itself', async () => {
    const clock = new VirtualClock()
    await using room = await openRoom()
    await using collector = await room.startCollector({
      clock,
      settings: { capturesPerHourMax: 2 },
    })
    await collect(room, 'p1', 1)
    await collect(room, 'p1', 2)
    await collector.client.deleteDump({ params: { dump: 'p1-1' } })
    await using kernel = await startFakeKernel(vmcore, { dump: 'p1-3' })
    await room.announce(kernel.job)
    await room.idle()
    const refused = await settledDump(collector, 'p1-3')
    assert.match(refused.failure ?? '', /^partition p1 has had 2 captures within an hour/)
    assert.deepEqual(kernel.requests, [])
    await collect(room, 'p2', 1)
    assert.ok(await isComplete(collector, 'p2-1'))
    await clock.advance(hourMs)
    await revived(collector, clock, 'p1-3')
  })
})
