/**
 * A dump that waits outlives whatever happens to the partition until a kernel invalidates it (spec §1.2, C119): refusals
 * of firmware, reboots, kills, crashes of the capture kernel.
 */
import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { startRoom, type Room } from '../support/room.ts'

const GiB = 2 ** 30

/** A partition whose dump is stored but could not be released: firmware refused to invalidate it. */
async function aDumpThatStays(room: Room, profile: 'v5' | 'modern'): Promise<string> {
  const id = profile
  const params = { partition: id }
  await room.api.boot({ id, memoryBytes: GiB, processors: 2, profile, captureTarget: 'local' })
  await eventually(
    'registered',
    async () => (await room.api.partition(id)).registration === 'registered',
  )
  const body = { name: 'invalidate-status', value: -1, times: 1000, scope: params } as const
  await room.api.routes.armFault({ body })
  await room.api.routes.crash({ params, body: {} })
  await eventually('the dump is stored, firmware has refused to let go of it', async () => {
    const { lastDump } = await room.api.partition(id)
    const dumps = await room.api.routes.listDumps({ query: {} })
    return dumps.some((dump) => dump.id === lastDump && dump.status === 'complete')
  })
  return id
}

suite('a dump that firmware does not let go of', () => {
  for (const profile of ['v5', 'modern'] as const) {
    test(`C118 C119 is active after the release, and presented at every boot until invalidated: ${profile}`, async () => {
      await using room = await startRoom(undefined, { faults: true })
      const id = await aDumpThatStays(room, profile)
      const params = { partition: id }
      const { state, registration, pendingDump, lastDump } = await room.api.partition(id)
      assert.deepEqual(
        { state, registration, pendingDump },
        { state: 'capturing', registration: 'active', pendingDump: lastDump },
      )
      await room.api.routes.killPartition({ params })
      await eventually('presented again', async () => {
        const again = await room.api.partition(id)
        return again.state === 'capturing' && again.registration === 'active'
      })
      await room.api.routes.disarmFaults({})
      await room.api.routes.killPartition({ params })
      await eventually('captured and released', async () => {
        const after = await room.api.partition(id)
        return after.state === 'running' && after.pendingDump === undefined
      })
      assert.equal((await room.api.partition(id)).crashes, 1)
    })
  }
})
