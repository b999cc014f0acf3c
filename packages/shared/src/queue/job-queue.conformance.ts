/** What every implementation of `JobQueues` does: run this suite on each of them. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { currentTraceparent, traced } from '../telemetry/index.ts'
import { recordSpans } from '../telemetry/testing/recorded-spans.ts'
import { refusalTests, stopTests, workerTests } from './job-queue-workers.conformance.ts'
import { UnrecoverableJobError, type ClaimedJob } from './job-queue.ts'
import { failedJobsMax } from './job-rules.ts'
import {
  boots,
  failures,
  isEmpty,
  nothing,
  p1,
  recorder,
  type Boot,
  type JobQueueHarness,
  type QueueTest,
} from './testing/job-queue-harness.ts'

export function jobQueueConformance(
  name: string,
  openHarness: () => Promise<JobQueueHarness>,
  options: { readonly skip?: string | false } = {},
): void {
  const queueTest: QueueTest = (title, run) => {
    test(title, async () => {
      await using harness = await openHarness()
      await run(harness, harness.queues.open(boots))
    })
  }

  describe(name, { skip: options.skip ?? false }, () => {
    describe('handing over', () => deliveryTests(queueTest))
    describe('one job per id', () => identityTests(queueTest))
    describe('failing', () => failureTests(queueTest))
    describe('several workers', () => workerTests(queueTest))
    describe('stopping', () => stopTests(queueTest))
    describe('what is refused', () => refusalTests(queueTest))
  })
}

function deliveryTests(queueTest: QueueTest): void {
  queueTest(
    'a job reaches a worker with its id, its payload and the number of the run',
    async ({ wait }, queue) => {
      const taken = Promise.withResolvers<ClaimedJob<Boot>>()
      await using _worker = await queue.work(async (job) => taken.resolve(job), { concurrency: 1 })
      await queue.add('p1.1', p1)
      const job = await wait(taken.promise)
      assert.deepEqual(
        [job.id, job.payload, job.attempt, job.signal.aborted],
        ['p1.1', p1, 1, false],
      )
    },
  )

  queueTest(
    'each run of a job belongs to the trace in which it was added',
    async ({ eventually }, queue) => {
      await using spans = await recordSpans()
      const runs: (string | undefined)[] = []
      const handler = async () => {
        runs.push(currentTraceparent())
        if (runs.length === 1) throw new Error('once more')
      }
      {
        await using _worker = await queue.work(handler, { concurrency: 1 })
        await traced({ name: 'cause', kind: 'internal' }, () => queue.add('p1.1', p1))
        await eventually('the job is gone', async () => runs.length === 2 && (await isEmpty(queue)))
      }
      const ended = await spans.ended()
      const named = (name: string) => ended.filter((span) => span.name === name)
      const [cause] = named('cause')
      const [added] = named('add boots')
      const [first, second] = named('process boots')
      assert.equal(added?.parentId, cause?.id)
      assert.deepEqual([first?.parentId, second?.parentId], [added?.id, added?.id])
      assert.deepEqual([first?.isFailed, second?.isFailed], [true, false])
      assert.deepEqual(
        runs,
        [first, second].map((span) => `00-${cause?.traceId}-${span?.id}-01`),
      )
    },
  )

  queueTest('nothing is left of a job that has completed', async ({ eventually }, queue) => {
    await using _worker = await queue.work(async () => {}, { concurrency: 1 })
    await queue.add('p1.1', p1)
    await eventually('the job is gone', async () => isEmpty(queue))
  })

  queueTest(
    'jobs wait for a worker to come and are then taken in the order of adding',
    async ({ wait }, queue) => {
      const ids = ['c', 'a', 'b', '42', 'frame/p1']
      for (const id of ids) await queue.add(id, p1)
      assert.deepEqual(await queue.counts(), { ...nothing, waiting: 5 })
      const { taken, handler } = recorder(ids.length)
      await using _worker = await queue.work(handler, { concurrency: 1 })
      assert.deepEqual(await wait(taken), ids)
    },
  )

  queueTest('a payload arrives as it was when it was added', async ({ wait }, queue) => {
    const payload = { partition: 'p1', epoch: 1 }
    await queue.add('p1.1', payload)
    payload.epoch = 2
    const arrived = Promise.withResolvers<Boot>()
    await using _worker = await queue.work(async (job) => arrived.resolve(job.payload), {
      concurrency: 1,
    })
    assert.deepEqual(await wait(arrived.promise), p1)
  })

  queueTest('queues of different names do not share jobs', async ({ queues }, queue) => {
    const other = queues.open({ ...boots, name: 'captures' })
    await queue.add('p1.1', p1)
    assert.deepEqual(await other.counts(), nothing)
    assert.deepEqual(await queue.counts(), { ...nothing, waiting: 1 })
  })
}

function identityTests(queueTest: QueueTest): void {
  queueTest(
    'an id that is waiting is not added twice: the first payload stays',
    async ({ wait }, queue) => {
      await queue.add('p1', p1)
      await queue.add('p1', { ...p1, epoch: 2 })
      await queue.add('last', p1)
      assert.equal((await queue.counts()).waiting, 2)
      const { taken, handler } = recorder(2, (job) => `${job.id} ${job.payload.epoch}`)
      await using _worker = await queue.work(handler, { concurrency: 1 })
      assert.deepEqual(await wait(taken), ['p1 1', 'last 1'])
    },
  )

  queueTest(
    'an id that is running or waits for its next attempt is not added twice',
    async (harness, queue) => {
      const { wait, eventually } = harness
      const running = Promise.withResolvers<void>()
      const goOn = Promise.withResolvers<void>()
      let runs = 0
      await using _worker = await queue.work(
        async () => {
          if (++runs > 1) return
          running.resolve()
          await goOn.promise
          throw new Error('once more')
        },
        { concurrency: 5 },
      )
      await queue.add('p1', p1)
      await wait(running.promise)
      await queue.add('p1', p1)
      assert.deepEqual(await queue.counts(), { ...nothing, active: 1 })
      goOn.resolve()
      await eventually('the job has run twice', async () => (await isEmpty(queue)) && runs === 2)
    },
  )

  queueTest(
    'an id may be added again after its job has completed',
    async ({ wait, eventually }, queue) => {
      const { taken, handler } = recorder(2, (job) => `${job.payload.epoch} ${job.attempt}`)
      await using _worker = await queue.work(handler, { concurrency: 1 })
      await queue.add('p1', p1)
      await eventually('the first is gone', async () => isEmpty(queue))
      await queue.add('p1', { ...p1, epoch: 2 })
      assert.deepEqual(await wait(taken), ['1 1', '2 1'])
    },
  )

  queueTest(
    'an id may be added again after its job has failed, and starts afresh',
    async (harness, queue) => {
      const { wait, eventually } = harness
      const { taken, handler } = recorder(2, (job) => `${job.payload.epoch} ${job.attempt}`)
      await using _worker = await queue.work(
        async (job) => {
          await handler(job)
          if (job.payload.epoch === 1) throw new UnrecoverableJobError('no such partition')
        },
        { concurrency: 1 },
      )
      await queue.add('p1', p1)
      await eventually('the first has failed', async () => (await queue.counts()).failed === 1)
      await queue.add('p1', { ...p1, epoch: 2 })
      assert.deepEqual(await wait(taken), ['1 1', '2 1'])
      await eventually('the second is gone', async () => isEmpty(queue))
    },
  )
}

function failureTests(queueTest: QueueTest): void {
  queueTest(
    'a job that fails is run again after pauses that double up to the cap, then given up',
    async (harness, queue) => {
      const { now, wait } = harness
      const runs: { readonly attempt: number; readonly at: number }[] = []
      const { given, onFailed } = failures(1)
      await using _worker = await queue.work(
        async (job) => {
          runs.push({ attempt: job.attempt, at: now() })
          throw new Error(`no answer, run ${job.attempt}`)
        },
        { concurrency: 1, onFailed },
      )
      await queue.add('p1', p1)
      assert.deepEqual(await wait(given), [{ id: 'p1', payload: p1, cause: 'no answer, run 4' }])
      assert.deepEqual(
        runs.map((run) => run.attempt),
        [1, 2, 3, 4],
      )
      const pauses = runs.slice(1).map((run, index) => run.at - (runs[index]?.at ?? 0))
      for (const [index, atLeast] of [20, 40, 50].entries()) {
        assert.ok(
          (pauses[index] ?? 0) >= atLeast,
          `pause ${index} of ${pauses[index]} ms is at least ${atLeast} ms`,
        )
      }
      assert.deepEqual(await queue.counts(), { ...nothing, failed: 1 })
    },
  )

  queueTest(
    'a job that succeeds in a later attempt has not failed',
    async ({ eventually }, queue) => {
      let runs = 0
      const onFailed = () => assert.fail('nothing was given up')
      await using _worker = await queue.work(
        async (job) => {
          runs++
          if (job.attempt < boots.attemptsMax) throw new Error('not yet')
        },
        { concurrency: 1, onFailed },
      )
      await queue.add('p1', p1)
      await eventually(
        'the job is gone',
        async () => (await isEmpty(queue)) && runs === boots.attemptsMax,
      )
    },
  )

  queueTest(
    'an UnrecoverableJobError fails a job at once, and reaches onFailed itself',
    async ({ wait }, queue) => {
      const cause = new UnrecoverableJobError('the boot generation is over')
      const told = Promise.withResolvers<Error>()
      let runs = 0
      await using _worker = await queue.work(
        async () => {
          runs++
          throw cause
        },
        { concurrency: 1, onFailed: (_job, error) => told.resolve(error) },
      )
      await queue.add('p1', p1)
      assert.equal(await wait(told.promise), cause)
      assert.equal(runs, 1)
      assert.deepEqual(await queue.counts(), { ...nothing, failed: 1 })
    },
  )

  queueTest(
    'a thrown value that is no error fails the attempt like an error',
    async ({ eventually }, queue) => {
      const causes = [undefined, 'text', { code: 7 }]
      let runs = 0
      await using _worker = await queue.work(
        async () => {
          // Promise.reject, since the linter rightly forbids throwing such values.
          if (runs++ < causes.length) await Promise.reject(causes[runs - 1])
        },
        { concurrency: 1 },
      )
      await queue.add('p1', p1)
      await eventually('the fourth run completes', async () => (await isEmpty(queue)) && runs === 4)
    },
  )

  queueTest(`no more than ${failedJobsMax} failed jobs are kept`, async ({ eventually }, queue) => {
    const handler = () => Promise.reject(new UnrecoverableJobError('hopeless'))
    let given = 0
    const onFailed = () => void given++
    await using _worker = await queue.work(handler, { concurrency: 50, onFailed })
    const count = failedJobsMax + 20
    await Promise.all(Array.from({ length: count }, (_, index) => queue.add(`p${index}`, p1)))
    await eventually('all have failed', () => given === count)
    assert.deepEqual(await queue.counts(), { ...nothing, failed: failedJobsMax })
  })
}
