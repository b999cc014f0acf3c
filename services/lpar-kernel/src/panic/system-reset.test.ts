/** Exception 0x100: who takes it, who waits for whom. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { systemResetQueue, type KernelProfileName } from '@fadump-lab/shared/contracts'
import type { JobQueue, JobQueues } from '@fadump-lab/shared/queue'
import { UnavailableError, type Clock } from '@fadump-lab/shared/runtime'
import { GiB, toHex } from '@fadump-lab/shared/units'
import { eventually } from '../../../../test/support/eventually.ts'
import { createRecordingClock } from '../testing/recording-clock.ts'
import { startKernel } from '../testing/started-kernel.ts'
import { VmcoreFile } from '../testing/vmcore-file.ts'

const params = { partition: 'p7' }
const nip = 32
const idleNip = 0xc000_0000_0001_1a58n
const spinningNip = 0xc000_0000_0001_40a8n

/** Delivers the exception to `cpus` of 4; gives the sleeps until firmware had the kernel, and the NIP of each note. */
async function reset(profile: KernelProfileName, cpus?: number[]) {
  const clock = createRecordingClock()
  await using kernel = await startKernel({ clock })
  await kernel.boot({
    id: 'p7',
    profile,
    memoryBytes: Number(2n * GiB),
    processors: 4,
    content: { seed: 1, populatedBytes: 0x3_0000 },
  })
  const { epoch } = kernel.firmware
  const before = clock.sleeps.length
  const body = { epoch, ...(cpus === undefined ? {} : { cpus }) }
  await kernel.client.systemResetInterrupt({ params, body })
  await kernel.until('capturing')
  const vmcore = await VmcoreFile.read(kernel)
  // crashing_cpu, and the first byte of the mask.
  const header = await kernel.memory(0x2801_0000n, 0x1b0)
  return {
    waitedMs: clock.sleeps.slice(before).reduce((sum, ms) => sum + ms, 0),
    places: vmcore.cpus.map(({ registers }) => registers[nip]),
    crashingCpu: header[0x0c],
    mask: toHex(header.subarray(0x1a8, 0x1a9)),
  }
}

suite('a system reset', () => {
  test('C097 modern: with all CPUs in crash_fadump nobody is waited for', async () => {
    const { waitedMs, places, crashingCpu, mask } = await reset('modern')
    assert.equal(waitedMs, 0)
    assert.deepEqual(places, [idleNip, spinningNip, spinningNip, spinningNip])
    assert.deepEqual([crashingCpu, mask], [0, '0f'])
  })

  test('C097 modern: the first CPU waits for one that never comes, less than 500 ms, and then dumps all the same', async () => {
    const { waitedMs, places, crashingCpu, mask } = await reset('modern', [1, 2])
    assert.equal(waitedMs, 499)
    // Those that did not take it were found where they were; they are online, so they have notes.
    assert.deepEqual(places, [idleNip, idleNip, spinningNip, idleNip])
    assert.deepEqual([crashingCpu, mask], [1, '0f'])
  })

  test('v5 waits for nobody', async () => {
    const { waitedMs, places } = await reset('v5', [0, 1])
    assert.equal(waitedMs, 0)
    assert.deepEqual(places, [idleNip, 0xc000_0000_0001_8064n, idleNip, idleNip])
  })

  test('that reaches only CPUs that are offline is refused', async () => {
    await using kernel = await startKernel()
    const memoryBytes = Number(2n * GiB)
    await kernel.boot({ id: 'p7', memoryBytes, processors: 4, offlineCpus: [3] })
    const { epoch } = kernel.firmware
    const refused = kernel.client.systemResetInterrupt({ params, body: { epoch, cpus: [3, 4] } })
    await assert.rejects(refused, {
      slug: 'invalid-configuration',
      message: /none of the CPUs 3, 4 of partition p7 is online; those are 0, 1, 2/,
    })
  })
})

/** Queues of which that of system resets is what `change` makes of it. */
function resetQueue(
  queues: JobQueues,
  change: <Payload>(queue: JobQueue<Payload>) => JobQueue<Payload>,
): JobQueues {
  return {
    open: (definition) => {
      const queue = queues.open(definition)
      return definition.name === systemResetQueue.name ? change(queue) : queue
    },
    [Symbol.asyncDispose]: () => queues[Symbol.asyncDispose](),
  }
}

