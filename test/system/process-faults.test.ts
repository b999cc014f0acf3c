/** Faults of services that are processes of their own, on a real Redis: enabled by the environment, and a real end. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import test, { suite } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { startProcessRoom, type ProcessRoom } from '../support/processes.ts'
import { without } from '../support/tools.ts'

const MiB = 2 ** 20
const settledWithinMs = 60_000

suite('faults of processes', { skip: without('redis-server') }, () => {
  test('are armed over REST, end a process with code 70, and the dump is whole all the same', async () => {
    await using room = await startProcessRoom({ env: { FAULTS_ENABLED: 'true' } })
    const { routes } = room.api
    const content = { seed: 1, populatedBytes: 4 * MiB }
    await room.api.boot({ id: 'p1', memoryBytes: 1024 * MiB, processors: 2, content })
    const scope = { partition: 'p1' }
    const reset = { name: 'connection-reset', at: 'readVmcore', value: 100_000, scope } as const
    const abort = { name: 'process-abort', at: 'events.append:stored', value: 1, scope } as const
    await routes.armFault({ body: reset })
    await routes.armFault({ body: abort })
    const ended = once(room.child('dump-collector'), 'exit')
    await routes.crash({ params: { partition: 'p1' }, body: {} })
    const [code] = await ended
    assert.equal(code, 70)
    assert.deepEqual(await told(room, 'resume'), 1)
    await room.start('dump-collector')
    await eventually(
      'the next collector has ended the work',
      async () => {
        const dumps = await routes.listDumps({})
        return dumps.some(({ status, released }) => status === 'complete' && released)
      },
      settledWithinMs,
    )
    assert.equal((await routes.listDumps({})).length, 1)
    const { armed, processes } = await routes.listFaults({})
    assert.ok(processes.every(({ isEnabled }) => isEnabled))
    assert.ok(
      armed.every((fault) => fault.processes.every((row) => row.service !== 'dump-collector')),
    )
  })
})

/** How many such events the partition's dump has. */
async function told(room: ProcessRoom, event: string): Promise<number> {
  const rows = await room.api.routes.listEvents({ query: { limit: 10_000 } })
  return rows.filter((row) => row.event.event === event).length
}
