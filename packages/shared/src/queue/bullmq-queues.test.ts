import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Redis } from 'ioredis'
import { z } from 'zod'
import { eventually } from '../../../../test/support/eventually.ts'
import { startRedisServer, type RedisServer } from '../../../../test/support/redis-server.ts'
import { startTcpLine } from '../../../../test/support/tcp-line.ts'
import { without } from '../../../../test/support/tools.ts'
import type { QueueDefinition } from '../contracts/index.ts'
import { UnavailableError } from '../runtime/index.ts'
import { recordSpans } from '../telemetry/testing/recorded-spans.ts'
import { createBullmqQueues, queueKeyPrefix } from './bullmq-queues.ts'
import { jobQueueConformance } from './job-queue.conformance.ts'
import { isEmpty } from './testing/job-queue-harness.ts'

const skip = without('redis-server')

interface Boot {
  readonly partition: string
}

const boots: QueueDefinition<Boot> = {
  name: 'boots',
  payload: z.strictObject({ partition: z.string() }),
  attemptsMax: 3,
  backoffMs: 10,
  backoffMsMax: 20,
  leaseMs: 400,
}
const p1: Boot = { partition: 'p1' }

describe('BullMQ', { skip }, () => {
  const servers = new AsyncDisposableStack()
  const shared: { redis?: RedisServer } = {}
  before(async () => void (shared.redis = servers.use(await startRedisServer())))
  after(() => servers.disposeAsync())
  let prefixes = 0

  jobQueueConformance('BullMQ queues', async () => {
    const errors: Error[] = []
    const queues = createBullmqQueues({
      url: shared.redis?.url ?? '',
      prefix: `{conformance-${prefixes++}}`,
      onError: (error) => errors.push(error),
    })
    return {
      queues,
      now: () => Date.now(),
      wait: (work) => work,
      eventually,
      async [Symbol.asyncDispose]() {
        await queues[Symbol.asyncDispose]()
        assert.deepEqual(errors, [])
      },
    }
  })

  test('keys lie below one hash tag', () => {
    assert.equal(queueKeyPrefix, '{queue}')
    assert.throws(
      () => createBullmqQueues({ url: 'redis://127.0.0.1', prefix: 'queue' }),
      /no \{hash tag\}/,
    )
  })

  test('whatever somebody writes for a traceparent, the job runs and begins a trace', async () => {
    await using redis = await startRedisServer()
    await using queues = createBullmqQueues({ url: redis.url })
    await using raw = rawRedis(redis.url)
    const queue = queues.open(boots)
    const forged: readonly unknown[] = [
      'x'.repeat(100_000),
      '00-zz-zz-01\r\nx: y',
      7,
      { a: 1 },
      null,
    ]
    for (const [index] of forged.entries()) await queue.add(`p${index}`, p1)
    for (const [index, tm] of forged.entries()) {
      const key = `${queueKeyPrefix}:boots:job/p${index}`
      assert.equal(await raw.redis.hset(key, 'opts', JSON.stringify({ attempts: 1, tm })), 0)
    }
    await using spans = await recordSpans()
    {
      const ran: string[] = []
      await using _worker = await queue.work(async ({ id }) => void ran.push(id), {
        concurrency: 1,
      })
      await eventually('all have run', () => ran.length === forged.length)
    }
    const runs = (await spans.ended()).filter(({ name }) => name === 'process boots')
    assert.deepEqual(
      runs.map((span) => [span.parentId, span.isFailed]),
      forged.map(() => [undefined, false]),
    )
  })

  test('jobs go on being taken when all connections have fallen silent', async () => {
    await using redis = await startRedisServer()
    await using line = await startTcpLine(redis.port)
    const url = `redis://127.0.0.1:${line.port}`
    await using queues = createBullmqQueues({ url, silenceMs: 200 })
    const queue = queues.open(boots)
    const ran: string[] = []
    await using _worker = await queue.work(async ({ id }) => void ran.push(id), { concurrency: 1 })
    await queue.add('before', p1)
    await eventually('the first has run', async () => (await isEmpty(queue)) && ran.length === 1)
    line.silence()
    await queue.add('after', p1)
    await eventually('the second has run', async () => (await isEmpty(queue)) && ran.length === 2)
    assert.deepEqual(ran, ['before', 'after'])
  })

  describe('leases', () => {
    test('a job whose process is killed on the way is finished by another worker', async () => {
      await using redis = await startRedisServer()
      await using queues = createBullmqQueues({ url: redis.url })
      const hangs = queues.open({ ...boots, name: 'hangs', leaseMs: 1_000 })
      await hangs.add('p1', p1)
      const process = fixture('claim-and-hang.ts', redis.url)
      assert.equal(await output(process), 'claimed p1 1\n')
      const attempts: number[] = []
      await using _worker = await hangs.work(async (job) => void attempts.push(job.attempt), {
        concurrency: 1,
      })
      assert.deepEqual(await hangs.counts(), { waiting: 0, active: 1, delayed: 0, failed: 0 })
      process.kill('SIGKILL')
      await eventually(
        'the job is done',
        async () => attempts.length > 0 && (await hangs.counts()).active === 0,
      )
      assert.deepEqual(attempts, [2])
    })

    test('a job whose lease is taken away sees its signal abort, and is run again', async () => {
      await using redis = await startRedisServer()
      await using queues = createBullmqQueues({ url: redis.url })
      await using raw = rawRedis(redis.url)
      const queue = queues.open(boots)
      const runs: string[] = []
      await using _worker = await queue.work(
        async (job) => {
          if (job.attempt > 1) return void runs.push('second run completes')
          await raw.redis.set('{queue}:boots:job/p1:lock', 'somebody else', 'PX', 100)
          await once(job.signal, 'abort')
          runs.push(String(job.signal.reason))
          throw new Error('aborted')
        },
        { concurrency: 1 },
      )
      await queue.add('p1', p1)
      await eventually('both runs are over', () => runs.length === 2)
      assert.deepEqual(runs, ['Error: the lease of job p1 is lost', 'second run completes'])
    })

    test('a worker that cannot reach Redis for the length of a lease aborts what it runs', async () => {
      await using redis = await startRedisServer()
      await using queues = createBullmqQueues({ url: redis.url, closeTimeoutMs: 50 })
      const queue = queues.open(boots)
      const started = Promise.withResolvers<void>()
      const aborted = Promise.withResolvers<string>()
      await using _worker = await queue.work(
        async (job) => {
          started.resolve()
          await once(job.signal, 'abort')
          aborted.resolve(String(job.signal.reason))
        },
        { concurrency: 1 },
      )
      await queue.add('p1', p1)
      await started.promise
      await redis.stop()
      assert.equal(await aborted.promise, 'Error: the lease of job p1 is lost')
    })

    test('a job that runs longer than its lease keeps it as long as its worker lives', async () => {
      await using redis = await startRedisServer()
      await using queues = createBullmqQueues({ url: redis.url })
      const queue = queues.open({ ...boots, leaseMs: 800 })
      let runs = 0
      const goOn = Promise.withResolvers<void>()
      await using _worker = await queue.work(
        async (job) => {
          runs++
          await goOn.promise
          assert.equal(job.signal.aborted, false)
        },
        { concurrency: 1 },
      )
      await queue.add('p1', p1)
      await using raw = rawRedis(redis.url)
      const renewals = new Set<number>()
      await eventually('the lease was renewed past its first end', async () => {
        const end = await raw.redis.pexpiretime('{queue}:boots:job/p1:lock')
        if (end > 0) renewals.add(end)
        return renewals.size >= 4
      })
      goOn.resolve()
      await eventually('the job is done', async () => (await queue.counts()).active === 0)
      assert.equal(runs, 1)
    })

    test('a job that no process survives is given up after its last run', async () => {
      await using redis = await startRedisServer()
      await using queues = createBullmqQueues({ url: redis.url })
      await using raw = rawRedis(redis.url)
      const queue = queues.open(boots)
      await queue.add('p1', p1)
      await raw.redis.hset('{queue}:boots:job/p1', 'stc', boots.attemptsMax)
      const given = Promise.withResolvers<string>()
      await using _worker = await queue.work(() => assert.fail('there is no further run'), {
        concurrency: 1,
        onFailed: (_job, cause) => given.resolve(cause.message),
      })
      assert.match(await given.promise, /none of its 3 runs came to an end/)
      assert.equal((await queue.counts()).failed, 1)
    })
  })

  describe('stored payloads', () => {
    const stored = {
      '{"partition":7}': /#\/partition Invalid input: expected string/,
      '{"partition":"p1","memory":"00"}': /Unrecognized key: "memory"/,
      'not JSON': /expected object, received null/,
      '': /#\/partition/,
    }
    for (const [text, cause] of Object.entries(stored)) {
      test(`${JSON.stringify(text)} fails its job with a clear cause, and the worker goes on`, async () => {
        await using redis = await startRedisServer()
        await using queues = createBullmqQueues({ url: redis.url })
        await using raw = rawRedis(redis.url)
        const queue = queues.open(boots)
        await queue.add('bad', p1)
        await queue.add('good', p1)
        await raw.redis.hset('{queue}:boots:job/bad', 'data', text)
        const taken: string[] = []
        const given: string[] = []
        await using _worker = await queue.work(async (job) => void taken.push(job.id), {
          concurrency: 1,
          onFailed: (job, error) => given.push(`${job.id}: ${error.message}`),
        })
        await eventually('both are over', () => taken.length + given.length === 2)
        assert.deepEqual(taken, ['good'])
        assert.match(given[0] ?? '', /^bad: job bad of queue boots: its payload is refused/)
        assert.match(given[0] ?? '', cause)
        assert.equal((await queue.counts()).failed, 1)
      })
    }
  })

  describe('what is left in Redis', () => {
    test('after jobs have completed Redis is as large as before: three keys a queue', async () => {
      await using redis = await startRedisServer()
      await using raw = rawRedis(redis.url)
      await using queues = createBullmqQueues({ url: redis.url })
      const queue = queues.open(boots)
      const runJobs = async (count: number) => {
        await using _worker = await queue.work(
          async (job) => {
            if (job.attempt === 1 && job.id.endsWith('7')) throw new Error('once more')
          },
          { concurrency: 20 },
        )
        await Promise.all(Array.from({ length: count }, (_, index) => queue.add(`p${index}`, p1)))
        await eventually('all are done', async () => {
          const { waiting, active, delayed } = await queue.counts()
          return waiting + active + delayed === 0
        })
        await eventually(
          'a worker without work has taken the marker',
          async () => (await raw.redis.exists('{queue}:boots:marker')) === 0,
        )
      }
      await runJobs(100)
      const first = await footprint(raw.redis)
      await runJobs(1_000)
      const second = await footprint(raw.redis)
      assert.deepEqual(
        [...second.keys()],
        ['{queue}:boots:events', '{queue}:boots:id', '{queue}:boots:meta'],
      )
      for (const [key, bytes] of second) {
        // The stream is kept empty but for the rows since the last trim; its first node takes 4 KiB.
        const limit = key.endsWith(':events') ? 8_192 : (first.get(key) ?? 0) + 16
        assert.ok(bytes <= limit, `${key} takes ${bytes} bytes, not more than ${limit}`)
      }
    })
  })

  describe('a Redis that goes away', () => {
    test('workers and producers go on when it is back', async () => {
      await using redis = await startRedisServer()
      const errors: string[] = []
      await using queues = createBullmqQueues({
        url: redis.url,
        onError: (error) => errors.push(error.message),
      })
      const queue = queues.open(boots)
      const taken: string[] = []
      await using _worker = await queue.work(async (job) => void taken.push(job.id), {
        concurrency: 1,
      })
      await queue.add('before', p1)
      await eventually('the first is taken', () => taken.length === 1)
      await redis.stop()
      await eventually('the outage is told', () =>
        errors.includes('the control Redis is away: ECONNREFUSED'),
      )
      await redis.start()
      await queue.add('after', p1)
      await eventually('the second is taken', () => taken.length === 2)
      assert.deepEqual(taken, ['before', 'after'])
    })

    test('adding, counting and hiring are refused as unavailable after a bounded time', async () => {
      await using redis = await startRedisServer()
      await using queues = createBullmqQueues({
        url: redis.url,
        answerTimeoutMs: 50,
        closeTimeoutMs: 50,
      })
      const queue = queues.open(boots)
      await redis.stop()
      await assert.rejects(queue.add('p1', p1), UnavailableError)
      await assert.rejects(queue.counts(), UnavailableError)
      await assert.rejects(
        queue.work(async () => {}, { concurrency: 1 }),
        UnavailableError,
      )
    })

    test('a worker stops all the same, though its handler was running', async () => {
      await using redis = await startRedisServer()
      const queues = createBullmqQueues({ url: redis.url, closeTimeoutMs: 50 })
      const queue = queues.open({ ...boots, leaseMs: 60_000 })
      const started = Promise.withResolvers<void>()
      let reason = ''
      const worker = await queue.work(
        async (job) => {
          started.resolve()
          await once(job.signal, 'abort')
          reason = String(job.signal.reason)
          throw new Error('stopped')
        },
        { concurrency: 1 },
      )
      await queue.add('p1', p1)
      await started.promise
      await redis.stop()
      await worker[Symbol.asyncDispose]()
      await queues[Symbol.asyncDispose]()
      assert.equal(reason, 'Error: the worker stops')
    })
  })

  for (const state of ['answers', 'is away']) {
    test(`a process that disposes its queues and logs while Redis ${state} ends by itself`, async () => {
      await using redis = await startRedisServer()
      const process = fixture('open-and-dispose.ts', redis.url)
      assert.equal(await output(process), 'open\n')
      if (state === 'is away') await redis.stop()
      const exited = once(process, 'exit')
      process.stdin?.write('go\n')
      assert.equal(await output(process), 'disposed\n')
      assert.deepEqual(await exited, [0, null])
    })
  }
})

function fixture(file: string, url: string): ChildProcess {
  return spawn(process.execPath, [join(import.meta.dirname, 'testing', file), url], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
}

/** The next text that the process prints. */
async function output(process: ChildProcess): Promise<string> {
  assert.ok(process.stdout)
  const ended = new AbortController()
  process.once('exit', () => ended.abort(new Error('the process ended without a word')))
  const [text] = await once(process.stdout, 'data', { signal: ended.signal })
  return String(text)
}

function rawRedis(url: string): AsyncDisposable & { readonly redis: Redis } {
  const redis = new Redis(url)
  redis.on('error', () => {})
  return {
    redis,
    async [Symbol.asyncDispose]() {
      redis.disconnect()
    },
  }
}

/** What PTTL says of a key that does not expire. */
const lastsForGood = -1

/** Every key that stays, with the bytes it takes. */
async function footprint(redis: Redis): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>()
  for (const key of (await redis.keys('*')).toSorted()) {
    // A key with a time to live goes by itself, as BullMQ's guard of the stalled check does; it may be gone already.
    if ((await redis.pttl(key)) !== lastsForGood) continue
    sizes.set(key, Number(await redis.memory('USAGE', key)))
  }
  return sizes
}
