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
