/** Faults over REST: off unless enabled, refused when misspelled, armed everywhere, counted, told; those of firmware too. */
import assert from 'node:assert/strict'
import test, { after, afterEach, before, suite } from 'node:test'
import {
  faultRoutes,
  faults,
  Problem,
  serviceNames,
  type FirmwareFaultName,
  type LabEvent,
} from '@fadump-lab/shared/contracts'
import { createClient } from '@fadump-lab/shared/http'
import { bearer } from '@fadump-lab/shared/identity'
import { eventually } from '../support/eventually.ts'
import { startRoom, type Room } from '../support/room.ts'

const eventsMax = 10_000
const latency = { name: 'latency' } as const

const refusedWith = (slug: string, detail: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Problem, String(error))
  assert.equal(error.slug, slug)
  assert.match(error.message, detail)
  return true
}

async function eventsOf(room: Room): Promise<readonly LabEvent[]> {
  return (await room.events.read(undefined, eventsMax)).map(({ event }) => event)
}

suite('a room that was started without faults', () => {
  test('takes none, in no process, and says so', async () => {
    await using room = await startRoom()
    const { routes } = room.api
    const disabled = refusedWith('faults-disabled', /started without FAULTS_ENABLED=true/)
    await assert.rejects(routes.armFault({ body: latency }), disabled)
    await assert.rejects(routes.disarmFaults({}), disabled)
    await assert.rejects(routes.disarmFault({ params: { fault: 'f-1' } }), disabled)
    const { hypervisor, kernel, collector } = room.urls
    for (const baseUrl of [hypervisor, kernel, collector]) {
      const authorize = bearer(room.keys.secrets['hmc-api'])
      const service = createClient(faultRoutes, { baseUrl, authorize })
      await assert.rejects(service.armFault({ body: { id: 'f-1', fault: latency } }), disabled)
      assert.deepEqual(await service.listFaults({}), { isEnabled: false, armed: [] })
    }
    const { processes, armed, catalogue } = await routes.listFaults({})
    assert.deepEqual(
      processes.map(({ service, isEnabled }) => [service, isEnabled]),
      serviceNames.map((name) => [name, false]),
    )
    assert.deepEqual(armed, [])
    assert.equal(catalogue.length, faults.size)
  })
})

