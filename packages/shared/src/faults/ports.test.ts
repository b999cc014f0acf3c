/** Decorated clock, queues, events, memory store, and the end of a process at a step of each. */
import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { iplQueue, partitionSpace, type IplJob, type LabEvent } from '../contracts/index.ts'
import { createHeapEventLog, createInProcessQueues } from '../queue/index.ts'
import { createHeapMemoryStore, pageSize, StoreError, toEpoch } from '../store/index.ts'
import { byteLength, realAddress } from '../units/index.ts'
import { ProcessEndedError } from './fault-tools.ts'
import { armedTools } from './testing/armed-tools.ts'
import { withFaults } from './with-faults.ts'

const hourMs = 3_600_000
const event: LabEvent = {
  time: '2024-01-01T00:00:00.000Z',
  service: 'lpar-kernel',
  aggregate: 'kernel',
  subject: 'p1',
  event: 'crashed',
}
const job: IplJob = { frame: 'server-1', partition: 'p1', epoch: 1, correlationId: 'c1' }

const setUp = (...forms: readonly object[]) => {
  const armed = armedTools('lpar-kernel', ...forms)
  const { clock } = armed
  const plain = {
    clock,
    events: createHeapEventLog(),
    queues: createInProcessQueues({ clock }),
    store: createHeapMemoryStore(),
  }
  return { ...armed, plain, ports: withFaults(plain, armed.tools) }
}

/** A queue with one job in it, and what its handler saw: attempt, and whether the signal was aborted in the end. */
async function runJob(form: object, work?: (signal: AbortSignal) => Promise<void>) {
  const { ports, struck, clock } = setUp(form)
  const queue = ports.queues.open(iplQueue)
  const runs: { readonly attempt: number; readonly signal: AbortSignal }[] = []
  await queue.add('p1-1', job)
  await using _worker = await queue.work(
    async ({ attempt, signal }) => {
      runs.push({ attempt, signal })
      await work?.(signal)
    },
    { concurrency: 2 },
  )
  while ((await queue.counts()).active + (await queue.counts()).waiting > 0) {
    await clock.advance(1)
  }
  return { runs: runs.map(({ attempt, signal }) => [attempt, signal.aborted]), struck: struck() }
}

suite('ports with faults', () => {
  test('without an armed fault every port does what it does', async () => {
    const { ports, plain } = setUp()
    assert.equal(ports.clock.now(), plain.clock.now())
    await ports.events.append(event)
    assert.equal((await plain.events.read(undefined, 10)).length, 1)
    await ports.store.createSpace(partitionSpace('server-1', 'p1'), byteLength(65_536n))
    assert.deepEqual(await plain.store.listSpaces('server-1'), ['partition/p1'])
  })

  test('a jump of the clock stays, and timers go on as before', async () => {
    for (const value of [hourMs, -hourMs]) {
      const { ports, clock } = setUp({ name: 'clock-jump', value, after: 1 })
      assert.equal(ports.clock.now(), clock.now())
      assert.equal(ports.clock.now(), clock.now() + value)
      assert.equal(ports.clock.iso(), new Date(clock.now() + value).toISOString())
      const before = clock.now()
      await clock.runUntil(ports.clock.sleep(50))
      assert.equal(clock.now() - before, 50)
    }
  })

  test('a redelivered job runs twice, one run after the other', async () => {
    const { runs, struck } = await runJob({ name: 'queue-redelivery' })
    assert.deepEqual(runs, [
      [1, false],
      [2, false],
    ])
    assert.deepEqual(struck, [1])
  })

  test('a stalled job runs twice at once, and the first run sees its signal abort', async () => {
    const untilAborted = (signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve())
        if (signal !== first) resolve()
      })
    let first: AbortSignal | undefined
    const { runs, struck } = await runJob({ name: 'job-stalled', value: 5 }, (signal) => {
      first ??= signal
      return untilAborted(signal)
    })
    assert.deepEqual(runs, [
      [1, true],
      [2, false],
    ])
    assert.deepEqual(struck, [1])
  })

  test('control Redis is away for queues and events together, for as long as the fault says', async () => {
    const { ports, clock, struck } = setUp({ name: 'redis-control-restart', value: 300 })
    const queue = ports.queues.open(iplQueue)
    await assert.rejects(ports.events.append(event), { name: 'UnavailableError' })
    await assert.rejects(queue.add('p1-1', job), { name: 'UnavailableError' })
    await clock.advance(300)
    await ports.events.append(event)
    await queue.add('p1-1', job)
    assert.deepEqual(struck(), [1])
  })

  test('memory Redis is away from the named call on', async () => {
    const { ports, clock, struck } = setUp({
      name: 'redis-memory-restart',
      at: 'describe',
      value: 300,
    })
    const space = partitionSpace('server-1', 'p1')
    await ports.store.createSpace(space, byteLength(65_536n))
    const unavailable = (error: unknown) =>
      error instanceof StoreError && error.code === 'unavailable'
    await assert.rejects(ports.store.describe(space), unavailable)
    await assert.rejects(ports.store.ping(), unavailable)
    await clock.advance(300)
    assert.equal((await ports.store.describe(space))?.version, 0)
    assert.deepEqual(struck(), [1])
  })

  for (const [value, done] of [
    [0, false],
    [1, true],
  ] as const) {
    test(`a torn hand-over ${value} has ${done ? '' : 'not '}happened, and nobody is told`, async () => {
      const { ports, plain } = setUp({ name: 'torn-hand-over', value })
      const space = partitionSpace('server-1', 'p1')
      await ports.store.createSpace(space, byteLength(BigInt(pageSize)))
      await ports.store.commit(space, { records: { kernel: 'before' } })
      const bytes = new Uint8Array(4).fill(7)
      const writes = [{ address: realAddress(0n), bytes }]
      await assert.rejects(ports.store.commit(space, { writes }), /does not answer/)
      assert.deepEqual(
        await plain.store.read(space, realAddress(0n), 4),
        done ? bytes : new Uint8Array(4),
      )
    })
  }

  test('a fault of one partition leaves the others alone, and one of a frame meets all of it', async () => {
    const { ports } = setUp(
      { name: 'redis-memory-restart', value: 0, times: 9, scope: { partition: 'p1' } },
      { name: 'redis-memory-restart', value: 0, times: 9, scope: { frame: 'server-2' } },
    )
    const answers = async (frame: string, partition: string) =>
      ports.store.describe(partitionSpace(frame, partition)).then(
        () => true,
        () => false,
      )
    assert.equal(await answers('server-1', 'p1'), false)
    assert.equal(await answers('server-1', 'p2'), true)
    assert.equal(await answers('server-2', 'p3'), false)
  })
})

