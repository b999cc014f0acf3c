/** What containers lose in life: processes, networks, Redis, space. A crash gives one whole dump, or is still owed. */
import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import type { Dump, Partition } from '@fadump-lab/shared/contracts'
import { startContainerRoom, type ContainerRoom } from '../../support/containers.ts'
import { eventually } from '../../support/eventually.ts'
import { without } from '../../support/tools.ts'

const MiB = 2 ** 20
const timeout = 900_000
const waitMs = 180_000
/** Who comes back with another address. */
const readdressed = ['lpar-kernel', 'hypervisor']
/** Containers that are asked to take an address which is free again. */
const neighboursMax = 16
/** Rounds of crashes until one has hit what it was to hit. */
const roundsMax = 10
const few = ['lpar-0', 'lpar-1', 'lpar-2', 'lpar-3']
/** Who dies, and with how many events of the round behind it. */
const victims: readonly (readonly [service: string, events: number])[] = [
  ['hypervisor', 6],
  ['lpar-kernel', 12],
  ['dump-collector', 26],
  ['hmc-api', 10],
  ['redis-control', 20],
]
const services = [
  'redis-memory',
  'redis-control',
  'hypervisor',
  'lpar-kernel',
  'dump-collector',
  'hmc-api',
]
const kernels = 3
const collectors = 2
const many = Array.from({ length: 60 }, (_, index) => `many-${index}`)

suite('faults of containers', { skip: without('docker'), timeout }, () => {
  test('one room', { timeout }, async (t) => {
    await using room = await startContainerRoom()
    try {
      for (const [seed, id] of few.entries()) await boot(room, id, seed)
      for (const [victim, events] of victims) {
        await t.test(`${victim} is killed in the middle of crashes`, () =>
          crashDuring(room, few, async (after) => {
            await eventCount(room, after, events)
            await room.kill(victim)
          }),
        )
      }
      await t.test('redis-control is restarted in the middle of crashes', () =>
        crashDuring(room, few, () => room.restart('redis-control')),
      )
      await t.test(
        'the network of the collector is cut until the leases of its jobs are lost',
        () => loseLeases(room, 'capture', cutCollector(room)),
      )
      await t.test('the kernel host is paused until the leases of its jobs are lost', () =>
        loseLeases(room, 'ipl', pausedKernel(room)),
      )
      for (const service of readdressed) {
        await t.test(`${service} gets another address in the middle of crashes`, () =>
          crashDuring(room, few, async (after) => {
            await eventCount(room, after, few.length)
            await readdress(room, service)
          }),
        )
      }
      await t.test('redis-memory is killed: a power failure, and partitions that say so', () =>
        losePower(room, few),
      )
      await t.test(`${kernels} kernel hosts and ${collectors} collectors share 60 crashes`, (t) =>
        crashMany(room, (line) => t.diagnostic(line)),
      )
    } catch (error) {
      t.diagnostic((await room.logs()).slice(-8000))
      throw error
    }
  })

  test('a full disk keeps the dump in memory until there is space', { timeout }, async () => {
    const overrides = ['test/support/compose/small-disk.yml']
    await using room = await startContainerRoom({ overrides })
    await boot(room, 'lpar-0', 0)
    const filler = 'head -c 60m /dev/zero > /dumps/filler'
    await room.exec('dump-collector', ['sh', '-c', filler])
    await room.api.routes.crash({ params: { partition: 'lpar-0' }, body: {} })
    let dump: Dump | undefined
    await eventually(
      'the collector says that the disk is full',
      async () => {
        ;[dump] = await room.api.routes.listDumps({ query: {} })
        return /needs \d+ MiB of room/.test(dump?.failure ?? '')
      },
      waitMs,
    )
    assert.notEqual(dump?.status, 'complete')
    assert.equal(dump?.released, false, 'what is not stored is not released')
    await room.exec('dump-collector', ['rm', '/dumps/filler'])
    await room.settled('lpar-0')
    const [whole] = await room.api.routes.listDumps({ query: {} })
    assert.equal(whole?.status, 'complete', whole?.failure)
  })
})

