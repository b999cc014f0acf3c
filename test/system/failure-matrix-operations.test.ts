/**
 * What each kernel makes of being asked at the wrong time (spec §11.6), end to end: registered twice, crashed before it
 * was registered, captured by a kernel that does not want fadump, crashed again while the dump is captured.
 */
import assert from 'node:assert/strict'
import test, { after, before, suite } from 'node:test'
import {
  lparKernelRoutes,
  Problem,
  type LabEvent,
  type NewPartition,
} from '@fadump-lab/shared/contracts'
import { createClient, type Client } from '@fadump-lab/shared/http'
import { asDeclared } from '@fadump-lab/shared/identity'
import { createHeapEventLog, createInProcessQueues } from '@fadump-lab/shared/queue'
import { systemClock } from '@fadump-lab/shared/runtime'
import {
  HeapMemoryStore,
  type MemoryChange,
  type PopulatedPage,
  type SpaceId,
} from '@fadump-lab/shared/store'
import { eventually } from '../support/eventually.ts'
import { startRoom, type Room } from '../support/room.ts'
import { storedNotes } from '../support/stored-notes.ts'

const GiB = 2 ** 30
const profiles = ['v5', 'modern'] as const
type Profile = (typeof profiles)[number]

/**
 * A store that does not tell where the memory of a dump is populated, which is what a vmcore needs first, while the gate
 * is shut.
 */
class GatedStore extends HeapMemoryStore {
  gate: Promise<void> = Promise.resolve()
  #isPreserved = false

  override async commit(id: SpaceId, change: MemoryChange) {
    const done = await super.commit(id, change)
    this.#isPreserved ||= (change.copies?.length ?? 0) > 0
    return done
  }

