/**
 * A system reset from the console (dump restart) and `ibm,nmi-interlock`, with both kernels: Linux 3.4 gives the interlock
 * back before anything else, later kernels only for machine checks. It matters to a kernel that does not die at once,
 * because xmon has it.
 */
import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { startRoom, type Room } from '../support/room.ts'

const GiB = 2 ** 30

async function boot(room: Room, id: string, more: object): Promise<void> {
  await room.api.routes.createPartition({
    body: { id, memoryBytes: GiB, processors: 2, captureTarget: 'local', ...more },
  })
  await room.api.done(await room.api.routes.activate({ params: { partition: id } }))
  await eventually(
    'registered',
    async () => (await room.api.partition(id)).registration === 'registered',
  )
}

async function eventsOf(room: Room, id: string): Promise<string[]> {
  const rows = await room.api.routes.listEvents({ query: { partition: id, limit: 1000 } })
  return rows.map(({ event }) => event.event)
}

suite('a system reset', () => {
  for (const [profile, isInterlocked] of [
    ['v5', true],
    ['modern', false],
  ] as const) {
    test(`C160 is a dump: ${profile}, ${isInterlocked ? 'with' : 'without'} the interlock`, async () => {
      await using room = await startRoom()
      await boot(room, profile, { profile })
      await room.api.routes.dumpRestart({ params: { partition: profile } })
      await eventually('captured and released', async () => {
        const { state, crashes, registration } = await room.api.partition(profile)
        return state === 'running' && crashes === 1 && registration === 'registered'
      })
      assert.equal((await eventsOf(room, profile)).includes('interlocked'), isInterlocked)
    })
  }

  test('C026 in xmon: v5 has given the interlock and waits for its operator', async () => {
    await using room = await startRoom()
    await boot(room, 'v5', { profile: 'v5', bootArguments: 'fadump=on xmon=on' })
    await room.api.routes.dumpRestart({ params: { partition: 'v5' } })
    await eventually('interlocked', async () =>
      (await eventsOf(room, 'v5')).includes('interlocked'),
    )
    const { state, crashes } = await room.api.partition('v5')
    assert.deepEqual({ state, crashes }, { state: 'running', crashes: 0 })
  })

  test('C026 in xmon: modern has given none, so firmware dumps when it has waited long enough', async () => {
    await using room = await startRoom()
    await boot(room, 'modern', { profile: 'modern', bootArguments: 'fadump=on xmon=on' })
    await room.api.routes.dumpRestart({ params: { partition: 'modern' } })
    await eventually('dumped', async () => (await room.api.partition('modern')).crashes === 1)
    await eventually(
      'captured',
      async () => (await room.api.partition('modern')).state === 'running',
    )
    const rows = await room.api.routes.listEvents({ query: { partition: 'modern', limit: 1000 } })
    const terminate = rows.find(({ event }) => event.event === 'terminate')
    assert.equal(terminate?.event.detail?.['message'], 'system reset without ibm,nmi-interlock')
  })
})
