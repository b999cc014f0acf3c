/** Kernels of both profiles on QEMU's firmware, end to end. Single differences: see the hypervisor's own tests. */
import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { startRoom, type Room } from '../support/room.ts'

const GiB = 2 ** 30

async function boot(room: Room, id: string, more: object): Promise<void> {
  await room.api.routes.createPartition({
    body: {
      id,
      firmware: 'qemu',
      memoryBytes: GiB,
      processors: 2,
      captureTarget: 'local',
      ...more,
    },
  })
  await room.api.done(await room.api.routes.activate({ params: { partition: id } }))
}

suite('on the firmware of QEMU', () => {
  /** C112: QEMU advertises room for the cores that could be, and writes the threads that are. */
  for (const [what, more, outcome] of [
    [
      'maxcpus above smp',
      { processors: 2, maximumProcessors: 4 },
      { v5: 'captured', modern: 'rejected' },
    ],
    [
      'two threads a core',
      { processors: 4, threadsPerCore: 2 },
      { v5: 'rejected', modern: 'rejected' },
    ],
  ] as const) {
    for (const profile of ['v5', 'modern'] as const) {
      test(`C112 ${what}: the dump of ${profile} is ${outcome[profile]}`, async () => {
        await using room = await startRoom()
        await boot(room, profile, { profile, ...more })
        const params = { partition: profile }
        await room.api.routes.crash({ params, body: {} })
        await eventually('up again', async () => {
          const { state, crashes, registration } = await room.api.partition(profile)
          return state === 'running' && crashes === 1 && registration === 'registered'
        })
        const dumps = await room.api.routes.listDumps({ query: {} })
        assert.equal(dumps.length, outcome[profile] === 'captured' ? 1 : 0)
      })
    }
  }

  for (const profile of ['v5', 'modern'] as const) {
    test(`${profile} is dumped, captured, released and registers again`, async () => {
      await using room = await startRoom()
      await boot(room, profile, { profile })
      const registered = async () =>
        (await room.api.partition(profile)).registration === 'registered'
      await eventually('registered', registered)
      const dump = await room.api.crash(profile)
      assert.equal(dump.status, 'complete')
      assert.equal(dump.released, true)
      await eventually('registered again', registered)
    })

    test(`${profile} without a registration: a crash ends the partition`, async () => {
      await using room = await startRoom()
      await boot(room, profile, { profile, bootArguments: 'fadump=off', dumpService: false })
      await room.api.routes.crash({ params: { partition: profile }, body: {} })
      await eventually(
        'off',
        async () => (await room.api.partition(profile)).state === 'not-activated',
      )
      const { lastFailure } = await room.api.partition(profile)
      assert.match(lastFailure ?? '', /^OS terminated: OS panic: .*; guest panicked$/)
    })
  }
})
