/** A hundred partitions in one kernel host crash at the same moment: a hundred dumps, each with its own memory. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import test, { suite } from 'node:test'
import type { HmcJob } from '@fadump-lab/shared/contracts'
import { systemClock } from '@fadump-lab/shared/runtime'
import { startRoom, type Room } from '../support/room.ts'
import { checkContent, Vmcore } from '../support/vmcore.ts'

const MiB = 2 ** 20
const partitions = Array.from({ length: 100 }, (_, index) => ({ id: `lpar-${index}`, seed: index }))
const populatedBytes = MiB
const pages = populatedBytes / 65_536
const pollMs = 100
const causes = ['sysrq', 'null-dereference', 'bug', 'panic', 'hard-lockup'] as const

/** Starts an operation on every partition at the same moment; the ended jobs, in the order of the partitions. */
async function allSucceed(
  { api }: Room,
  operation: (partition: (typeof partitions)[number]) => Promise<HmcJob>,
): Promise<HmcJob[]> {
  const started = await Promise.all(partitions.map(operation))
  for (;;) {
    const now = new Map((await api.routes.listJobs({})).map((job) => [job.id, job]))
    const jobs = started.map((job) => now.get(job.id) ?? job)
    if (jobs.every(({ state }) => state !== 'running')) {
      assert.deepEqual(
        jobs.flatMap(({ failure }) => failure ?? []),
        [],
      )
      return jobs
    }
    await systemClock.sleep(pollMs)
  }
}

suite('many partitions', () => {
  test('a hundred that crash at once give a hundred complete dumps and run again', async () => {
    await using room = await startRoom()
    const { routes } = room.api
    for (const { id, seed } of partitions) {
      await routes.createPartition({
        body: {
          id,
          memoryBytes: 1024 * MiB,
          processors: 1 + (seed % 4),
          content: { seed, populatedBytes },
        },
      })
    }
    await allSucceed(room, ({ id }) => routes.activate({ params: { partition: id } }))
    const jobs = await allSucceed(room, ({ id, seed }) =>
      routes.crash({ params: { partition: id }, body: { cause: causes[seed % 5] } }),
    )
    const dumps = await Promise.all(
      jobs.map(({ dump = 'none' }) => routes.getDump({ params: { dump } })),
    )
    assert.equal(new Set(dumps.map(({ id }) => id)).size, partitions.length)
    for (const [index, { id, seed }] of partitions.entries()) {
      const dump = dumps[index]
      assert.deepEqual([dump?.partition, dump?.status, dump?.released], [id, 'complete', true])
      await using core = await Vmcore.open(join(room.dumpRoot, id, dump?.id ?? '', 'vmcore'))
      assert.equal(await checkContent(core, seed), pages, `${id} holds its own content`)
      // panic() of 3.4 takes all other CPUs offline first.
      const isStopped = /panic|lockup/.test(causes[seed % 5] ?? '')
      assert.equal((await core.cpus()).length, isStopped ? 1 : 1 + (seed % 4))
    }
    const now = await routes.listPartitions({})
    assert.deepEqual(
      now.map(({ state, registration, crashes }) => `${state} ${registration} ${crashes}`),
      partitions.map(() => 'running registered 1'),
    )
  })
})
