import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import type { QueueDefinition } from '../contracts/index.ts'
import { seededRandom, VirtualClock } from '../runtime/index.ts'
import { createInProcessQueues } from './in-process-queues.ts'
import { jobQueueConformance } from './job-queue.conformance.ts'
import { UnrecoverableJobError } from './job-queue.ts'

jobQueueConformance('in-process queues on a virtual clock', async () => {
  const clock = new VirtualClock()
  const queues = createInProcessQueues({ clock })
  return {
    queues,
    now: () => clock.now(),
    wait: (work) => clock.runUntil(work),
    async eventually(what, condition) {
      await clock.advance(0)
      while (!(await condition())) assert.ok(await clock.advanceToNext(), `never: ${what}`)
    },
    [Symbol.asyncDispose]: () => queues[Symbol.asyncDispose](),
  }
})

const captures: QueueDefinition<number> = {
  name: 'captures',
  payload: z.int(),
  attemptsMax: 5,
  backoffMs: 100,
  backoffMsMax: 500,
  leaseMs: 30_000,
}

test('attempts come exactly at the back-off: 100, 200, 400 and, capped, 500 ms apart', async () => {
  const clock = new VirtualClock(0)
  await using queues = createInProcessQueues({ clock })
  const queue = queues.open(captures)
  const runs: string[] = []
  await using _worker = await queue.work(
    async (job) => {
      runs.push(`run ${job.attempt} at ${clock.now()}`)
      throw new Error('no answer')
    },
    { concurrency: 1, onFailed: () => void runs.push(`given up at ${clock.now()}`) },
  )
  await queue.add('d1', 1)
  await clock.advance(299)
  assert.deepEqual(runs, ['run 1 at 0', 'run 2 at 100'])
  assert.deepEqual(await queue.counts(), { waiting: 0, active: 0, delayed: 1, failed: 0 })
  await clock.advance(10_000)
  assert.deepEqual(runs.slice(2), [
    'run 3 at 300',
    'run 4 at 700',
    'run 5 at 1200',
    'given up at 1200',
  ])
  assert.equal(clock.pending, 0)
})

describe('a worker that dies', () => {
  test('its job is run by another worker when the lease ends, and its own outcome is ignored', async () => {
    const clock = new VirtualClock(0)
    await using queues = createInProcessQueues({ clock })
    const queue = queues.open(captures)
    const log: string[] = []
    const goOn = Promise.withResolvers<void>()
    const dying = await queue.work(
      async (job) => {
        job.signal.addEventListener('abort', () =>
          log.push(`first run sees ${String(job.signal.reason)} at ${clock.now()}`),
        )
        await goOn.promise
        throw new UnrecoverableJobError('the dead do not speak')
      },
      { concurrency: 1, onFailed: () => assert.fail('the outcome of a lost run is ignored') },
    )
    await queue.add('d1', 1)
    await clock.advance(1_000)
    dying.kill()
    await using _other = await queue.work(
      async (job) => void log.push(`run ${job.attempt} at ${clock.now()}`),
      { concurrency: 1 },
    )
    await clock.advance(29_999)
    assert.deepEqual(log, [])
    assert.deepEqual(await queue.counts(), { waiting: 0, active: 1, delayed: 0, failed: 0 })
    goOn.resolve()
    await clock.advance(1)
    assert.deepEqual(log, [
      'first run sees Error: the lease of job d1 ended at 31000',
      'run 2 at 31000',
    ])
    assert.deepEqual(await queue.counts(), { waiting: 0, active: 0, delayed: 0, failed: 0 })
  })

  test('a job that no worker survives is given up after its last run', async () => {
    const clock = new VirtualClock(0)
    await using queues = createInProcessQueues({ clock })
    const queue = queues.open(captures)
    await queue.add('d1', 1)
    for (let run = 1; run <= captures.attemptsMax; run++) {
      const started = Promise.withResolvers<number>()
      const worker = await queue.work(
        (job) => {
          started.resolve(job.attempt)
          return new Promise(() => {})
        },
        { concurrency: 1 },
      )
      assert.equal(await clock.runUntil(started.promise), run)
      worker.kill()
      await clock.advance(captures.leaseMs)
    }
    const given = Promise.withResolvers<string>()
    await using _worker = await queue.work(() => assert.fail('there is no sixth run'), {
      concurrency: 1,
      onFailed: (_job, cause) => given.resolve(cause.message),
    })
    assert.match(
      await given.promise,
      /job d1 of queue captures is given up: none of its 5 runs came to an end/,
    )
    assert.deepEqual(await queue.counts(), { waiting: 0, active: 0, delayed: 0, failed: 1 })
  })
})

