/** The part of the job queues' conformance suite about workers: several, stopping, and what is refused. */
import assert from 'node:assert/strict'
import type { QueueDefinition } from '../contracts/index.ts'
import { UnrecoverableJobError, type ClaimedJob } from './job-queue.ts'
import {
  aborted,
  boots,
  failures,
  isEmpty,
  nothing,
  p1,
  recorder,
  type Boot,
  type QueueTest,
} from './testing/job-queue-harness.ts'

export function workerTests(queueTest: QueueTest): void {
  queueTest(
    'a worker runs as many jobs at once as its concurrency, and no more',
    async ({ wait, eventually }, queue) => {
      let atOnce = 0
      let most = 0
      const full = Promise.withResolvers<void>()
      const goOn = Promise.withResolvers<void>()
      await using _worker = await queue.work(
        async () => {
          most = Math.max(most, ++atOnce)
          if (atOnce === 3) full.resolve()
          await goOn.promise
          atOnce--
        },
        { concurrency: 3 },
      )
      for (let index = 0; index < 8; index++) await queue.add(`p${index}`, p1)
      await wait(full.promise)
      await eventually('three are claimed', async () => (await queue.counts()).active === 3)
      assert.deepEqual(await queue.counts(), { ...nothing, active: 3, waiting: 5 })
      goOn.resolve()
      await eventually('all are done', async () => isEmpty(queue))
      assert.equal(most, 3)
    },
  )

  queueTest('two workers share the jobs; each job runs once', async ({ eventually }, queue) => {
    const runs: string[] = []
    const byWorker = [0, 0]
    const both = Promise.withResolvers<void>()
    const handlerOf = (worker: 0 | 1) => async (job: ClaimedJob<Boot>) => {
      runs.push(job.id)
      byWorker[worker] = (byWorker[worker] ?? 0) + 1
      if (byWorker.every((count) => count > 0)) both.resolve()
      await both.promise
    }
    await using _first = await queue.work(handlerOf(0), { concurrency: 1 })
    await using _second = await queue.work(handlerOf(1), { concurrency: 1 })
    const ids = Array.from({ length: 20 }, (_, index) => `p${index}`)
    await Promise.all(ids.map((id) => queue.add(id, p1)))
    await eventually('all are done', async () => isEmpty(queue))
    assert.deepEqual(runs.toSorted(), ids.toSorted())
  })
}