async function boot(room: ContainerRoom, id: string, seed: number): Promise<Partition> {
  const content = { seed, populatedBytes: 4 * MiB }
  return room.api.boot({ id, memoryBytes: 1024 * MiB, processors: 2, content })
}

/** A request may be lost with the service that has it: then there was no crash, and nothing to dump. */
async function crashDuring(
  room: ContainerRoom,
  partitions: readonly string[],
  fault: (after: string | undefined) => Promise<void>,
): Promise<void> {
  const before = await Promise.all(partitions.map((id) => room.settled(id)))
  const after = await lastEvent(room)
  const requests = partitions.map((partition) =>
    room.api.routes.crash({ params: { partition }, body: {} }).catch(() => undefined),
  )
  await fault(after)
  await Promise.all(requests)
  for (const old of before) {
    const now = await room.settled(old.id)
    assert.ok(now.crashes - old.crashes <= 1, `${old.id} crashed at most once`)
  }
  await checkDumps(room, partitions)
}

/** One complete dump a crash, and no other; each is released soon, after its partition has let go of it. */
async function checkDumps(room: ContainerRoom, partitions: readonly string[]): Promise<void> {
  for (const partition of partitions) {
    const { crashes } = await room.api.partition(partition)
    let own: readonly Dump[] = []
    const isSettled = async (): Promise<boolean> => {
      own = await room.api.routes.listDumps({ query: { partition } })
      return own.every(({ released }) => released)
    }
    await eventually(`the dumps of ${partition} are released`, isSettled, waitMs)
    if (own.length !== crashes) await tellStory(room, partition)
    for (const { id, status, failure } of own) assert.equal(status, 'complete', `${id}: ${failure}`)
  }
}

async function tellStory(room: ContainerRoom, partition: string): Promise<never> {
  const rows = await room.api.routes.listEvents({ query: { partition, limit: 1000 } })
  assert.fail(`${partition}: ${JSON.stringify(rows, undefined, 1)}`)
}

/** Dumps that waited in memory are gone; whatever was stored stays, and everything can be started again. */
async function losePower(room: ContainerRoom, partitions: readonly string[]): Promise<void> {
  for (const id of partitions) await room.settled(id)
  const stored = (await room.api.routes.listDumps({ query: {} })).length
  await room.kill('redis-memory')
  for (const id of partitions) {
    let now: Partition | undefined
    const isOff = async (): Promise<boolean> => {
      now = await room.api.partition(id).catch(() => undefined)
      return now?.state === 'not-activated'
    }
    await eventually(`${id} is off`, isOff, waitMs)
    assert.match(now?.lastFailure ?? '', /power failure/)
    await room.api.done(await room.api.routes.activate({ params: { partition: id } }))
    await room.settled(id)
  }
  assert.equal((await room.api.routes.listDumps({ query: {} })).length, stored)
}

/** A way to keep a holder of jobs from doing anything, and back. */
interface Absence {
  readonly begin: () => Promise<void>
  readonly end: () => Promise<void>
}

function cutCollector(room: ContainerRoom): Absence {
  const service = 'dump-collector'
  const network = `${room.project}_machine-room`
  const container = room.container(service)
  return {
    begin: async () => void (await room.docker('network', 'disconnect', network, container)),
    end: async () => {
      await room.docker('network', 'connect', '--alias', service, network, container)
    },
  }
}

/** The connections that there are stay open at their other ends, and nobody answers on them any more. */
async function readdress(room: ContainerRoom, service: string): Promise<void> {
  const network = `${room.project}_machine-room`
  const container = room.container(service)
  const address = (name: string) =>
    room.inspect(name, `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`)
  const [old, image] = [await address(container), await room.inspect(container, '{{.Image}}')]
  await using neighbours = new AsyncDisposableStack()
  await room.docker('network', 'disconnect', network, container)
  // The engine gives the first address that is free.
  for (let taken = '', left = neighboursMax; taken !== old; left -= 1) {
    assert.ok(left > 0, `nobody is given ${old} again`)
    const run = ['run', '--detach', '--network', network, '--entrypoint', 'sleep', image]
    const { stdout } = await room.docker(...run, 'infinity')
    const neighbour = neighbours.adopt(stdout.trim(), async (id) => {
      await room.docker('rm', '--force', id)
    })
    taken = await address(neighbour)
  }
  await room.docker('network', 'connect', '--alias', service, network, container)
  await room.healthy(service)
}

