import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { iplQueue, Problem, records, type IplJob } from '@fadump-lab/shared/contracts'
import { createInProcessQueues } from '@fadump-lab/shared/queue'
import { systemClock } from '@fadump-lab/shared/runtime'
import { createHeapMemoryStore, type MemoryStore } from '@fadump-lab/shared/store'
import { fromHex, toHex } from '@fadump-lab/shared/units'
import { eventually } from '../../../test/support/eventually.ts'
import { kernelDump, structureAt } from './testing/crashed-guest.ts'
import { createFaultyStore, type Fault } from './testing/faulty-store.ts'
import { aGuest, Guest } from './testing/guest.ts'
import { startHypervisor, type StartedHypervisor } from './testing/started-hypervisor.ts'
import { v5Structure } from './testing/structures.ts'

const bootMemoryAt = 0x200_3020n
const pattern = 'c0ffee00'

/** From power on to the crash. A step that fails ends it, as for a kernel whose firmware is gone. */
const life: readonly ((host: StartedHypervisor, guest: Guest) => Promise<unknown>)[] = [
  (host, guest) => host.client.activatePartition({ params: { partition: guest.id } }),
  (_host, guest) => guest.write(0n, fromHex(pattern)),
  (_host, guest) => guest.register(structureAt, v5Structure),
  (_host, guest) => guest.report('booted'),
  (_host, guest) => guest.rtas('ibm,os-term', [0x8000], { epoch: 1 }),
]

/** The state as the store has it, without asking the hypervisor. */
async function storedState(store: MemoryStore, guest: Guest): Promise<unknown> {
  const { value } = await store.readRecord(guest.space, records.firmware)
  return JSON.parse(value ?? '{}').state
}

/** What must hold once whoever took over has come to rest: no dump, or a whole one, and the boot it owes. */
async function checkWhole(host: StartedHypervisor, guest: Guest, jobs: IplJob[]): Promise<void> {
  await eventually(
    'nothing is under way any more',
    async () => (await guest.partition()).state !== 'dumping',
  )
  const { state, registration, epoch, pendingDump } = await guest.partition()
  const copied = toHex(await guest.read(bootMemoryAt, 4))
  if (state === 'capture-starting') {
    assert.equal(registration, 'active')
    assert.match(pendingDump ?? '', /-1$/)
    assert.equal(copied, pattern)
    assert.equal(toHex(await guest.read(0x200_0000n, 7)), '52454753415645')
    const dump = await kernelDump(host, guest)
    assert.equal(toHex(dump?.subarray(4, 8) ?? new Uint8Array(0)), '0003c000')
  } else {
    assert.notEqual(registration, 'active')
    assert.equal(pendingDump, undefined)
    assert.equal(copied, '00000000')
    assert.equal(toHex(await guest.read(0x200_0000n, 7)), '00'.repeat(7))
  }
  if (state === 'starting' || state === 'capture-starting') {
    await eventually('the boot is queued', () => jobs.some((job) => job.epoch === epoch))
  }
}

async function iplWorker(host: StartedHypervisor, jobs: IplJob[]): Promise<AsyncDisposable> {
  return host.queues.open(iplQueue).work(
    async (job) => {
      jobs.push(job.payload)
    },
    { concurrency: 1 },
  )
}

/** Lives a life in which one call of the store goes wrong. Gives whether it did. */
async function liveWith(fault: Fault): Promise<boolean> {
  await using inner = createHeapMemoryStore()
  const faulty = createFaultyStore(inner)
  await using first = await startHypervisor({ store: faulty.store })
  const kernelsView = { ...first, store: inner }
  const guest = await aGuest(kernelsView)
  faulty.arm(fault)
  for (const step of life) {
    const isDone = await step(kernelsView, guest).then(
      () => true,
      () => false,
    )
    if (!isDone) break
  }
  if (!faulty.hasStruck) {
    await eventually(
      'the life ends in a capture boot, or the fault strikes on the way',
      async () => faulty.hasStruck || (await storedState(inner, guest)) === 'capture-starting',
    )
  }
  await first.stop()
  const queues = createInProcessQueues({ clock: systemClock })
  await using second = await startHypervisor({ store: inner, queues, events: first.events })
  const jobs: IplJob[] = []
  await using _worker = await iplWorker(second, jobs)
  await checkWhole(second, new Guest(second, guest.id), jobs)
  return faulty.hasStruck
}

suite('a hypervisor that dies at any call of its store', () => {
  for (const moment of ['before', 'after'] as const) {
    test(`leaves no dump or a whole one to the next process (${moment} the call takes effect)`, async () => {
      let call = 1
      while (await liveWith({ call, moment, lasts: 'for good' })) call++
      assert.ok(call > 10, `a life makes ${call - 1} calls of the store`)
    })
  }
})

/** Repeats what did not get through, until it has, or turns out to have. */
async function insist(run: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await run()
      return
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      if (error.slug === 'stale-boot' || error.slug === 'wrong-state') return
      assert.equal(error.slug, 'dependency-unavailable')
    }
  }
}

