/**
 * Every fault of what services stand on, struck in an embedded room over REST: the crash is captured, byte by byte what
 * the first kernel wrote, or nothing crashed and somebody was told; one crash, one dump; and the strikes are counted and
 * told. A fault of the registry without a row here fails the suite.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import test, { after, afterEach, before, suite } from 'node:test'
import {
  serviceFaults,
  type Dump,
  type LabEvent,
  type ServiceFaultName,
} from '@fadump-lab/shared/contracts'
import { eventually } from '../support/eventually.ts'
import { startRoom, type Room } from '../support/room.ts'
import { checkContent, Vmcore } from '../support/vmcore.ts'

interface Form {
  readonly name: ServiceFaultName
  readonly value?: number
  readonly at?: string
  readonly after?: number
  readonly times?: number
  readonly service?: 'hypervisor' | 'lpar-kernel' | 'dump-collector' | 'hmc-api'
}

interface Row {
  readonly fault: Form
  /** What the collector or firmware tells of the dump on the way, beside what it always tells. */
  readonly told?: string
  /** Crashes in the end; default: 1. 0: the request was refused, nothing crashed. */
  readonly crashes?: number
  /** Armed before the partition is activated; the fault crashes it by itself. */
  readonly isItsOwnCrash?: boolean
}

const rows: readonly Row[] = [
  { fault: { name: 'connection-refused', at: 'readVmcore' }, told: 'interrupted' },
  { fault: { name: 'connection-refused', at: 'rtasCall' }, crashes: 0 },
  { fault: { name: 'connection-reset', at: 'readVmcore', value: 70_000 }, told: 'resume' },
  { fault: { name: 'connection-reset', at: 'readVmcoreManifest' }, told: 'interrupted' },
  { fault: { name: 'connection-reset', at: 'rtasCall' } },
  { fault: { name: 'connection-reset', at: 'releaseDump' }, told: 'releaseRefused' },
  { fault: { name: 'half-open', at: 'readVmcore', value: 70_000 }, told: 'resume' },
  { fault: { name: 'bit-flip', at: 'readVmcore', value: 100_000 }, told: 'mismatch' },
  { fault: { name: 'bit-flip', at: 'readVmcoreManifest', value: 300 }, told: 'interrupted' },
  { fault: { name: 'stream-truncated', at: 'readVmcore' }, told: 'resume' },
  {
    fault: { name: 'stream-truncated', at: 'readVmcoreManifest', value: 300 },
    told: 'interrupted',
  },
  { fault: { name: 'stream-duplicated', at: 'readVmcore' }, told: 'resume' },
  { fault: { name: 'stream-duplicated', at: 'readVmcoreManifest' }, told: 'interrupted' },
  { fault: { name: 'stream-reordered', at: 'readVmcore' }, told: 'resume' },
  { fault: { name: 'stream-reordered', at: 'readVmcoreManifest' }, told: 'interrupted' },
  { fault: { name: 'slow-reader', at: 'readVmcore', value: 5 } },
  { fault: { name: 'slow-sender', at: 'readVmcore', value: 1 } },
  { fault: { name: 'latency', times: 10, value: 20, service: 'lpar-kernel' } },
  { fault: { name: 'disk-full', at: 'vmcore', value: 100_000 }, told: 'interrupted' },
  { fault: { name: 'disk-full', at: 'dump.json' } },
  { fault: { name: 'fsync-error', at: 'vmcore' }, told: 'interrupted' },
  { fault: { name: 'fsync-error', at: 'directory' } },
  { fault: { name: 'bit-rot', value: 64 }, told: 'mismatch' },
  { fault: { name: 'clock-jump', service: 'dump-collector', after: 5 } },
  { fault: { name: 'clock-jump', service: 'lpar-kernel', value: -86_400_000 } },
  { fault: { name: 'queue-redelivery', at: 'capture' } },
  { fault: { name: 'queue-redelivery', at: 'ipl' } },
  { fault: { name: 'job-stalled', at: 'capture', value: 5 } },
  { fault: { name: 'job-stalled', at: 'ipl' } },
  { fault: { name: 'redis-memory-restart', service: 'hypervisor', value: 50 }, crashes: 0 },
  { fault: { name: 'redis-memory-restart', service: 'lpar-kernel', at: 'populated', value: 50 } },
  { fault: { name: 'torn-hand-over', service: 'hypervisor' } },
  { fault: { name: 'torn-hand-over', service: 'hypervisor', value: 1 } },
  { fault: { name: 'redis-control-restart', service: 'lpar-kernel' } },
  { fault: { name: 'redis-control-restart', service: 'dump-collector' } },
  {
    fault: { name: 'process-abort', at: 'store.commit', after: 1, service: 'hypervisor' },
    crashes: 0,
  },
  { fault: { name: 'process-abort', at: 'store.commit', after: 2, service: 'hypervisor' } },
  { fault: { name: 'process-abort', at: 'queue.begin', service: 'lpar-kernel' } },
  { fault: { name: 'process-abort', at: 'files.rename', after: 2 }, told: 'claimedAgain' },
  { fault: { name: 'process-abort', at: 'files.rename', value: 1 } },
  { fault: { name: 'process-abort', at: 'events.append:stored' }, told: 'claimedAgain' },
  { fault: { name: 'process-abort', at: 'events.append:succeed' } },
  { fault: { name: 'crash-in-capture-kernel' }, told: 'captureRestart' },
  { fault: { name: 'second-crash' }, crashes: 2 },
  { fault: { name: 'crash-loop', times: 3 }, crashes: 3, isItsOwnCrash: true },
  { fault: { name: 'capture-oom' }, told: 'bootFailed', isItsOwnCrash: true },
]