/** How each run of such a job ends. */
function withResets(queues: JobQueues, ends: string[]): JobQueues {
  return resetQueue(queues, (queue) => ({
    ...queue,
    work: (handler, options) =>
      queue.work(async (job) => {
        try {
          await handler(job)
          ends.push('carried out')
        } catch (error) {
          ends.push(String(error))
          throw error
        }
      }, options),
  }))
}

suite('a system reset while the queues are away', () => {
  for (const [what, add] of [
    ['refuse', () => Promise.reject(new UnavailableError('the control Redis is away'))],
    ['do not answer', () => new Promise<never>(() => {})],
  ] as const) {
    test(`that ${what} is carried out by the host that took it, which answers before firmware gives it up`, async () => {
      const clock = createRecordingClock()
      const queuesOf = (queues: JobQueues) => resetQueue(queues, (queue) => ({ ...queue, add }))
      await using kernel = await startKernel({ clock, queuesOf })
      await kernel.boot({ id: 'p7', memoryBytes: Number(2n * GiB), processors: 4 })
      const body = { epoch: kernel.firmware.epoch }
      await kernel.client.systemResetInterrupt({ params, body })
      await kernel.until('capturing')
      assert.deepEqual(kernel.firmware.messages, ['OS panic: System Reset'])
    })
  }
})

suite('the job of a system reset', () => {
  test('is over with its boot: nobody carries it out on the next one, or tries again', async () => {
    const ends: string[] = []
    const boot: { end: () => Promise<unknown> } = { end: async () => undefined }
    const recording = createRecordingClock()
    const sleep: Clock['sleep'] = async (ms, signal) => {
      await boot.end()
      return recording.sleep(ms, signal)
    }
    await using kernel = await startKernel({
      clock: { ...recording, sleep },
      queuesOf: (queues) => withResets(queues, ends),
    })
    await kernel.boot({ id: 'p7', profile: 'modern', memoryBytes: Number(2n * GiB), processors: 4 })
    const { store, space, epoch } = kernel.firmware
    // While the first CPU waits for the one that does not come.
    boot.end = async () => {
      boot.end = async () => undefined
      await store.commit(space, { nextEpoch: true })
    }
    await kernel.client.systemResetInterrupt({ params, body: { epoch, cpus: [1, 2] } })
    await eventually('it has ended', () => ends.length > 0)
    assert.deepEqual(ends, ['carried out'])
    assert.deepEqual(kernel.firmware.messages, [])
  })

  test('is one for each order: one that waits from before a power failure is not taken for it', async () => {
    const ids: string[] = []
    const queuesOf = (queues: JobQueues) =>
      resetQueue(queues, (queue) => ({ ...queue, add: async (id) => void ids.push(id) }))
    await using kernel = await startKernel({ queuesOf })
    await kernel.boot({ id: 'p7', memoryBytes: Number(2n * GiB), processors: 1 })
    const { epoch } = kernel.firmware
    for (const correlationId of ['before', 'after']) {
      await kernel.client.systemResetInterrupt({ params, body: { epoch }, correlationId })
    }
    assert.equal(new Set(ids).size, 2)
  })
})

test('panic() of 3.4 stops the other CPUs before it dumps: firmware saves them all, one has a note', async () => {
  await using kernel = await startKernel()
  await kernel.boot({
    id: 'p7',
    memoryBytes: Number(2n * GiB),
    processors: 4,
    content: { seed: 1, populatedBytes: 0x3_0000 },
  })
  await kernel.crash('panic', 2)
  const vmcore = await VmcoreFile.read(kernel)
  assert.deepEqual(
    vmcore.cpus.map(({ registers }) => registers[nip]),
    [0xc000_0000_0001_40a4n],
  )
  // NumCpus of the save area, which begins at 0x6bff0000, and the mask of the header.
  assert.equal(toHex(await kernel.memory(0x6bff_001cn, 4)), '00000004')
  assert.equal(toHex(await kernel.memory(0x7fff_9020n + 0x178n, 8)), '0000000000000004')
  // The branch to itself in stop_this_cpu.
  assert.equal(toHex(vmcore.memory(0x1_9020n, 4)), '48000000')
})