suite('a room that was started with faults', () => {
  let room: Room
  before(async () => {
    room = await startRoom(undefined, { faults: true })
    await room.api.boot({ id: 'p1', memoryBytes: 2 ** 30, processors: 1 })
  })
  after(() => room[Symbol.asyncDispose]())

  test('refuses a misspelled name with the valid ones, the nearest first', async () => {
    const response = await fetch(`${room.urls.console}/v1/faults`, {
      method: 'POST',
      headers: { ...room.headers, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'conection-reset' }),
    })
    assert.equal(response.status, 400)
    const { detail } = (await response.json()) as { readonly detail: string }
    assert.match(detail, /^body: name: no fault is called so; there are connection-reset, /)
    for (const name of faults.keys()) assert.ok(detail.includes(name), name)
  })

  test('refuses a fault of a partition or frame that is not there', async () => {
    const partition = room.api.routes.armFault({ body: { ...latency, scope: { partition: 'p9' } } })
    await assert.rejects(partition, refusedWith('not-found', /p9/))
    const frame = room.api.routes.armFault({ body: { ...latency, scope: { frame: 'server-9' } } })
    await assert.rejects(frame, refusedWith('not-found', /server-9/))
  })

  test('arms a fault wherever it acts, and disarms it there', async () => {
    const { routes } = room.api
    const everywhere = await routes.armFault({ body: { ...latency, after: 1_000_000 } })
    const kernelHosts = { ...latency, after: 1_000_000, scope: { service: 'lpar-kernel' } } as const
    const inOne = await routes.armFault({ body: kernelHosts })
    const places = async () =>
      (await routes.listFaults({})).armed.map(({ id, processes }) => [
        id,
        processes.map(({ service }) => service),
      ])
    const all = [everywhere.id, [...serviceNames]]
    assert.deepEqual(
      new Map((await places()) as [string, string[]][]),
      new Map([all, [inOne.id, ['lpar-kernel']]] as [string, string[]][]),
    )
    await routes.disarmFault({ params: { fault: inOne.id } })
    assert.deepEqual(await places(), [all])
    const gone = routes.disarmFault({ params: { fault: inOne.id } })
    await assert.rejects(gone, refusedWith('not-found', /GET \/v1\/faults lists/))
    await routes.disarmFaults({})
    assert.deepEqual(await places(), [])
  })

  test('tells who armed and disarmed what', async () => {
    const { routes } = room.api
    const { id } = await routes.armFault({
      body: { ...latency, after: 1_000_000, scope: { partition: 'p1' } },
    })
    await routes.disarmFault({ params: { fault: id } })
    const told = (await eventsOf(room)).filter(({ subject }) => subject === id)
    const by = 'local-administrator'
    assert.deepEqual(
      told.map(({ service, aggregate, event, detail }) => ({ service, aggregate, event, detail })),
      [
        {
          service: 'hmc-api',
          aggregate: 'fault',
          event: 'armed',
          detail: { fault: 'latency', times: 1, scope: 'partition p1', by },
        },
        { service: 'hmc-api', aggregate: 'fault', event: 'disarmed', detail: { by } },
      ],
    )
  })

  test('counts strikes in the answer, by process', async () => {
    const { routes } = room.api
    const { id } = await routes.armFault({
      body: { ...latency, value: 1, times: 2, at: 'getPartition', scope: { service: 'hmc-api' } },
    })
    for (let times = 0; times < 3; times += 1) await room.api.partition('p1')
    const found = (await routes.listFaults({})).armed.find((fault) => fault.id === id)
    assert.deepEqual(
      [found?.considered, found?.struck, found?.processes],
      [3, 2, [{ service: 'hmc-api', considered: 3, struck: 2 }]],
    )
    await routes.disarmFaults({})
  })

  test('disarms one fault of firmware and leaves the others of its partition', async () => {
    const { routes } = room.api
    const scope = { partition: 'p1' }
    const flags = await routes.armFault({ body: { name: 'header-status-set', times: 3, scope } })
    const magic = await routes.armFault({ body: { name: 'regsave-magic', scope } })
    await routes.disarmFault({ params: { fault: magic.id } })
    const { armed } = await routes.listFaults({})
    assert.deepEqual(
      armed.map(({ id, name, times }) => [id, name, times]),
      [[flags.id, 'header-status-set', 3]],
    )
    await routes.disarmFaults({})
    await routes.armFault({ body: { name: 'regsave-magic', scope } })
    const left = await routes.listFaults({})
    assert.deepEqual(
      left.armed.map(({ name }) => name),
      ['regsave-magic'],
      'firmware had none of the others any more',
    )
    await routes.disarmFaults({})
  })
})

/** `restart`: no dump is taken. `rejected`: one is taken, and the capture kernel gives it up. */
interface FirmwareRow {
  readonly outcome: 'captured' | 'rejected' | 'restart'
  readonly value?: number
  readonly profile?: 'v5'
  readonly times?: number
  /** Default: a crash. */
  readonly by?: 'dump restart'
  /** Armed before the kernel boots. */
  readonly isArmedBefore?: boolean
}