const populatedBytes = 2 ** 20
const pagesOfContent = populatedBytes / 65_536
const eventsMax = 10_000
const timeoutMs = 30_000
const idleTimeoutMs = 300

const titleOf = ({ fault: { name, at, service, value }, crashes }: Row) =>
  [name, at, value, service === undefined ? undefined : `in ${service}`]
    .filter((part) => part !== undefined)
    .concat(crashes === 0 ? ['is refused, and nothing crashed'] : [])
    .join(' ')

suite('faults of services', () => {
  let room: Room
  before(async () => {
    room = await startRoom(undefined, { faults: true, collector: { idleTimeoutMs } })
  })
  after(() => room[Symbol.asyncDispose]())
  afterEach(() => room.api.routes.disarmFaults({}))

  test('every fault of services has a row', () => {
    const struck = new Set<string>(rows.map(({ fault }) => fault.name))
    assert.deepEqual(
      Object.keys(serviceFaults).filter((name) => !struck.has(name)),
      [],
    )
  })

  for (const [seed, row] of rows.entries()) {
    test(titleOf(row), async () => {
      const id = `p${seed}`
      const partition = await crashOf(room, { id, seed, row })
      assert.equal(partition.crashes, row.crashes ?? 1)
      await checkStrikes(room, row)
      await checkDumps(room, { id, seed, crashes: partition.crashes })
      const { told } = row
      // A dump is stored in its new step before that is told.
      await eventually(
        `${told} of ${id}`,
        async () => told === undefined || (await toldOf(room, id)).includes(told),
      )
      await room.api.routes.shutdownPartition({
        params: { partition: id },
        body: { immediate: true },
      })
    })
  }
})

interface Subject {
  readonly id: string
  readonly seed: number
}

