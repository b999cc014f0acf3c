/** Conformance: spaces come, are listed and go. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { byteLength, InvariantError, realAddress } from '../../units/index.ts'
import { recordBytesMax } from '../memory-store.ts'
import {
  aSpace,
  at,
  epoch0,
  fill,
  filled,
  firstBytes,
  newFrame,
  pages,
  refuses,
  sizeOf,
  writing,
  type Subject,
} from './subject.ts'

export function spacesConformance(subject: () => Subject): void {
  test('a new space has its size, epoch 0, version 0 and no page', async () => {
    const { store } = subject()
    const id = { frame: newFrame(), space: 'image/boot' }
    const created = await store.createSpace(id, byteLength(1n << 40n))
    const expected = { size: 1n << 40n, epoch: 0, version: 0, populatedPages: 0 }
    assert.deepEqual(created, expected)
    assert.deepEqual(await store.describe(id), expected)
    assert.deepEqual(await store.usage(id.frame), { spaces: 1, pages: 0, references: 0 })
  })

  test('a space that does not exist is described as undefined and refused elsewhere', async () => {
    const { store } = subject()
    const id = { frame: newFrame(), space: 'none' }
    assert.equal(await store.describe(id), undefined)
    await refuses('no-such-space', store.read(id, at(0), 1))
    await refuses('no-such-space', store.read(id, at(0), 0))
    await refuses('no-such-space', store.write(id, writing(at(0), filled(1)), epoch0))
    await refuses('no-such-space', store.write(id, writing(at(0), filled(1, 1)), epoch0))
    await refuses('no-such-space', store.populated(id, pages(0, 1), 1))
    await refuses('no-such-space', store.readRecord(id, 'state'))
    await refuses('no-such-space', store.commit(id, {}))
    await refuses('no-such-space', store.commit(id, { writes: [writing(at(0), filled(1))] }))
    await store.deleteSpace(id)
  })

  test('a name is taken until it is deleted, and the second attempt changes nothing', async () => {
    const { store } = subject()
    const id = { frame: newFrame(), space: 'p' }
    await store.createSpace(id, sizeOf(2), { state: 'running' })
    await refuses('space-exists', store.createSpace(id, sizeOf(4), { state: 'new' }))
    assert.equal((await store.describe(id))?.size, sizeOf(2))
    assert.equal((await store.readRecord(id, 'state')).value, 'running')
  })

  test('a space made again under the name of a deleted one has nothing of it', async () => {
    const { store } = subject()
    const id = await aSpace(store, 4)
    await fill(store, id, [1, 2, 3, 4])
    await store.commit(id, { records: { state: 'active' }, nextEpoch: true })
    await store.deleteSpace(id)
    await store.createSpace(id, sizeOf(4))
    assert.deepEqual(await firstBytes(store, id, 4), [0, 0, 0, 0])
    assert.equal((await store.readRecord(id, 'state')).value, undefined)
    const expected = { size: sizeOf(4), epoch: 0, version: 0, populatedPages: 0 }
    assert.deepEqual(await store.describe(id), expected)
  })

  test('frames and spaces are listed in ascending order, and a frame without spaces is not', async () => {
    const { store, second } = subject()
    const [a, b] = [newFrame(), newFrame()]
    for (const space of ['partition/p2', 'image/i1', 'partition/p10']) {
      await store.createSpace({ frame: a, space }, sizeOf(1))
    }
    await second.createSpace({ frame: b, space: 'partition/p1' }, sizeOf(1))
    assert.deepEqual(await second.listSpaces(a), ['image/i1', 'partition/p10', 'partition/p2'])
    assert.deepEqual(await store.listSpaces(newFrame()), [])
    const frames = await store.listFrames()
    assert.deepEqual(frames, frames.toSorted())
    assert.ok(frames.includes(a) && frames.includes(b))
    await store.deleteSpace({ frame: b, space: 'partition/p1' })
    assert.ok(!(await store.listFrames()).includes(b))
  })

  test('more spaces than one command brings are all listed', async () => {
    const { store } = subject()
    const frame = newFrame()
    const names = Array.from(
      { length: 1_001 },
      (_, n) => `partition/p${String(n).padStart(4, '0')}`,
    )
    await Promise.all(names.map((space) => store.createSpace({ frame, space }, sizeOf(1))))
    assert.deepEqual(await store.listSpaces(frame), names)
    assert.equal((await store.usage(frame)).spaces, 1_001)
    await Promise.all(names.map((space) => store.deleteSpace({ frame, space })))
    assert.deepEqual(await store.listSpaces(frame), [])
  })

  test('a record beyond the bound is refused when the space is made, and no space is made', async () => {
    const { store } = subject()
    const id = { frame: newFrame(), space: 'p' }
    const state = 'x'.repeat(recordBytesMax + 1)
    await refuses('too-large', store.createSpace(id, sizeOf(1), { state }))
    assert.equal(await store.describe(id), undefined)
  })

  test('names and sizes that no code may choose are programmer errors', async () => {
    const { store } = subject()
    const good = { frame: newFrame(), space: 'p' }
    const wrong = [
      store.createSpace({ ...good, frame: 'A' }, sizeOf(1)),
      store.createSpace({ ...good, frame: '{x}' }, sizeOf(1)),
      store.createSpace({ ...good, space: '' }, sizeOf(1)),
      store.createSpace({ ...good, space: 'p@1' }, sizeOf(1)),
      store.createSpace({ ...good, space: 'p'.repeat(129) }, sizeOf(1)),
      store.createSpace(good, byteLength(0)),
      store.createSpace(good, byteLength(65_537)),
      store.describe({ ...good, space: 'a b' }),
      store.listSpaces('a b'),
      store.populated(good, pages(0, 1), 0),
      store.commit(good, { cloneFrom: { frame: newFrame(), space: 'p' } }),
      store.read(good, realAddress(0), -1),
    ]
    for (const operation of wrong) await assert.rejects(operation, InvariantError)
  })

  test('the store answers a ping', async () => {
    await subject().store.ping()
  })
}
