/**
 * What each kernel makes of a firmware that fails (spec §11.6), end to end: a fault is armed, the partition crashes, and
 * the dump is captured, rejected or never taken. One machine room; every row has a partition of its own.
 */
import assert from 'node:assert/strict'
import test, { after, before, suite } from 'node:test'
import { Problem, type FirmwareFaultName, type LabEvent } from '@fadump-lab/shared/contracts'
import { eventually } from '../support/eventually.ts'
import { startRoom, type Room } from '../support/room.ts'
import { storedNotes } from '../support/stored-notes.ts'

const GiB = 2 ** 30
const timeoutMs = 8000

/** `restart`: no dump is taken. `rejected`: one is taken, and the capture kernel gives it up. */
type Outcome = 'captured' | 'rejected' | 'restart'
type Profile = 'v5' | 'modern'

interface Fault {
  readonly name: FirmwareFaultName
  readonly value?: number
  readonly times?: number
}

interface Row {
  readonly what: string
  readonly faults: readonly Fault[]
  /** Profiles that the row does not concern are left out. */
  readonly outcome: Readonly<Partial<Record<Profile, Outcome>>>
  /** What ends the kernel. Default: a crash of its own. */
  readonly by?: 'kill' | 'crash after a migration'
  /** Armed before the kernel boots; such a fault is not counted. */
  readonly isArmedBefore?: boolean
  /** CPU notes in the stored dump. */
  readonly notes?: Readonly<Record<Profile, number>>
}

const both = (outcome: Outcome) => ({ v5: outcome, modern: outcome })

const rows: readonly Row[] = [
  { what: 'no fault', faults: [], outcome: both('captured') },
  {
    what: 'C113 header status exactly 0x2000',
    faults: [{ name: 'header-status-set' }, { name: 'header-status-lost', value: 0xc000 }],
    outcome: { v5: 'rejected', modern: 'captured' },
  },
  {
    what: 'C113 header status 0xE000',
    faults: [{ name: 'header-status-set' }],
    outcome: both('captured'),
  },
  {
    what: 'C113 header status 0x6000',
    faults: [{ name: 'header-status-set' }, { name: 'header-status-lost', value: 0x8000 }],
    outcome: both('captured'),
  },
  ...[0x8000, 0x4000, 0x2000, 0x1000, 0x0800].map((value) => ({
    what: `C110 CPU state with error 0x${value.toString(16)}`,
    faults: [{ name: 'cpu-state-error', value } as const],
    outcome: both('rejected'),
  })),
  {
    what: 'C110 real mode region with an error',
    faults: [{ name: 'real-mode-error' }],
    outcome: both('rejected'),
  },
  {
    what: 'C111 HPTE with an error',
    faults: [{ name: 'hpte-error' }],
    outcome: { v5: 'captured', modern: 'rejected' },
  },
  {
    what: 'C111 HPTE short',
    faults: [{ name: 'hpte-short' }],
    outcome: { v5: 'captured', modern: 'rejected' },
  },
  {
    what: 'C110 real mode region short',
    faults: [{ name: 'real-mode-short' }],
    outcome: both('rejected'),
  },
  {
    what: 'C110 no CPU state dumped',
    faults: [{ name: 'cpu-state-short', value: 0 }],
    outcome: both('rejected'),
  },
  {
    what: 'C112 CPU state short but not empty',
    faults: [{ name: 'cpu-state-short' }],
    outcome: { v5: 'captured', modern: 'rejected' },
  },
  {
    what: 'C114 an unknown section',
    faults: [{ name: 'unknown-section' }],
    outcome: both('captured'),
  },
  {
    what: 'C050 register save area without its magic',
    faults: [{ name: 'regsave-magic' }],
    outcome: both('rejected'),
  },
  {
    what: 'C058 CPUSTRT missing',
    faults: [{ name: 'regsave-no-cpustrt' }],
    outcome: both('rejected'),
  },
  {
    what: 'C059 CPUEND missing',
    faults: [{ name: 'regsave-no-cpuend' }],
    outcome: both('rejected'),
  },
  {
    what: 'C058 fewer CPUs than NumCpus',
    faults: [{ name: 'regsave-fewer-cpus' }],
    outcome: both('rejected'),
  },
  {
    what: 'ibm,os-term returns −1',
    faults: [{ name: 'os-term-status' }],
    outcome: both('restart'),
  },
  {
    what: 'C023 ibm,os-term is busy three times',
    faults: [{ name: 'os-term-status', value: -2, times: 3 }],
    outcome: both('captured'),
  },
  {
    what: 'C114 a parameter area with an error',
    faults: [{ name: 'parameters-error' }],
    outcome: { modern: 'captured' },
  },
  {
    what: 'C114 a parameter area that is short',
    faults: [{ name: 'parameters-short' }],
    outcome: { modern: 'captured' },
  },
  {
    what: 'C007 no ibm,extended-os-term',
    faults: [{ name: 'no-extended-os-term' }],
    isArmedBefore: true,
    outcome: both('restart'),
  },
  {
    what: 'C028 a crash after a migration has dropped the registration',
    faults: [],
    by: 'crash after a migration',
    outcome: both('restart'),
  },
  {
    what: 'C062 a kill by the hypervisor: no header filled',
    faults: [],
    by: 'kill',
    outcome: both('captured'),
    notes: { v5: 0, modern: 2 },
  },
  {
    what: 'C023 invalidating is busy twice',
    faults: [{ name: 'invalidate-status', value: 9900, times: 2 }],
    outcome: both('captured'),
  },
]