export function stopTests(queueTest: QueueTest): void {
  queueTest(
    'a worker that stops aborts its handlers, awaits them, and hands the job back as if it had not run',
    async (harness, queue) => {
      const started = Promise.withResolvers<void>()
      let ended = false
      const worker = await queue.work(
        async (job) => {
          started.resolve()
          await aborted(job.signal)
          await Promise.resolve()
          ended = true
          throw new Error('stopped on the way')
        },
        { concurrency: 1, onFailed: () => assert.fail('the job was not given up') },
      )
      await queue.add('p1', p1)
      await harness.wait(started.promise)
      await harness.wait(Promise.resolve(worker[Symbol.asyncDispose]()))
      assert.ok(ended)
      assert.deepEqual(await queue.counts(), { ...nothing, waiting: 1 })

      const { taken, handler } = recorder(1, (job) => `${job.id} ${job.attempt}`)
      await using _next = await queue.work(handler, { concurrency: 1 })
      assert.deepEqual(await harness.wait(taken), ['p1 1'])
    },
  )

  queueTest(
    'a handler that comes to its end while the worker stops has completed its job',
    async ({ wait }, queue) => {
      const started = Promise.withResolvers<void>()
      const worker = await queue.work(
        async (job) => {
          started.resolve()
          await aborted(job.signal)
        },
        { concurrency: 1 },
      )
      await queue.add('p1', p1)
      await wait(started.promise)
      await wait(Promise.resolve(worker[Symbol.asyncDispose]()))
      assert.deepEqual(await queue.counts(), nothing)
    },
  )

  queueTest(
    'a job that cannot be recovered fails also while the worker stops',
    async ({ wait }, queue) => {
      const started = Promise.withResolvers<void>()
      const { given, onFailed } = failures(1)
      const worker = await queue.work(
        async (job) => {
          started.resolve()
          await aborted(job.signal)
          throw new UnrecoverableJobError('the boot generation is over')
        },
        { concurrency: 1, onFailed },
      )
      await queue.add('p1', p1)
      await wait(started.promise)
      await wait(Promise.resolve(worker[Symbol.asyncDispose]()))
      assert.deepEqual(await wait(given), [
        { id: 'p1', payload: p1, cause: 'the boot generation is over' },
      ])
      assert.deepEqual(await queue.counts(), { ...nothing, failed: 1 })
    },
  )

  queueTest(
    'a worker that has stopped takes no further job, and stopping again is harmless',
    async ({ wait }, queue) => {
      const worker = await queue.work(() => assert.fail('the worker has stopped'), {
        concurrency: 1,
      })
      await wait(Promise.resolve(worker[Symbol.asyncDispose]()))
      await queue.add('p1', p1)
      await wait(Promise.resolve(worker[Symbol.asyncDispose]()))
      assert.deepEqual(await queue.counts(), { ...nothing, waiting: 1 })
    },
  )

  queueTest('disposing the queues stops their workers', async ({ queues, wait }, queue) => {
    const started = Promise.withResolvers<void>()
    const stopped = Promise.withResolvers<void>()
    await queue.work(
      async (job) => {
        started.resolve()
        await aborted(job.signal)
        stopped.resolve()
      },
      { concurrency: 1 },
    )
    await queue.add('p1', p1)
    await wait(started.promise)
    await wait(Promise.resolve(queues[Symbol.asyncDispose]()))
    await stopped.promise
    await assert.rejects(queue.add('p2', p1), /is closed/)
    await assert.rejects(
      queue.work(async () => {}, { concurrency: 1 }),
      /is closed/,
    )
    assert.throws(() => queues.open(boots), /is closed/)
  })
}

export function refusalTests(queueTest: QueueTest): void {
  queueTest(
    'a payload that the schema refuses is not added; the error names queue, job, place and rule',
    async ({ queues }, queue) => {
      const untyped = queues.open<unknown>({ ...boots, name: 'untyped' })
      const strict: QueueDefinition<unknown> = { ...boots, name: 'strict' }
      const refusing = queues.open(strict)
      await assert.rejects(
        refusing.add('p1', { partition: 'p1', epoch: 1.5 }),
        /job p1 of queue strict: its payload is refused: #\/epoch .*int/,
      )
      await assert.rejects(
        untyped.add('p1', { ...p1, memory: 'deadbeef' }),
        /Unrecognized key: "memory"/,
      )
      assert.deepEqual(await queue.counts(), nothing)
      assert.deepEqual(await refusing.counts(), nothing)
    },
  )

  queueTest('a payload longer than 16,384 characters is not added', async (_harness, queue) => {
    await assert.rejects(
      queue.add('p1', { ...p1, partition: 'p'.repeat(16_384) }),
      /is longer than 16384/,
    )
    assert.deepEqual(await queue.counts(), nothing)
  })

  queueTest(
    'an id with other characters than letters, digits and . _ / - is not added',
    async (_harness, queue) => {
      for (const id of ['', 'p1:1', 'p 1', '-p1', 'ä', 'p1\n', 'p'.repeat(129)]) {
        await assert.rejects(queue.add(id, p1), /must be 1 to 128 letters/, JSON.stringify(id))
      }
      assert.deepEqual(await queue.counts(), nothing)
    },
  )

  queueTest('a definition whose bounds make no sense is not opened', async ({ queues }) => {
    assert.throws(() => queues.open({ ...boots, name: 'a:b' }), /queue name "a:b"/)
    assert.throws(() => queues.open({ ...boots, name: 'x', attemptsMax: 0 }), /attemptsMax/)
    assert.throws(() => queues.open({ ...boots, name: 'x', leaseMs: 0.5 }), /leaseMs/)
    assert.throws(() => queues.open({ ...boots, name: 'x', backoffMsMax: 1 }), /backoffMs/)
  })
}