  override async populated(
    ...given: Parameters<HeapMemoryStore['populated']>
  ): Promise<PopulatedPage> {
    if (this.#isPreserved) await this.gate
    return super.populated(...given)
  }

  /** Shuts the gate for the next dump. */
  shut(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#isPreserved = false
    this.gate = promise
    return resolve
  }
}

suite('the failure matrix: operations', () => {
  let room: Room
  let kernels: Client<typeof lparKernelRoutes>
  const store = new GatedStore()
  const queues = createInProcessQueues({ clock: systemClock })
  before(async () => {
    room = await startRoom({ store, queues, events: createHeapEventLog() })
    kernels = createClient(lparKernelRoutes, {
      baseUrl: room.urls.kernel,
      authorize: asDeclared(room.keys),
    })
  })
  after(async () => {
    await room[Symbol.asyncDispose]()
    await queues[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  })

  const told = async (id: string, aggregate: string): Promise<LabEvent[]> =>
    (await room.api.routes.listEvents({ query: { limit: 10_000 } }))
      .map(({ event }) => event)
      .filter((row) => row.aggregate === aggregate && row.subject.startsWith(id))

  const boot = async (
    id: string,
    profile: Profile,
    form: Partial<Pick<NewPartition, 'bootArguments' | 'firmware' | 'dumpService'>> = {},
  ) => {
    const content = { seed: 1, populatedBytes: 2 ** 20 }
    await room.api.routes.createPartition({
      body: {
        id,
        memoryBytes: GiB,
        processors: 2,
        profile,
        captureTarget: 'local',
        content,
        ...form,
      },
    })
    await room.api.done(await room.api.routes.activate({ params: { partition: id } }))
  }

  const isIn = (id: string, state: string) =>
    eventually(`${id} is ${state}`, async () => (await room.api.partition(id)).state === state)

  const write = async (id: string, path: string, body: string): Promise<unknown> => {
    try {
      await room.api.routes.writePartitionFile({
        params: { partition: id, '*': path },
        query: {},
        body,
      })
      return 'success'
    } catch (error) {
      return error instanceof Problem ? error.extensions['errno'] : error
    }
  }
  const registered = 'kernel/fadump_registered'

  for (const profile of profiles) {
    test(`C131 registering twice: ${profile}, ${profile === 'v5' ? 'EINVAL without a call of firmware' : 'unregistered and registered again'}`, async () => {
      const id = `twice-${profile}`
      await boot(id, profile)
      const before = (await told(id, 'registration')).length
      assert.equal(await write(id, registered, '1'), profile === 'v5' ? 'EINVAL' : 'success')
      const events = (await told(id, 'registration')).slice(before).map(({ event }) => event)
      assert.deepEqual(events, profile === 'v5' ? [] : ['unregister', 'register'])
      assert.equal((await room.api.partition(id)).registration, 'registered')
    })

    for (const [firmware, state] of [
      ['papr', 'running'],
      ['qemu', 'not-activated'],
    ] as const) {
      test(`C024 a crash before registration: ${profile} under ${firmware}, then ${state}`, async () => {
        const id = `early-${profile}-${firmware}`
        await boot(id, profile, { firmware, dumpService: false })
        if (profile === 'modern') assert.equal(await write(id, registered, '0'), 'success')
        const { epoch } = await room.api.partition(id)
        await room.api.routes.crash({ params: { partition: id }, body: {} })
        await eventually(
          `${id} has gone down`,
          async () => (await room.api.partition(id)).epoch > epoch,
        )
        await isIn(id, state)
        const { crashes, lastDump } = await room.api.partition(id)
        assert.deepEqual([crashes, lastDump], [0, undefined])
      })
    }

    test(`fadump= missing in the capture boot: ${profile}, the memory is used again, firmware keeps its dump until a clean shutdown`, async () => {
      const id = `missing-${profile}`
      const params = { partition: id }
      // Firmware boots it without; kexec has brought up a kernel with.
      await boot(id, profile, { bootArguments: 'console=hvc0' })
      const body = { action: 'kexec', bootArguments: 'fadump=on' } as const
      await kernels.shutdown({ params, body })
      await eventually(
        `${id} has registered`,
        async () => (await room.api.partition(id)).registration === 'registered',
      )
      await eventually(`${id} answers`, async () => (await write(id, 'x', '')) === 'ENOENT')
      await room.api.routes.crash({ params, body: { cause: 'bug' } })
      await isIn(id, 'capturing')
      await eventually(`${id} says so`, async () =>
        (await told(id, 'kernel')).some(({ event }) => event === 'dumpLost'),
      )
      await assert.rejects(kernels.readVmcoreManifest({ params, query: {} }), /vmcore/)
      const files: readonly (readonly [path: string, text: string, errno: string])[] =
        profile === 'v5'
          ? [
              [registered, '1', 'ENOENT'],
              ['kernel/fadump_release_mem', '1', 'ENOENT'],
            ]
          : [
              [registered, '1', 'EPERM'],
              ['kernel/fadump/enabled', '1', 'EACCES'],
            ]
      for (const [path, text, errno] of files) assert.equal(await write(id, path, text), errno)
      assert.equal((await room.api.partition(id)).registration, 'active')
      await kernels.shutdown({ params, body: { action: 'reboot' } })
      await isIn(id, 'running')
      const { registration, pendingDump } = await room.api.partition(id)
      assert.deepEqual([registration, pendingDump], ['idle', undefined])
    })

    test(`C119 a crash of the capture kernel: ${profile}, no second dump, and the first is presented again and whole`, async () => {
      const id = `again-${profile}`
      const params = { partition: id }
      await boot(id, profile)
      await eventually(
        `${id} has registered`,
        async () => (await room.api.partition(id)).registration === 'registered',
      )
      const open = store.shut()
      try {
        await room.api.routes.crash({ params, body: { cause: 'bug' } })
        await isIn(id, 'capturing')
        const { epoch } = await room.api.partition(id)
        await kernels.crash({ params, body: { cause: 'null-dereference', cpu: 1 } })
        await eventually(`${id} captures again`, async () => {
          const now = await room.api.partition(id)
          return now.state === 'capturing' && now.epoch > epoch
        })
      } finally {
        open()
      }
      await isIn(id, 'running')
      const { crashes, lastDump } = await room.api.partition(id)
      assert.equal(crashes, 1)
      const dump = await room.api.routes.getDump({ params: { dump: lastDump ?? 'none' } })
      assert.equal(dump.status, 'complete')
      assert.equal(await storedNotes(room, id), 2)
    })
  }
})