suite('a store that fails one call and answers again', () => {
  for (const moment of ['before', 'after'] as const) {
    test(`does not keep a dump from being taken (${moment} the call takes effect)`, async () => {
      for (let call = 1, isHit = true; isHit; call++) {
        await using inner = createHeapMemoryStore()
        const faulty = createFaultyStore(inner)
        await using host = await startHypervisor({ store: faulty.store })
        const jobs: IplJob[] = []
        await using _worker = await iplWorker(host, jobs)
        const kernelsView = { ...host, store: inner }
        const guest = await aGuest(kernelsView)
        faulty.arm({ call, moment, lasts: 'once' })
        for (const step of life) await insist(() => step(kernelsView, guest))
        await eventually(
          `the capture boot begins although call ${call} failed`,
          async () => (await storedState(inner, guest)) === 'capture-starting',
        )
        isHit = faulty.hasStruck
        faulty.disarm()
        await checkWhole(kernelsView, guest, jobs)
      }
    })
  }
})

suite('work that a state owes', () => {
  test('a boot that was never queued is queued at start', async () => {
    await using store = createHeapMemoryStore()
    await using first = await startHypervisor({ store })
    const guest = await aGuest(first)
    await first.client.activatePartition({ params: { partition: guest.id }, correlationId: 'c-9' })
    await first.stop()
    await using second = await startHypervisor({ store })
    const jobs: IplJob[] = []
    await using _worker = await iplWorker(second, jobs)
    await eventually('the boot is queued', () => jobs.length === 1)
    assert.deepEqual(jobs, [{ frame: 'server-1', partition: 'p1', epoch: 1, correlationId: 'c-9' }])
  })

  test('a boot after a power failure is not taken for the one before it that has its number and still waits', async () => {
    const queues = createInProcessQueues({ clock: systemClock })
    const powerOn = async (correlationId: string): Promise<void> => {
      await using host = await startHypervisor({ queues, store: createHeapMemoryStore() })
      const guest = await aGuest(host)
      await host.client.activatePartition({ params: { partition: guest.id }, correlationId })
      await eventually('the boot is queued', async () => {
        const { waiting } = await queues.open(iplQueue).counts()
        return waiting === (correlationId === 'c-before' ? 1 : 2)
      })
    }
    await powerOn('c-before')
    await powerOn('c-after')
    await using host = await startHypervisor({ queues })
    const jobs: IplJob[] = []
    await using _worker = await iplWorker(host, jobs)
    await eventually('both jobs come', () => jobs.length === 2)
    assert.deepEqual(
      jobs.map(({ epoch, correlationId }) => [epoch, correlationId]),
      [
        [1, 'c-before'],
        [1, 'c-after'],
      ],
    )
  })

  test('a queue that does not answer is asked again', async () => {
    const queues = createInProcessQueues({ clock: systemClock })
    let refusals = 3
    const flaky = {
      ...queues,
      open: (definition: typeof iplQueue) => {
        const queue = queues.open(definition)
        return {
          ...queue,
          add: async (id: string, payload: IplJob) => {
            if (refusals-- > 0) throw new Error('the queue does not answer (planned)')
            return queue.add(id, payload)
          },
        }
      },
    }
    await using host = await startHypervisor({ queues: flaky as unknown as typeof queues })
    const guest = await aGuest(host)
    await host.client.activatePartition({ params: { partition: guest.id } })
    const jobs: IplJob[] = []
    await using _worker = await iplWorker({ ...host, queues }, jobs)
    await eventually('the boot is queued', () => jobs.length === 1)
  })

  test('a dump that can never be preserved ends the partition, with the reason', async () => {
    await using inner = createHeapMemoryStore()
    const faulty = createFaultyStore(inner)
    await using host = await startHypervisor({ store: faulty.store })
    const kernelsView = { ...host, store: inner }
    const guest = await aGuest(kernelsView)
    for (const step of life.slice(0, 4)) await step(kernelsView, guest)
    // The first commit from here on is the crash, the second the preserve.
    faulty.arm({ call: 2, moment: 'before', lasts: 'once', operation: 'commit', code: 'too-large' })
    await guest.rtas('ibm,os-term', [0x8000])
    await eventually(
      'firmware gives up',
      async () => (await guest.partition()).state === 'terminated',
    )
    const { registration, pendingDump, lastDump, lastFailure } = await guest.partition()
    assert.deepEqual(
      { registration, pendingDump, lastDump },
      { registration: 'idle', pendingDump: undefined, lastDump: undefined },
    )
    assert.match(lastFailure ?? '', /^the dump could not be preserved: the store refuses/)
    const rows = (await host.events.read(undefined, 100)).map(({ event }) => event)
    assert.ok(rows.some((row) => row.aggregate === 'dump' && row.event === 'lost'))
    assert.equal(toHex(await guest.read(bootMemoryAt, 4)), '00000000')
  })

  test('a power off while firmware preserves wins: nothing is brought back', async () => {
    await using inner = createHeapMemoryStore()
    const faulty = createFaultyStore(inner)
    await using host = await startHypervisor({ store: faulty.store })
    const guest = await aGuest({ ...host, store: inner })
    for (const step of life.slice(0, 4)) await step({ ...host, store: inner }, guest)
    await guest.osTerm()
    await host.client.powerOffPartition({ params: { partition: guest.id } })
    await eventually(
      'the partition rests',
      async () => (await guest.partition()).state !== 'dumping',
    )
    const { state, registration } = await guest.partition()
    assert.equal(state, 'not-activated')
    assert.equal(registration, 'idle')
    assert.equal((await inner.describe(guest.space))?.populatedPages, 0)
  })
})