/** The events of a partition that tell its outcome. */
const outcomeOf = (events: readonly LabEvent[]): Outcome | undefined => {
  const told = (aggregate: string, event: string) =>
    events.some((row) => row.aggregate === aggregate && row.event === event)
  if (told('dump', 'rejected')) return 'rejected'
  if (told('dump', 'released')) return 'captured'
  return told('partition', 'restart') ? 'restart' : undefined
}

const eventsMax = 10_000

suite('the failure matrix', () => {
  let room: Room
  before(async () => {
    room = await startRoom(undefined, { faults: true })
  })
  after(() => room[Symbol.asyncDispose]())

  const eventsOf = async (id: string) =>
    (await room.api.routes.listEvents({ query: { limit: eventsMax } })).filter(
      ({ event }) => event.subject === id || event.subject.startsWith(`${id}-`),
    )

  for (const profile of ['v5', 'modern'] as const) {
    for (const [index, row] of rows.entries()) {
      const outcome = row.outcome[profile]
      if (outcome === undefined) continue
      test(`${row.what}: ${profile}, ${outcome}`, async () => {
        const id = `${profile}-${index}`
        const params = { partition: id }
        const arm = async () => {
          for (const fault of row.faults) {
            await room.api.routes.armFault({ body: { ...fault, scope: params } })
          }
        }
        await room.api.routes.createPartition({
          body: {
            id,
            memoryBytes: GiB,
            processors: 2,
            profile,
            captureTarget: 'local',
            content: { seed: index, populatedBytes: 2 ** 20 },
          },
        })
        if (row.isArmedBefore === true) await arm()
        await room.api.done(await room.api.routes.activate({ params }))
        await eventually(
          'registered',
          async () => (await room.api.partition(id)).registration === 'registered',
        )
        if (row.isArmedBefore !== true) await arm()
        if (row.by === 'kill') await room.api.routes.killPartition({ params })
        else {
          if (row.by !== undefined) await room.api.routes.migratePartition({ params })
          await room.api.routes.crash({ params, body: {} })
        }
        await eventually(
          `${id} has an outcome and runs`,
          async () =>
            outcomeOf((await eventsOf(id)).map(({ event }) => event)) !== undefined &&
            (await room.api.partition(id)).state === 'running',
          timeoutMs,
        )
        assert.equal(outcomeOf((await eventsOf(id)).map(({ event }) => event)), outcome)
        for (const { scope, struck, times } of (await room.api.routes.listFaults({})).armed) {
          if (scope.partition === id) assert.equal(struck, times)
        }
        if (row.notes !== undefined) assert.equal(await storedNotes(room, id), row.notes[profile])
        await room.api.routes.shutdownPartition({ params, body: { immediate: true } })
      })
    }
  }
})

/** A fault of registering, and what the writer of fadump_registered sees. */
const registerRows: readonly (readonly [status: number, v5: string, modern: string])[] = [
  [-1, 'success', 'EIO'],
  [-3, 'success', 'EINVAL'],
  [-9, 'success', 'EEXIST'],
  [-10, 'success', 'EIO'],
  [-77, 'success', 'EIO'],
]

suite('registering with a firmware that refuses', () => {
  let room: Room
  before(async () => {
    room = await startRoom(undefined, { faults: true })
  })
  after(() => room[Symbol.asyncDispose]())

  for (const profile of ['v5', 'modern'] as const) {
    test(`C131 what the writer sees of each status: ${profile}`, async () => {
      const id = profile
      await room.api.boot({ id, memoryBytes: GiB, processors: 1, profile, dumpService: false })
      const params = { partition: id, '*': 'kernel/fadump_registered' }
      const write = async (body: string) => {
        try {
          await room.api.routes.writePartitionFile({ params, query: {}, body })
          return 'success'
        } catch (error) {
          return error instanceof Problem ? error.extensions['errno'] : error
        }
      }
      // A modern kernel may have registered at boot.
      if ((await room.api.partition(id)).registration === 'registered') await write('0')
      for (const [status, v5, modern] of registerRows) {
        await room.api.routes.armFault({
          body: { name: 'register-status', value: status, scope: { partition: id } },
        })
        assert.equal(await write('1'), profile === 'v5' ? v5 : modern, `status ${status}`)
        assert.equal((await room.api.partition(id)).registration, 'idle')
        // After −9 the kernel believes itself registered.
        if (status === -9) await write('0')
      }
      assert.equal(await write('1'), 'success')
      assert.equal((await room.api.partition(id)).registration, 'registered')
    })
  }
})
