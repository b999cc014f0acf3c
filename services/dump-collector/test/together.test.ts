import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import test, { suite } from 'node:test'
import { createInProcessQueues } from '@fadump-lab/shared/queue'
import { captureQueue } from '@fadump-lab/shared/contracts'
import { systemClock } from '@fadump-lab/shared/runtime'
import { eventually } from '../../../test/support/eventually.ts'
import { openRoom } from './collector-room.ts'
import { aVmcore, flattened, startFakeKernel, wholeFile } from './fake-kernel.ts'

const vmcore = aVmcore()

suite('several dumps', () => {
  test('of several partitions are collected at the same time, up to the bound', async () => {
    await using room = await openRoom()
    const kernels = await Promise.all(
      ['p1', 'p2', 'p3'].map((partition) => startFakeKernel(vmcore, { partition })),
    )
    await using stack = new AsyncDisposableStack()
    for (const kernel of kernels) stack.use(kernel)
    let running = 0
    let peak = 0
    const bothRun = Promise.withResolvers<void>()
    for (const kernel of kernels) {
      kernel.behave({
        vmcore: async function* (from) {
          peak = Math.max(peak, ++running)
          if (running === 2) bothRun.resolve()
          await bothRun.promise
          yield* flattened(vmcore, from)
          running--
        },
      })
    }
    await using collector = await room.startCollector({ settings: { concurrency: 2 } })
    for (const { job } of kernels) await room.announce(job)
    await room.idle()
    assert.equal(peak, 2)
    const dumps = await collector.client.listDumps({})
    assert.deepEqual(dumps.map(({ id, status }) => `${id} ${status}`).toSorted(), [
      'p1-1 complete',
      'p2-1 complete',
      'p3-1 complete',
    ])
  })
})

suite('two collectors on one root', () => {
  test("show each other's dumps", async () => {
    await using room = await openRoom()
    await using kernel = await startFakeKernel(vmcore)
    await using one = await room.startCollector()
    await using other = await room.startCollector()
    assert.deepEqual(await other.client.listDumps({}), [])
    await room.announce(kernel.job)
    await room.idle()
    const dump = await one.client.getDump({ params: { dump: 'p1-1' } })
    assert.deepEqual(await other.client.getDump({ params: { dump: 'p1-1' } }), dump)
    await other.client.deleteDump({ params: { dump: 'p1-1' } })
    assert.deepEqual(await one.client.listDumps({}), [])
  })

  test('take a dump from each other: the earlier run ends although the later one has not', async () => {
    await using room = await openRoom()
    await using kernel = await startFakeKernel(vmcore)
    const reached = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const
    const goOn = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const
    kernel.behave({
      vmcore: async function* (from, request) {
        reached[request === 1 ? 0 : 1].resolve()
        await goOn[request === 1 ? 0 : 1].promise
        yield* flattened(vmcore, from)
      },
    })
    await using secondQueue = createInProcessQueues({ clock: systemClock })
    await using _first = await room.startCollector()
    await room.announce(kernel.job)
    await reached[0].promise
    await using second = await room.startCollector({ queues: secondQueue })
    await secondQueue.open(captureQueue).add(kernel.job.dump, kernel.job)
    await reached[1].promise
    goOn[0].resolve()
    await room.paused()
    const story = await room.story('p1-1')
    assert.ok(!story.includes('transferred>verifying'), story.join(' '))
    goOn[1].resolve()
    await eventually('the later run has stored the dump', async () => {
      const dump = await second.client.getDump({ params: { dump: 'p1-1' } })
      return dump.step === 'complete'
    })
  })

  test('may both hold a job whose lease was lost: only the later one writes to the end', async () => {
    await using room = await openRoom()
    await using kernel = await startFakeKernel(vmcore)
    const reached = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    kernel.behave({
      vmcore: async function* (from, request) {
        if (request === 1) {
          reached.resolve()
          await goOn.promise
        }
        yield* flattened(vmcore, from)
      },
    })
    // A queue of its own stands for one that handed the job out twice.
    await using secondQueue = createInProcessQueues({ clock: systemClock })
    await using _first = await room.startCollector()
    await room.announce(kernel.job)
    await reached.promise
    {
      await using second = await room.startCollector({ queues: secondQueue })
      await secondQueue.open(captureQueue).add(kernel.job.dump, kernel.job)
      await eventually('the second has stored the dump', async () => {
        const dump = await second.client.getDump({ params: { dump: 'p1-1' } })
        return dump.step === 'complete'
      })
    }
    goOn.resolve()
    await room.idle()
    const story = await room.story('p1-1')
    assert.equal(story.filter((event) => event === 'stored>releasing').length, 1)
    assert.equal(kernel.requests.filter((request) => request.startsWith('release')).length, 1)
    assert.deepEqual(
      new Uint8Array(await readFile(room.path('p1', 'p1-1', 'vmcore'))),
      wholeFile(vmcore),
    )
  })
})
