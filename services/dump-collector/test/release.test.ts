import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import test, { suite } from 'node:test'
import { eventually } from '../../../test/support/eventually.ts'
import { nodeFiles, type Files } from '../src/store/files.ts'
import { openRoom, settledDump } from './collector-room.ts'
import { aVmcore, flattened, refusal, startFakeKernel } from './fake-kernel.ts'

const dump = 'p1-1'

suite('preserved memory is released', () => {
  test('only after the rename that publishes the dump is durable', async () => {
    const order: string[] = []
    await using room = await openRoom()
    await using kernel = await startFakeKernel(aVmcore())
    kernel.behave({ release: () => void order.push('release') })
    const base = (path: string) => path.slice(room.root.length + 1)
    const files: Files = {
      ...nodeFiles,
      rename: async (from, to) => {
        await nodeFiles.rename(from, to)
        order.push(`rename ${base(from)} ${base(to)}`)
      },
      syncDirectory: async (path) => {
        await nodeFiles.syncDirectory(path)
        order.push(`sync ${base(path)}`)
      },
    }
    await using _collector = await room.startCollector({ files })
    await room.announce(kernel.job)
    await room.idle()
    const published = order.indexOf('rename p1/p1-1.incomplete p1/p1-1')
    assert.ok(published > 0)
    assert.equal(order[published - 1], 'sync p1/p1-1.incomplete')
    assert.equal(order[published + 1], 'sync p1')
    assert.equal(order[published + 2], 'release')
  })

  test('again and again until the kernel answers, and the dump is not read again', async () => {
    await using room = await openRoom()
    await using kernel = await startFakeKernel(aVmcore())
    kernel.behave({
      release: (request) => {
        if (request < 4) throw refusal('dependency-unavailable')
      },
    })
    await using collector = await room.startCollector()
    await room.announce(kernel.job)
    await room.paused()
    const waiting = await collector.client.getDump({ params: { dump } })
    assert.deepEqual(
      [waiting.status, waiting.step, waiting.released],
      ['complete', 'releasing', false],
    )
    await room.idle()
    const stored = await collector.client.getDump({ params: { dump } })
    assert.deepEqual(
      [stored.step, stored.released, stored.attempts, stored.failure],
      ['complete', true, 4, undefined],
    )
    assert.deepEqual(
      kernel.requests.map((request) => request.split(' ')[0]),
      ['manifest', 'vmcore', 'release', 'release', 'release', 'release'],
    )
  })

  test('by the next process when this one dies before it is told', async () => {
    await using room = await openRoom()
    await using kernel = await startFakeKernel(aVmcore())
    const asked = Promise.withResolvers<void>()
    const never = Promise.withResolvers<void>()
    kernel.behave({
      release: (request) => {
        asked.resolve()
        return request === 1 ? never.promise : undefined
      },
    })
    {
      await using _first = await room.startCollector()
      await room.announce(kernel.job)
      await asked.promise
    }
    never.resolve()
    await using second = await room.startCollector()
    await room.idle()
    const stored = await second.client.getDump({ params: { dump } })
    assert.deepEqual([stored.step, stored.released], ['complete', true])
    assert.equal(kernel.requests.length, 4)
  })

  test('by a later process, without any announcement, when the queue has given up', async () => {
    await using room = await openRoom()
    await using kernel = await startFakeKernel(aVmcore())
    kernel.behave({
      release: () => {
        throw refusal('internal-error')
      },
    })
    {
      await using first = await room.startCollector()
      await room.announce(kernel.job)
      await room.idle()
      await eventually('the release is given up', async () => {
        return (await first.client.getDump({ params: { dump } })).step === 'complete'
      })
      const kept = await first.client.getDump({ params: { dump } })
      assert.deepEqual([kept.status, kept.released], ['complete', false])
      assert.match(kept.failure ?? '', /^not released: refused: internal-error/)
    }
    kernel.behave({ release: () => {} })
    await using second = await room.startCollector()
    await room.idle()
    const stored = await second.client.getDump({ params: { dump } })
    assert.deepEqual(
      [stored.status, stored.released, stored.failure],
      ['complete', true, undefined],
    )
    assert.deepEqual(await readdir(room.path('p1', dump)), [
      'dump.json',
      'manifest.json',
      'manifest.ndjson',
      'vmcore',
    ])
  })

  const refusals = [
    ['-EPERM: it was released before (C117)', () => refusal('errno', 'EPERM'), true],
    ['-ENOENT: there is no active dump', () => refusal('errno', 'ENOENT'), true],
    ['the partition has been restarted', () => refusal('stale-boot'), false],
    ['the partition is unknown', () => refusal('not-found'), false],
  ] as const
  for (const [what, problem, released] of refusals) {
    test(`or not any more: ${what}`, async () => {
      await using room = await openRoom()
      await using kernel = await startFakeKernel(aVmcore())
      kernel.behave({
        release: () => {
          throw problem()
        },
      })
      await using collector = await room.startCollector()
      await room.announce(kernel.job)
      await room.idle()
      const stored = await collector.client.getDump({ params: { dump } })
      assert.deepEqual([stored.status, stored.step], ['complete', 'complete'])
      assert.equal(stored.released, released)
      assert.equal((await room.story(dump)).at(-1), 'releaseRefused>complete')
    })
  }

  test('once a boot: a finished dump that the same boot announces again is left alone', async () => {
    await using room = await openRoom()
    await using kernel = await startFakeKernel(aVmcore())
    await using collector = await room.startCollector()
    await room.announce(kernel.job)
    await room.idle()
    const before = await collector.client.getDump({ params: { dump } })
    await room.announce(kernel.job)
    await room.idle()
    assert.equal(kernel.requests.length, 3)
    assert.deepEqual(await collector.client.getDump({ params: { dump } }), before)
  })

  test('again for another boot that still has the dump, without another transfer', async () => {
    await using room = await openRoom()
    await using kernel = await startFakeKernel(aVmcore())
    await using collector = await room.startCollector()
    await room.announce(kernel.job)
    await room.idle()
    await room.announce({ ...kernel.job, epoch: kernel.job.epoch + 1 })
    await room.idle()
    const releases = kernel.requests.filter((request) => request.startsWith('release'))
    assert.equal(releases.length, 2)
    assert.equal(kernel.requests.length, 4, 'manifest, vmcore, release, release')
    const after = await collector.client.getDump({ params: { dump } })
    assert.deepEqual([after.status, after.released], ['complete', true])
    assert.equal(after.releasedEpoch, kernel.job.epoch + 1)
  })

  test('never for a dump that is not complete', async () => {
    const vmcore = aVmcore()
    await using room = await openRoom()
    await using kernel = await startFakeKernel(vmcore)
    kernel.behave({ vmcore: (from) => flattened({ ...vmcore, parts: [] }, from) })
    await using collector = await room.startCollector()
    await room.announce(kernel.job)
    await room.idle()
    const failed = await settledDump(collector, dump)
    assert.deepEqual([failed.status, failed.released], ['failed', false])
    assert.ok(!kernel.requests.some((request) => request.startsWith('release')))
  })

  test('of the boot that announced it: every request names it', async () => {
    await using room = await openRoom()
    await using kernel = await startFakeKernel(aVmcore())
    await using _collector = await room.startCollector()
    await room.announce(kernel.job)
    await room.idle()
    assert.deepEqual(kernel.epochs, [3, 3, 3])
  })
})
