import assert from 'node:assert/strict'
import { readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { suite } from 'node:test'
import { createInProcessQueues } from '@fadump-lab/shared/queue'
import { systemClock, VirtualClock } from '@fadump-lab/shared/runtime'
import { eventually } from '../../../test/support/eventually.ts'
import { openRoom } from './collector-room.ts'
import {
  aVmcore,
  breakAfter,
  cutAfter,
  flattened,
  manifestOf,
  partBytes,
  refusal,
  startFakeKernel,
  wholeFile,
} from './fake-kernel.ts'

/** Sixteen neighbouring pages, then one behind a hole. */
const vmcore = aVmcore({ pages: [...Array(16).keys(), 30] })
const windowBytes = 4 * partBytes

suite('a transfer that is cut goes on', () => {
  test('where the bytes on disk end when the stream ends early, within the same run', async () => {
    await using room = await openRoom()
    await using kernel = await startFakeKernel(vmcore)
    kernel.behave({
      vmcore: (from, request) =>
        request === 1 ? cutAfter(flattened(vmcore, from), 10 * partBytes) : flattened(vmcore, from),
    })
    await using collector = await room.startCollector({ settings: { windowBytes } })
    await room.announce(kernel.job)
    await room.idle()
    const [first = -1, second = -1, ...others] = kernel.froms
    assert.deepEqual([first, others.length], [0, 0])
    assert.ok(second > 10 * partBytes - windowBytes && second <= 10 * partBytes, `from ${second}`)
    const dump = await collector.client.getDump({ params: { dump: 'p1-1' } })
    assert.deepEqual([dump.status, dump.attempts], ['complete', 1])
    assert.equal(dump.transferredBytes, BigInt(17 * partBytes))
    assert.deepEqual(
      new Uint8Array(await readFile(room.path('p1', 'p1-1', 'vmcore'))),
      wholeFile(vmcore),
    )
    assert.ok((await room.story('p1-1')).includes('resume>transferring'))
  })

  test('before the place where the connection broke', async () => {
    await using room = await openRoom()
    await using kernel = await startFakeKernel(vmcore)
    kernel.behave({
      vmcore: (from, request) =>
        request === 1
          ? breakAfter(flattened(vmcore, from), 10 * partBytes)
          : flattened(vmcore, from),
    })
    await using collector = await room.startCollector({ settings: { windowBytes } })
    await room.announce(kernel.job)
    await room.idle()
    const [first = -1, second = -1, ...others] = kernel.froms
    assert.deepEqual([first, others.length], [0, 0])
    assert.ok(second <= 10 * partBytes, `from ${second}`)
    const dump = await collector.client.getDump({ params: { dump: 'p1-1' } })
    assert.deepEqual([dump.status, dump.attempts], ['complete', 1])
    assert.deepEqual(
      new Uint8Array(await readFile(room.path('p1', 'p1-1', 'vmcore'))),
      wholeFile(vmcore),
    )
  })

  test('at most one window back, when the collector is gone as well', async () => {
    await using room = await openRoom()
    await using kernel = await startFakeKernel(vmcore)
    const sent = Promise.withResolvers<void>()
    const never = Promise.withResolvers<void>()
    kernel.behave({
      vmcore: async function* (from, request) {
        if (request > 1) return yield* flattened(vmcore, from)
        yield* firstOf(flattened(vmcore, from), 21)
        sent.resolve()
        await never.promise
      },
    })
    {
      await using first = await room.startCollector({ settings: { windowBytes } })
      await room.announce(kernel.job)
      await sent.promise
      await eventually('two windows are durable', async () => {
        const dump = await first.client.getDump({ params: { dump: 'p1-1' } })
        return dump.transferredBytes >= 2n * BigInt(windowBytes)
      })
    }
    await using second = await room.startCollector({ settings: { windowBytes } })
    await room.idle()
    never.resolve()
    const [, again = -1, ...others] = kernel.froms
    assert.equal(others.length, 0)
    assert.ok(again >= 10 * partBytes - windowBytes && again <= 10 * partBytes, `from ${again}`)
    assert.equal(kernel.requests.filter((request) => request.startsWith('manifest')).length, 1)
    const dump = await second.client.getDump({ params: { dump: 'p1-1' } })
    assert.deepEqual([dump.status, dump.attempts], ['complete', 2])
    assert.equal(dump.transferredBytes, BigInt(17 * partBytes))
  })

  test('without any announcement when the queue is lost with the collector', async () => {
    await using room = await openRoom()
    await using kernel = await startFakeKernel(vmcore)
    const sent = Promise.withResolvers<void>()
    const never = Promise.withResolvers<void>()
    kernel.behave({
      vmcore: async function* (from, request) {
        if (request > 1) return yield* flattened(vmcore, from)
        yield* firstOf(flattened(vmcore, from), 9)
        sent.resolve()
        await never.promise
      },
    })
    {
      await using _first = await room.startCollector()
      await room.announce(kernel.job)
      await sent.promise
    }
    never.resolve()
    await using queues = createInProcessQueues({ clock: systemClock })
    await using second = await room.startCollector({ queues })
    await eventually('the dump is complete', async () => {
      const dump = await second.client.getDump({ params: { dump: 'p1-1' } })
      return dump.status === 'complete' && dump.released
    })
  })

  for (const [what, damage] of [
    ['its vmcore is cut', (path: string) => truncate(join(path, 'vmcore'), 1000)],
    ['its vmcore is gone', (path: string) => rm(join(path, 'vmcore'))],
    ['its progress cannot be read', (path: string) => writeFile(join(path, 'progress.json'), '{')],
    ['its dump.json cannot be read', (path: string) => writeFile(join(path, 'dump.json'), '')],
  ] as const) {
    test(`from the beginning when somebody damaged what was there: ${what}`, async () => {
      await using room = await openRoom()
      await using kernel = await startFakeKernel(vmcore)
      const cut = Promise.withResolvers<void>()
      const never = Promise.withResolvers<void>()
      kernel.behave({
        vmcore: async function* (from, request) {
          if (request === 1) return yield* cutAfter(flattened(vmcore, from), 9 * partBytes)
          cut.resolve()
          await never.promise
        },
      })
      {
        await using _first = await room.startCollector({ settings: { windowBytes } })
        await room.announce(kernel.job)
        await cut.promise
      }
      never.resolve()
      await damage(room.path('p1', 'p1-1.incomplete'))
      const before = kernel.froms.length
      kernel.behave({ vmcore: (from) => flattened(vmcore, from) })
      await using second = await room.startCollector({ settings: { windowBytes } })
      await room.announce(kernel.job)
      await room.idle()
      assert.equal(kernel.froms[before], 0)
      const dump = await second.client.getDump({ params: { dump: 'p1-1' } })
      assert.equal(dump.status, 'complete')
      assert.deepEqual(
        new Uint8Array(await readFile(room.path('p1', 'p1-1', 'vmcore'))),
        wholeFile(vmcore),
      )
    })
  }

  test('when a kernel falls silent', async () => {
    const clock = new VirtualClock()
    await using room = await openRoom()
    await using kernel = await startFakeKernel(vmcore)
    const never = Promise.withResolvers<void>()
    kernel.behave({
      vmcore: async function* (from, request) {
        if (request > 1) return yield* flattened(vmcore, from)
        yield* firstOf(flattened(vmcore, from), 5)
        await never.promise
      },
    })
    await using collector = await room.startCollector({ clock })
    await room.announce(kernel.job)
    await eventually('two pages have come', async () => {
      const [dump] = await collector.client.listDumps({})
      return (dump?.transferredBytes ?? 0n) >= BigInt(2 * partBytes)
    })
    await clock.advance(120_000)
    await room.idle()
    never.resolve()
    assert.deepEqual(kernel.froms, [0, 2 * partBytes])
    const reason = (await room.events()).find(({ event }) => event === 'resume')?.detail?.['reason']
    assert.equal(reason, 'the connection broke: nothing came for 60000 ms')
  })

  test('in a later run when three streams in a row bring nothing', async () => {
    await using room = await openRoom()
    await using kernel = await startFakeKernel(vmcore)
    kernel.behave({
      vmcore: (from, request) =>
        request <= 3 ? breakAfter(flattened(vmcore, from), 4096) : flattened(vmcore, from),
    })
    await using collector = await room.startCollector()
    await room.announce(kernel.job)
    await room.paused()
    const waiting = await collector.client.getDump({ params: { dump: 'p1-1' } })
    assert.equal(waiting.status, 'capturing')
    assert.match(waiting.failure ?? '', /could not be read on from offset 0: the connection broke/)
    await room.idle()
    const dump = await collector.client.getDump({ params: { dump: 'p1-1' } })
    assert.deepEqual([dump.status, dump.attempts, dump.failure], ['complete', 2, undefined])
  })

  test('in a later run when the kernel host does not answer', async () => {
    await using room = await openRoom()
    await using kernel = await startFakeKernel(vmcore)
    kernel.behave({
      manifest: () => {
        throw refusal('dependency-unavailable')
      },
    })
    await using collector = await room.startCollector()
    await room.announce(kernel.job)
    await room.paused()
    const [waiting] = await collector.client.listDumps({})
    assert.equal(waiting?.failure, 'refused: dependency-unavailable')
    kernel.behave({ manifest: () => [new TextEncoder().encode(manifestOf(vmcore))] })
    await room.idle()
    const dump = await collector.client.getDump({ params: { dump: 'p1-1' } })
    assert.equal(dump.status, 'complete')
  })
})

suite('a partition that presents its dump again', () => {
  test('after a restart is read from where the earlier boot was left when the manifest is the same', async () => {
    await using room = await openRoom()
    await using kernel = await startFakeKernel(vmcore)
    kernel.behave({
      vmcore: (from, request) => {
        if (request === 1) return cutAfter(flattened(vmcore, from), 9 * partBytes)
        if (request === 2) throw refusal('stale-boot')
        return flattened(vmcore, from)
      },
    })
    await using collector = await room.startCollector({ settings: { windowBytes } })
    await room.announce(kernel.job)
    await room.idle()
    const partial = await collector.client.getDump({ params: { dump: 'p1-1' } })
    assert.equal(partial.status, 'partial')

    await room.announce({ ...kernel.job, epoch: 4 })
    await room.idle()
    const dump = await collector.client.getDump({ params: { dump: 'p1-1' } })
    assert.deepEqual([dump.status, dump.missing, dump.failure], ['complete', [], undefined])
    assert.equal(kernel.froms.length, 3)
    assert.equal(kernel.froms[2], kernel.froms[1])
    assert.deepEqual(await collector.client.listDumps({}).then((all) => all.length), 1)
  })

  test('with another manifest is read from its beginning', async () => {
    const other = aVmcore({ seed: 2, pages: [0, 5, 7] })
    await using room = await openRoom()
    await using kernel = await startFakeKernel(vmcore)
    kernel.behave({
      vmcore: (from, request) => {
        if (request === 1) return cutAfter(flattened(vmcore, from), 9 * partBytes)
        throw refusal('stale-boot')
      },
    })
    await using collector = await room.startCollector({ settings: { windowBytes } })
    await room.announce(kernel.job)
    await room.idle()
    await using rebooted = await startFakeKernel(other, { epoch: 4 })
    await room.announce(rebooted.job)
    await room.idle()
    const dump = await collector.client.getDump({ params: { dump: 'p1-1' } })
    assert.equal(dump.status, 'complete')
    assert.deepEqual(rebooted.froms, [0])
    assert.deepEqual(
      new Uint8Array(await readFile(room.path('p1', 'p1-1', 'vmcore'))),
      wholeFile(other),
    )
  })
})

/** The header and then two chunks per record. */
function* firstOf(chunks: Iterable<Uint8Array>, count: number): Generator<Uint8Array> {
  let left = count
  for (const chunk of chunks) {
    if (left-- === 0) return
    yield chunk
  }
}
