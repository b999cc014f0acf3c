/** Uploads that claim to be vmcores: refused by the rule they break, and nothing of them stays. */
import assert from 'node:assert/strict'
import test, { after, before, suite } from 'node:test'
import { aVmcore } from '../../packages/shared/src/elf/core-builder.ts'
import { eventually } from '../support/eventually.ts'
import { hostileCores } from '../support/hostile-cores.ts'
import { assertRefused } from '../support/refusals.ts'
import { startRoom, type Room } from '../support/room.ts'

suite('a hostile vmcore is refused by name and leaves nothing behind', () => {
  const state: { room?: Room } = {}
  const room = (): Room => {
    assert.ok(state.room !== undefined, 'the room is up')
    return state.room
  }
  before(async () => {
    state.room = await startRoom()
    await room().api.routes.createImage({ query: { id: 'good' }, body: aVmcore() })
  })
  after(() => state.room?.[Symbol.asyncDispose]())

  for (const { what, bytes, detail, status = 422, query, headers } of hostileCores) {
    test(`${what} is refused with ${status}`, () =>
      assertRefused(
        room(),
        {
          to: `POST /images?${new URLSearchParams({ id: 'hostile', ...query }).toString()}`,
          body: bytes,
          headers: { 'content-type': 'application/octet-stream', ...headers },
        },
        { status, detail },
      ))
  }

  const queries: readonly (readonly [query: string, status: number, detail: RegExp])[] = [
    ['', 400, /^query: id: .*received undefined$/],
    ['id=UPPER', 400, /^query: id: .*lower-case.*; found "UPPER"$/],
    ['id=a&colour=red', 400, /^query: Unrecognized key: "colour"$/],
    ['id=a&profile=v6', 400, /^query: profile: .*"v5"\|"modern"; found "v6"$/],
    ['id=a&frame=ghost', 404, /^there is no frame ghost; there are server-1$/],
    ['id=good', 409, /^there is an image good already$/],
  ]
  for (const [query, status, detail] of queries) {
    test(`a good vmcore with ?${query} is refused with ${status}`, () =>
      assertRefused(
        room(),
        {
          to: `POST /images?${query}`,
          body: aVmcore(),
          headers: { 'content-type': 'application/octet-stream' },
        },
        { status, detail },
      ))
  }

  test('the id of a refused image is free for a good one', async () => {
    const image = await room().api.routes.createImage({ query: { id: 'hostile' }, body: aVmcore() })
    assert.deepEqual([image.cpus, image.byteOrder], [2, 'little'])
  })

  test('an upload that breaks off leaves nothing behind', async () => {
    const { routes } = room().api
    const before = await room().store.usage('server-1')
    const bytes = aVmcore({
      loads: [{ physical: 0n, bytes: new Uint8Array(4 * 2 ** 20).fill(7) }],
    })
    async function* half(): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, bytes.length / 2)
      await Promise.reject(new Error('the sender dies'))
    }
    await assert.rejects(routes.createImage({ query: { id: 'broken' }, body: half() }))
    await routes.createImage({ query: { id: 'other' }, body: aVmcore() })
    await routes.deleteImage({ params: { image: 'other' } })
    await assert.rejects(routes.getImage({ params: { image: 'broken' } }), { slug: 'not-found' })
    await eventually('the memory of the broken upload is given back', async () => {
      const now = await room().store.usage('server-1')
      return now.pages === before.pages && now.spaces === before.spaces
    })
    await routes.createImage({ query: { id: 'broken' }, body: aVmcore() })
  })
})