/** The partition when it has crashed as the row says, and is up and registered again. */
async function crashOf(room: Room, { id, seed, row }: Subject & { readonly row: Row }) {
  const { api } = room
  const params = { partition: id }
  const content = { seed, populatedBytes }
  await api.routes.createPartition({
    body: { id, memoryBytes: 2 ** 30, processors: 2, content },
  })
  if (row.isItsOwnCrash === true) {
    await arm(room, id, row)
    await api.routes.activate({ params })
  } else {
    await api.done(await api.routes.activate({ params }))
    await arm(room, id, row)
    // Whoever asks may be refused, or not be told: what counts is what became of the partition.
    await api.routes.crash({ params, body: {} }).catch(() => undefined)
  }
  const { name } = row.fault
  if (name === 'capture-oom') {
    await eventually('the capture is given up', async () => (await stateOf(room, id)) === 'error')
    const { lastFailure = '' } = await api.partition(id)
    assert.match(lastFailure, /^Out of memory in phase "link up": \d+ MiB needed/)
    await api.routes.restart({ params })
  }
  const wanted = row.crashes ?? 1
  await eventually(
    `${id} is up after ${wanted} crashes`,
    async () => {
      const now = await api.partition(id).catch(() => undefined)
      const isUp = now?.state === 'running' && now.registration === 'registered'
      const complete = (await dumpsOf(room, id)).filter(({ step }) => step === 'complete')
      const isDone = isUp && now.crashes >= wanted && complete.length >= wanted
      return isDone && (await hasStruck(room, row))
    },
    timeoutMs,
  )
  return api.partition(id)
}

async function arm(room: Room, id: string, { fault }: Row): Promise<void> {
  const { service, ...form } = fault
  const ofPartition = fault.name === 'clock-jump' ? {} : { partition: id }
  const scope = { ...ofPartition, ...(service === undefined ? {} : { service }) }
  await room.api.routes.armFault({ body: { ...form, scope } })
}

async function hasStruck(room: Room, { fault }: Row): Promise<boolean> {
  const all = await room.api.routes.listFaults({}).catch(() => undefined)
  return all?.armed.some(({ struck }) => struck >= (fault.times ?? 1)) ?? false
}

async function stateOf(room: Room, id: string): Promise<string | undefined> {
  return (await room.api.partition(id).catch(() => undefined))?.state
}

async function dumpsOf(room: Room, partition: string): Promise<readonly Dump[]> {
  return room.api.routes.listDumps({ query: { partition } }).catch(() => [])
}

async function eventsOf(room: Room): Promise<readonly LabEvent[]> {
  const rowsSeen = await room.events.read(undefined, eventsMax)
  return rowsSeen.map(({ event }) => event)
}

async function toldOf(room: Room, id: string): Promise<readonly string[]> {
  const events = await eventsOf(room)
  return events
    .filter(({ subject }) => subject === id || subject.startsWith(`${id}-`))
    .map(({ event }) => event)
}

/** As often as it was to strike, in the count and in the events. */
async function checkStrikes(room: Room, { fault }: Row): Promise<void> {
  const { armed } = await room.api.routes.listFaults({})
  const [found] = armed
  assert.equal(found?.name, fault.name)
  assert.ok(found.struck >= (fault.times ?? 1), `${fault.name} has struck ${found.struck} times`)
  const told = (await eventsOf(room)).filter(
    ({ event, subject }) => event === 'fault-struck' && subject === found.id,
  )
  assert.equal(told.length, found.struck)
  assert.equal(told[0]?.detail?.['fault'], fault.name)
}

/** One crash, one dump; complete, released, and its content what the first kernel wrote. */
async function checkDumps(
  room: Room,
  { id, seed, crashes }: Subject & { readonly crashes: number },
): Promise<void> {
  const dumps = await dumpsOf(room, id)
  assert.deepEqual(
    dumps.map(({ status, released }) => ({ status, released })),
    Array.from({ length: crashes }, () => ({ status: 'complete', released: true })),
  )
  const first = dumps.at(-1)
  if (first === undefined) return
  await using core = await Vmcore.open(join(room.dumpRoot, id, first.id, 'vmcore'))
  assert.equal(await checkContent(core, seed), pagesOfContent)
}
