/** What the console refuses while a dump is being captured, and that the dump is whole afterwards. */
import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { createHeapEventLog, createInProcessQueues } from '@fadump-lab/shared/queue'
import { systemClock } from '@fadump-lab/shared/runtime'
import { HeapMemoryStore, type PopulatedPage } from '@fadump-lab/shared/store'
import { eventually } from '../support/eventually.ts'
import { assertRefused } from '../support/refusals.ts'
import { startRoom } from '../support/room.ts'

const GiB = 2 ** 30

/** A store that does not tell where memory is populated, which is what a vmcore needs first, while the gate is shut. */
class GatedStore extends HeapMemoryStore {
  gate: Promise<void> = Promise.resolve()

  override async populated(
    ...given: Parameters<HeapMemoryStore['populated']>
  ): Promise<PopulatedPage> {
    await this.gate
    return super.populated(...given)
  }
}

const rows = [
  ['activate', 'POST /partitions/p/activate', 409, /^partition p is capturing; .*not-activated$/],
  ['delete', 'DELETE /partitions/p', 409, /^partition p is capturing; deleting .*not-activated$/],
  ['delete the dump', 'DELETE /dumps/p-DUMP', 409, /^dump p-DUMP is capturing; .* has ended$/],
  ['download it', 'GET /dumps/p-DUMP/vmcore', 409, /^dump p-DUMP is capturing; .* is stored$/],
  ['read its manifest', 'GET /dumps/p-DUMP/manifest', 409, /^dump p-DUMP is capturing; .*stored$/],
  [
    'register',
    'PUT /partitions/p/sys/kernel/fadump_registered',
    403,
    /^\/sys\/kernel\/fadump_registered: .*\(EPERM\): a dump is active/,
    '1',
  ],
  [
    'release by something else than 1',
    'PUT /partitions/p/sys/kernel/fadump_release_mem',
    422,
    /^\/sys\/kernel\/fadump_release_mem: .*\(EINVAL\): "0" is not 1$/,
    '0',
  ],
] as const

suite('while a dump is captured', () => {
  test('what would harm it is refused, and it arrives whole', async (t) => {
    await using stack = new AsyncDisposableStack()
    const store = stack.use(new GatedStore())
    const queues = stack.use(createInProcessQueues({ clock: systemClock }))
    const room = stack.use(await startRoom({ store, queues, events: createHeapEventLog() }))
    const { routes } = room.api
    await room.api.boot({ id: 'p', memoryBytes: GiB, processors: 2 })
    const gate = Promise.withResolvers<void>()
    stack.defer(() => gate.resolve())
    store.gate = gate.promise
    const job = await routes.crash({ params: { partition: 'p' }, body: {} })
    await eventually('the collector has claimed the dump', async () => {
      const [dump] = await routes.listDumps({})
      return dump?.status === 'capturing' && (await room.api.partition('p')).state === 'capturing'
    })
    const [dump] = await routes.listDumps({})
    assert.ok(dump !== undefined)
    for (const [what, to, status, detail, body] of rows) {
      await t.test(`${what} is refused with ${status}`, () =>
        assertRefused(
          room,
          { to: to.replace('p-DUMP', dump.id), body },
          { status, detail: new RegExp(detail.source.replaceAll('p-DUMP', dump.id)) },
        ),
      )
    }
    gate.resolve()
    const ended = await room.api.done(job)
    assert.equal(ended.dump, dump.id)
    assert.equal((await routes.getDump({ params: { dump: dump.id } })).status, 'complete')
  })
})