/** Most by a kernel of profile `modern`: the failure matrix tells of both. A fault without a row does not compile. */
const firmwareRows: Readonly<Record<FirmwareFaultName, FirmwareRow>> = {
  'register-status': { outcome: 'restart', isArmedBefore: true, times: 9 },
  'unregister-status': { outcome: 'captured' },
  'invalidate-status': { outcome: 'captured', value: 9900 },
  'os-term-status': { outcome: 'restart' },
  'nmi-register-status': {
    outcome: 'captured',
    profile: 'v5',
    isArmedBefore: true,
    by: 'dump restart',
  },
  'nmi-interlock-status': { outcome: 'captured', profile: 'v5', by: 'dump restart' },
  'preserve-hardware-error': { outcome: 'restart' },
  'no-extended-os-term': { outcome: 'restart', isArmedBefore: true },
  'cpu-state-error': { outcome: 'rejected' },
  'cpu-state-short': { outcome: 'rejected' },
  'hpte-error': { outcome: 'rejected' },
  'hpte-short': { outcome: 'rejected' },
  'real-mode-error': { outcome: 'rejected' },
  'real-mode-short': { outcome: 'rejected' },
  'parameters-error': { outcome: 'captured' },
  'parameters-short': { outcome: 'captured' },
  'unknown-section': { outcome: 'captured' },
  'header-status-set': { outcome: 'captured' },
  'header-status-lost': { outcome: 'captured' },
  'regsave-magic': { outcome: 'rejected' },
  'regsave-fewer-cpus': { outcome: 'rejected' },
  'regsave-no-cpustrt': { outcome: 'rejected' },
  'regsave-no-cpuend': { outcome: 'rejected' },
  'dma-in-flight': { outcome: 'captured' },
}

suite('faults of firmware, armed as all others', () => {
  let room: Room
  before(async () => {
    room = await startRoom(undefined, { faults: true })
  })
  after(() => room[Symbol.asyncDispose]())
  afterEach(() => room.api.routes.disarmFaults({}))

  for (const [index, [fault, row]] of Object.entries(firmwareRows).entries()) {
    test(`${fault}: ${row.outcome}`, async () => {
      const subject = { id: `p${index}`, seed: index, name: fault as FirmwareFaultName }
      await dumpWith(room, row, subject)
      await eventually(`${subject.id}: ${row.outcome}, and up again`, async () => {
        const { state } = await room.api.partition(subject.id)
        return state === 'running' && (await outcomeOf(room, subject.id)) === row.outcome
      })
      const { armed } = await room.api.routes.listFaults({})
      const struck = armed.find(({ scope }) => scope.partition === subject.id)?.struck ?? 0
      assert.ok(struck > 0, `${fault} has not struck`)
      const params = { partition: subject.id }
      await room.api.routes.shutdownPartition({ params, body: { immediate: true } })
    })
  }
})

/** A partition whose kernel ends with the fault armed. */
async function dumpWith(
  room: Room,
  row: FirmwareRow,
  {
    id,
    seed,
    name,
  }: { readonly id: string; readonly seed: number; readonly name: FirmwareFaultName },
): Promise<void> {
  const { routes } = room.api
  const params = { partition: id }
  const { profile = 'modern', value, times = 1 } = row
  const form = { name, times, scope: params, ...(value === undefined ? {} : { value }) }
  const content = { seed, populatedBytes: 2 ** 20 }
  const size = { memoryBytes: 2 ** 30, processors: 2 }
  await routes.createPartition({
    body: { id, ...size, profile, captureTarget: 'local', content },
  })
  if (row.isArmedBefore === true) await routes.armFault({ body: form })
  await room.api.done(await routes.activate({ params }))
  if (row.isArmedBefore !== true) await routes.armFault({ body: form })
  if (name === 'unregister-status') await unregister(room, id)
  if (row.by === 'dump restart') await routes.dumpRestart({ params })
  else await routes.crash({ params, body: {} })
}

async function unregister(room: Room, id: string): Promise<void> {
  const params = { partition: id, '*': 'kernel/fadump_registered' }
  await room.api.routes.writePartitionFile({ params, query: {}, body: '0' })
}

async function outcomeOf(room: Room, id: string): Promise<FirmwareRow['outcome'] | undefined> {
  const told = (await eventsOf(room))
    .filter(({ subject }) => subject === id || subject.startsWith(`${id}-`))
    .map(({ aggregate, event }) => `${aggregate} ${event}`)
  if (told.includes('dump rejected')) return 'rejected'
  if (told.includes('dump released')) return 'captured'
  return told.includes('partition restart') ? 'restart' : undefined
}
