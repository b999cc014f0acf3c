/** SIGKILL of each service in the middle of crashes, on a real Redis: a dump is whole or not there, never torn. */
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { suite } from 'node:test'
import type { Partition } from '@fadump-lab/shared/contracts'
import { systemClock } from '@fadump-lab/shared/runtime'
import { startProcessRoom, type ProcessRoom, type ServiceName } from '../support/processes.ts'
import { without } from '../support/tools.ts'
import { checkContent, Vmcore } from '../support/vmcore.ts'

const MiB = 2 ** 20
const partitions = Array.from({ length: 6 }, (_, index) => `lpar-${index}`)
const populatedBytes = 24 * MiB
const pollMs = 100
const settleTimeoutMs = 240_000

/** Which service dies after how many events of the round: early, in the middle, late. */
const rounds: readonly { readonly victim: ServiceName; readonly events: number }[] = [
  { victim: 'hypervisor', events: 8 },
  { victim: 'hypervisor', events: 30 },
  { victim: 'lpar-kernel', events: 15 },
  { victim: 'lpar-kernel', events: 45 },
  { victim: 'dump-collector', events: 40 },
  { victim: 'dump-collector', events: 60 },
]

suite('SIGKILL in the middle of crashes', { skip: without('redis-server') }, () => {
  test('every crash ends in a whole dump or in none, and the partitions come up again', async (t) => {
    await using room = await startProcessRoom()
    for (const [seed, id] of partitions.entries()) {
      await room.api.boot({
        id,
        memoryBytes: 1024 * MiB,
        processors: 2,
        content: { seed, populatedBytes },
      })
    }
    for (const { victim, events } of rounds) {
      await t.test(`${victim} dies after ${events} events`, async () => {
        try {
          await crashAllAndKill(room, victim, events)
        } catch (error) {
          t.diagnostic(room.log())
          throw error
        }
      })
    }
    await checkEveryFile(room)
  })
})

async function crashAllAndKill(
  room: ProcessRoom,
  victim: ServiceName,
  events: number,
): Promise<void> {
  const before = await Promise.all(partitions.map((id) => room.api.partition(id)))
  const after = await lastEvent(room)
  // A crash request may be lost with the service that got it: then there was no crash, and nothing to dump.
  const requests = partitions.map((partition) =>
    room.api.routes.crash({ params: { partition }, body: {} }).catch(() => undefined),
  )
  await eventCount(room, after, events)
  await room.kill(victim)
  await room.start(victim)
  await Promise.all(requests)
  for (const old of before) {
    const now = await settled(room, old.id)
    if (now.crashes === old.crashes) continue
    assert.equal(now.crashes, old.crashes + 1, `${old.id} crashed once`)
    const dump = await room.api.routes.getDump({ params: { dump: now.lastDump ?? 'none' } })
    assert.equal(dump.status, 'complete', `${dump.id}: ${dump.failure}`)
  }
}

/** Up, registered, and with no dump waiting. */
async function settled(room: ProcessRoom, id: string): Promise<Partition> {
  const deadline = performance.now() + settleTimeoutMs
  for (;;) {
    const now = await room.api.partition(id).catch(() => undefined)
    if (now?.state === 'running' && now.registration === 'registered') return now
    if (performance.now() > deadline) {
      assert.fail(`${id} is still ${now?.state}/${now?.registration}: ${now?.lastFailure}`)
    }
    await systemClock.sleep(pollMs)
  }
}

async function lastEvent(room: ProcessRoom): Promise<string | undefined> {
  let last: string | undefined
  for (;;) {
    const rows = await room.api.routes.listEvents({ query: { after: last, limit: 1000 } })
    if (rows.length === 0) return last
    last = rows.at(-1)?.id
  }
}

async function eventCount(
  room: ProcessRoom,
  after: string | undefined,
  count: number,
): Promise<void> {
  const deadline = performance.now() + settleTimeoutMs
  for (;;) {
    const rows = await room.api.routes.listEvents({ query: { after, limit: 1000 } })
    if (rows.length >= count) return
    assert.ok(performance.now() < deadline, `only ${rows.length} of ${count} events came`)
    await systemClock.sleep(pollMs / 10)
  }
}

/** Whatever directory has its final name holds a verified file whose content is that of the first kernel. */
async function checkEveryFile(room: ProcessRoom): Promise<void> {
  for (const [seed, partition] of partitions.entries()) {
    const names = await readdir(join(room.dumpRoot, partition))
    assert.deepEqual(
      names.filter((name) => name.endsWith('.incomplete')),
      [],
      'nothing is left half done',
    )
    const { crashes } = await room.api.partition(partition)
    assert.equal(names.length, crashes, `${partition}: one dump per crash`)
    for (const name of names) {
      const directory = join(room.dumpRoot, partition, name)
      const record = JSON.parse(await readFile(join(directory, 'dump.json'), 'utf8')) as {
        status: string
      }
      assert.equal(record.status, 'complete')
      await using core = await Vmcore.open(join(directory, 'vmcore'))
      const right = await checkContent(core, seed)
      // A capture kernel has overwritten boot memory, and with it a third of the content, before a later crash.
      const whole = populatedBytes / 65_536
      const isFirst = name.endsWith('-1')
      assert.ok(
        right === whole || (!isFirst && right === (whole * 2) / 3),
        `${name}: ${right} pages of content`,
      )
      assert.equal((await core.cpus()).length, 2)
    }
  }
}