function pausedKernel(room: ContainerRoom): Absence {
  const container = room.container('lpar-kernel')
  return {
    begin: async () => void (await room.docker('pause', container)),
    end: async () => {
      await room.docker('unpause', container)
      await room.healthy('lpar-kernel')
    },
  }
}

/** Crashes until the holder was away with claimed jobs in hand, and came back after their leases had run out. */
async function loseLeases(room: ContainerRoom, queue: string, holder: Absence): Promise<void> {
  for (let round = 0; round < roundsMax; round += 1) {
    let hasLost = false
    const before = await crashesOf(room)
    await crashDuring(room, few, async () => {
      const isClaimed = async () => (await room.claims(queue)).claimed > 0
      const isOver = async () => (await crashesOf(room)) === before + few.length
      const isClaimedOrOver = async () => (await isClaimed()) || (await isOver())
      await eventually(`somebody has claimed a job of ${queue}`, isClaimedOrOver, waitMs)
      await holder.begin()
      // Between the look and the absence they may all have been done.
      hasLost = await isClaimed()
      const isLost = async () => (await room.claims(queue)).leased === 0
      await eventually(`the leases of ${queue} have run out`, isLost, waitMs)
      await holder.end()
    })
    if (hasLost) return
  }
  assert.fail(`in ${roundsMax} rounds no job of ${queue} was in hand`)
}

/** Of all partitions together, those that are up again only. */
async function crashesOf(room: ContainerRoom): Promise<number> {
  const up = (await room.api.routes.listPartitions({})).filter(
    ({ state, registration }) => state === 'running' && registration === 'registered',
  )
  return up.reduce((sum, { crashes }) => sum + crashes, 0)
}

async function crashMany(room: ContainerRoom, say: (line: string) => void): Promise<void> {
  // The faults before this may have made any of them unhealthy, and compose adds nothing to what is unhealthy.
  for (const service of services) await room.healthy(service)
  await room.up({ 'lpar-kernel': kernels, 'dump-collector': collectors })
  for (const [seed, id] of many.entries()) {
    const content = { seed, populatedBytes: MiB }
    const body = { id, memoryBytes: 1024 * MiB, processors: 1 + (seed % 4), content }
    await room.api.routes.createPartition({ body })
  }
  await Promise.all(many.map((partition) => room.api.routes.activate({ params: { partition } })))
  for (const id of many) await room.settled(id)
  const started = performance.now()
  await Promise.all(
    many.map((partition) => room.api.routes.crash({ params: { partition }, body: {} })),
  )
  await eventually(
    'every partition has crashed once',
    async () =>
      (await room.api.routes.listPartitions({})).filter(
        (p) => p.crashes === 1 && p.registration === 'registered',
      ).length >= many.length,
    waitMs,
  )
  for (const id of many) await room.settled(id)
  say(`60 crashes captured in ${((performance.now() - started) / 1000).toFixed(1)} s`)
  await checkDumps(room, many)
  await checkShares(room, 'lpar-kernel', kernels)
  await checkShares(room, 'dump-collector', collectors)
}

/** Every instance has done some of the work. Services log to standard error. */
async function checkShares(room: ContainerRoom, service: string, instances: number): Promise<void> {
  for (let instance = 1; instance <= instances; instance += 1) {
    const { stderr } = await room.docker('logs', room.container(service, instance))
    assert.ok(
      /"many-\d/.test(stderr),
      `${service} ${instance} has worked for a partition of the many`,
    )
  }
}

async function lastEvent(room: ContainerRoom): Promise<string | undefined> {
  let last: string | undefined
  for (;;) {
    const rows = await room.api.routes.listEvents({ query: { after: last, limit: 1000 } })
    if (rows.length === 0) return last
    last = rows.at(-1)?.id
  }
}

async function eventCount(
  room: ContainerRoom,
  after: string | undefined,
  count: number,
): Promise<void> {
  const query = { after, limit: 1000 }
  await eventually(
    `${count} events of the round`,
    async () => (await room.api.routes.listEvents({ query })).length >= count,
    waitMs,
  )
}