test('disposing the queues leaves no timer on the clock', async () => {
  const clock = new VirtualClock(0)
  const queues = createInProcessQueues({ clock })
  const queue = queues.open(captures)
  const worker = await queue.work(() => Promise.reject(new Error('no answer')), { concurrency: 1 })
  await queue.add('d1', 1)
  await clock.advance(0)
  worker.kill()
  assert.equal(clock.pending, 1)
  await queues[Symbol.asyncDispose]()
  assert.equal(clock.pending, 0)
})

test('a queue that is open cannot be opened with another definition', async () => {
  await using queues = createInProcessQueues({ clock: new VirtualClock() })
  queues.open(captures)
  assert.throws(
    () => queues.open({ ...captures, leaseMs: 1 }),
    /already open with another definition/,
  )
})

/** A storm of jobs whose runs take time, fail, give up, and whose workers come, stop and die; all drawn from `seed`. */
async function storm(seed: number): Promise<readonly string[]> {
  const random = seededRandom(seed)
  const clock = new VirtualClock(0)
  await using queues = createInProcessQueues({ clock })
  const queue = queues.open({ ...captures, leaseMs: 1_000 })
  const log: string[] = []
  const note = (text: string) => log.push(`${clock.now()} ${text}`)
  const hire = (name: string) =>
    queue.work(
      async (job) => {
        note(`${name} runs ${job.id} (${job.attempt})`)
        await clock.sleep(random.int(300), job.signal)
        const draw = random.next()
        if (draw < 0.1) throw new UnrecoverableJobError('hopeless')
        if (draw < 0.5) throw new Error('once more')
        note(`${name} completes ${job.id}`)
      },
      { concurrency: 1 + random.int(3), onFailed: (job) => note(`${job.id} is given up`) },
    )
  const workers = [await hire('w0'), await hire('w1')]
  for (let step = 0; step < 40; step++) {
    await queue.add(`d${random.int(20)}`, step)
    await clock.advance(random.int(100))
    const worker = workers[random.int(2)]
    if (random.int(10) === 0) {
      if (random.int(2) === 0) worker?.kill()
      else await clock.runUntil(Promise.resolve(worker?.[Symbol.asyncDispose]()))
      workers[workers.indexOf(worker ?? workers[0] ?? (await hire('w')))] = await hire(
        `w${step + 2}`,
      )
    }
  }
  await clock.advance(60_000)
  note(JSON.stringify(await queue.counts()))
  return log
}

test('the same seed gives the same run, whatever fails, stops and dies on the way', async () => {
  for (const seed of [1, 2, 3]) assert.deepEqual(await storm(seed), await storm(seed))
  assert.notDeepEqual(await storm(1), await storm(2))
})

test('in any storm every job comes to an end: completed or given up, within its bound of runs', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0 }), async (seed) => {
      const log = await storm(seed)
      assert.match(log.at(-1) ?? '', /"waiting":0,"active":0,"delayed":0/)
      assert.ok(!log.some((line) => line.includes(`(${captures.attemptsMax + 1})`)))
    }),
    { numRuns: 25 },
  )
})
