/**
 * What each kernel makes of memory that is not as the crashed kernel left it, and of CPUs that the header does not name
 * (spec §11.6), end to end. What lies behind the copy of boot memory is changed between the dump and the capture boot.
 */
import assert from 'node:assert/strict'
import test, { after, before, suite } from 'node:test'
import { lparKernelRoutes, type LabEvent, type NewPartition } from '@fadump-lab/shared/contracts'
import { createClient, type Client } from '@fadump-lab/shared/http'
import { asDeclared } from '@fadump-lab/shared/identity'
import { createHeapEventLog, createInProcessQueues } from '@fadump-lab/shared/queue'
import { systemClock } from '@fadump-lab/shared/runtime'
import {
  HeapMemoryStore,
  type MemoryChange,
  type MemoryWrite,
  type SpaceId,
} from '@fadump-lab/shared/store'
import { fromAscii, fromHex, realAddress } from '@fadump-lab/shared/units'
import { eventually } from '../support/eventually.ts'
import { startRoom, type Room } from '../support/room.ts'
import { storedNotes } from '../support/stored-notes.ts'

const GiB = 2 ** 30
type Profile = 'v5' | 'modern'
/** What to write, given where the header and the register save area lie. */
type Tamper = (at: { readonly header: bigint; readonly cpuState: bigint }) => MemoryWrite

/** Changes memory as soon as firmware has preserved it, before any kernel sees it. */
class TamperedStore extends HeapMemoryStore {
  readonly tampers = new Map<string, Tamper>()

  override async commit(id: SpaceId, change: MemoryChange) {
    const done = await super.commit(id, change)
    const tamper = this.tampers.get(id.space)
    const copy = change.copies?.at(-1)
    const cpuState = change.writes?.[0]
    if (tamper === undefined || copy === undefined || cpuState === undefined) return done
    const header = copy.target + copy.length
    await super.write(id, tamper({ header, cpuState: cpuState.address }), done.epoch)
    return done
  }
}

const inHeader =
  (bytes: Uint8Array, offset = 0n): Tamper =>
  ({ header }) => ({ address: realAddress(header + offset), bytes })

interface Row {
  readonly what: string
  readonly tamper?: Readonly<Record<Profile, Tamper>>
  /** The kernel's own line; without one the dump is captured. */
  readonly says?: Readonly<Record<Profile, RegExp>>
  readonly form?: Partial<Pick<NewPartition, 'firmware' | 'offlineCpus'>>
  readonly cause?: 'panic' | 'bug'
  /** CPU notes of a captured dump. */
  readonly notes?: Readonly<Record<Profile, number>>
}

const notValid = /\] Crash info header is not valid\.$/m
const cpuCount: Tamper = ({ cpuState }) => ({
  address: realAddress(cpuState + 0x1cn),
  bytes: fromHex('0000ffff'),
})

const rows: readonly Row[] = [
  {
    what: 'C095 C096 a header with the magic of the other generation of kernels',
    tamper: { v5: inHeader(fromAscii('FADMPSIG')), modern: inHeader(fromAscii('FNIPMDAF')) },
    says: { v5: notValid, modern: /fadump: Old magic number, can't process the dump\.$/m },
  },
  {
    what: 'C095 C096 a header of a kernel of the other byte order',
    tamper: { v5: inHeader(fromAscii('FNIPMDAF')), modern: inHeader(fromAscii('FADMPSIG')) },
    says: {
      v5: notValid,
      modern: /fadump: Endianness mismatch between the crashed and fadump kernels\.$/m,
    },
  },
  {
    what: 'C095 C096 a header with a magic that is none',
    tamper: { v5: inHeader(fromAscii('somebody')), modern: inHeader(fromAscii('somebody')) },
    says: { v5: notValid, modern: /fadump: Fadump header is corrupted\.$/m },
  },
  {
    what: 'C110 NumCpus for which no notes buffer can be allocated',
    tamper: { v5: cpuCount, modern: cpuCount },
    says: {
      v5: /Failed to allocate 0x2180000 bytes for cpu notes buffer$/m,
      modern: /fadump: Failed to allocate 35127296 bytes for CPU notes buffer$/m,
    },
  },
  {
    what: 'C060 a CPU that firmware saved, but was offline: it is not in the mask',
    form: { firmware: 'qemu', offlineCpus: [1] },
    notes: { v5: 2, modern: 2 },
  },
  {
    what: 'C060 CPUs that panic() of 3.4 has taken offline',
    cause: 'panic',
    notes: { v5: 1, modern: 3 },
  },
]

suite('the failure matrix: memory and masks', () => {
  let room: Room
  let kernels: Client<typeof lparKernelRoutes>
  const store = new TamperedStore()
  const queues = createInProcessQueues({ clock: systemClock })
  const events = createHeapEventLog()
  before(async () => {
    room = await startRoom({ store, queues, events })
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

  const told = async (id: string): Promise<LabEvent[]> =>
    (await room.api.routes.listEvents({ query: { limit: 10_000 } }))
      .map(({ event }) => event)
      .filter(({ subject }) => subject === id || subject.startsWith(`${id}-`))

  for (const profile of ['v5', 'modern'] as const) {
    for (const [index, row] of rows.entries()) {
      const outcome = row.says === undefined ? 'captured' : 'rejected'
      test(`${row.what}: ${profile}, ${outcome}`, async () => {
        const id = `${profile}-${index}`
        await room.api.routes.createPartition({
          body: {
            id,
            memoryBytes: GiB,
            processors: 3,
            profile,
            captureTarget: 'local',
            content: { seed: index, populatedBytes: 2 ** 20 },
            ...row.form,
          },
        })
        const params = { partition: id }
        await room.api.done(await room.api.routes.activate({ params }))
        if (row.tamper !== undefined) store.tampers.set(`partition/${id}`, row.tamper[profile])
        await room.api.routes.crash({ params, body: { cause: row.cause ?? 'bug' } })
        await eventually(`${id} has an outcome and runs`, async () => {
          const isOver = (await told(id)).some(
            ({ aggregate, event }) =>
              aggregate === 'dump' && (event === 'released' || event === 'rejected'),
          )
          return isOver && (await room.api.partition(id)).state === 'running'
        })
        const dumpEvents = (await told(id)).filter(({ aggregate }) => aggregate === 'dump')
        assert.equal(
          dumpEvents.some(({ event }) => event === 'rejected'),
          outcome === 'rejected',
        )
        // Rejecting gives all memory back, and the next dump can be registered.
        const file = { partition: id, '*': 'kernel/fadump_registered' }
        await eventually(
          `${id} has registered again`,
          async () => (await room.api.routes.readPartitionFile({ params: file })) === '1\n',
        )
        if (row.says !== undefined) {
          const log = await kernels.readProc({ params: { ...params, file: 'kmsg' } })
          assert.match(log, row.says[profile])
        }
        if (row.notes !== undefined) assert.equal(await storedNotes(room, id), row.notes[profile])
        await room.api.routes.shutdownPartition({ params, body: { immediate: true } })
      })
    }
  }
})