/** A step, and what takes it. */
const steps: readonly (readonly [
  at: string,
  take: (ports: ReturnType<typeof setUp>['ports']) => Promise<unknown>,
])[] = [
  ['events.append', (ports) => ports.events.append(event)],
  ['events.append:crashed', (ports) => ports.events.append(event)],
  ['queue.add', (ports) => ports.queues.open(iplQueue).add('p1-1', job)],
  ['store.listSpaces', (ports) => ports.store.listSpaces('server-1')],
]

suite('the end of a process', () => {
  for (const [at, take] of steps.filter(([name]) => name !== 'store.listSpaces')) {
    for (const [value, rows] of [
      [0, 'before'],
      [1, 'after'],
    ] as const) {
      test(`${rows} ${at}: it is asked for once, and every port refuses from then on`, async () => {
        const { ports, plain, aborts, tools } = setUp({ name: 'process-abort', at, value })
        await assert.rejects(take(ports), ProcessEndedError)
        assert.equal(aborts(), 1)
        assert.equal(tools.isEnded, true)
        for (const [, other] of steps) await assert.rejects(other(ports), ProcessEndedError)
        assert.equal(aborts(), 1)
        const isEvent = at.startsWith('events')
        const { waiting } = await plain.queues.open(iplQueue).counts()
        const left = isEvent ? (await plain.events.read(undefined, 9)).length : waiting
        assert.equal(left, value)
      })
    }
  }

  test('at a step with another event it goes on', async () => {
    const { ports, aborts } = setUp({ name: 'process-abort', at: 'events.append:booted' })
    await ports.events.append(event)
    assert.equal(aborts(), 0)
  })

  test('writes of memory after the end do not happen', async () => {
    const { ports, plain } = setUp({ name: 'process-abort', at: 'store.write' })
    const space = partitionSpace('server-1', 'p1')
    await ports.store.createSpace(space, byteLength(BigInt(pageSize)))
    const write = { address: realAddress(0n), bytes: new Uint8Array([1]) }
    for (let times = 0; times < 2; times += 1) {
      await assert.rejects(ports.store.write(space, write, toEpoch(0)), ProcessEndedError)
    }
    assert.deepEqual(await plain.store.read(space, realAddress(0n), 1), new Uint8Array(1))
  })
})
