/** Conformance: equal pages cost once, and everything is given back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pageSize } from '../memory-store.ts'
import {
  aSpace,
  at,
  copying,
  epoch0,
  fill,
  filled,
  newFrame,
  pages,
  refuses,
  sizeOf,
  writing,
  type Subject,
} from './subject.ts'

export function sharingConformance(subject: () => Subject): void {
  test('two partitions with equal pages cost the pages once', async () => {
    const { store } = subject()
    const first = await aSpace(store, 8)
    const second = { ...first, space: 'partition/p2' }
    await store.createSpace(second, sizeOf(8))
    const values = [1, 2, 3, 1, 1, 2, 3]
    await fill(store, first, values)
    for (const [page, value] of values.entries()) {
      await store.write(second, writing(at(page), filled(value)), epoch0)
    }
    assert.deepEqual(await store.usage(first.frame), { spaces: 2, pages: 3, references: 14 })
    await store.deleteSpace(first)
    assert.deepEqual(await store.usage(first.frame), { spaces: 1, pages: 3, references: 7 })
  })

  test('frames share nothing with each other', async () => {
    const { store } = subject()
    const [a, b] = [await aSpace(store, 1), await aSpace(store, 1)]
    await fill(store, a, [1])
    await fill(store, b, [1])
    await store.deleteSpace(a)
    assert.deepEqual(await store.usage(b.frame), { spaces: 1, pages: 1, references: 1 })
    assert.deepEqual(await store.usage(a.frame), { spaces: 0, pages: 0, references: 0 })
  })

  test('a page that is replaced, cleared or overwritten by a copy is given back', async () => {
    const { store } = subject()
    const id = await aSpace(store, 8)
    await fill(store, id, [1, 2, 3, 4])
    await store.write(id, writing(at(0), filled(9)), epoch0)
    await store.write(id, writing(at(0), filled(9)), epoch0)
    await store.commit(id, { clears: [pages(1, 2)], copies: [copying(at(3), at(2), pageSize)] })
    assert.deepEqual(await store.usage(id.frame), { spaces: 1, pages: 2, references: 3 })
    await store.commit(id, { copies: [copying(at(0, 1), at(2, 5), 5 * pageSize)] })
    await store.commit(id, { clears: [pages(0, 8)] })
    assert.deepEqual(await store.usage(id.frame), { spaces: 1, pages: 0, references: 0 })
  })

  test('refused changes cost nothing', async () => {
    const { store, footprint } = subject()
    const id = await aSpace(store, 64)
    await fill(store, id, [1, 2, 3])
    const before = await footprint()
    const expect = { epoch: epoch0 }
    await store.commit(id, { nextEpoch: true })
    await refuses('stale-epoch', store.write(id, writing(at(1), filled(77)), epoch0))
    await refuses('stale-epoch', store.write(id, writing(at(1, 7), filled(77)), epoch0))
    await refuses('stale-epoch', store.commit(id, { expect, writes: [writing(at(9), filled(77))] }))
    const copies = [copying(at(0, 1), at(8), 4 * pageSize)]
    await refuses('stale-epoch', store.commit(id, { expect, copies }))
    assert.equal(await footprint(), before)
  })

  test('after all spaces are deleted the store is as large as before', async () => {
    const { store, footprint } = subject()
    const before = await footprint()
    const frame = newFrame()
    const [a, b] = [
      { frame, space: 'partition/a' },
      { frame, space: 'partition/b' },
    ]
    await store.createSpace(a, sizeOf(20_000), { state: 'running' })
    await store.createSpace(b, sizeOf(20_000))
    await fill(store, a, [1, 2, 3, 4, 5, 6, 7])
    await store.write(a, writing(at(15_000, 9), filled(8, 3 * pageSize)), epoch0)
    await store.commit(b, { cloneFrom: a, copies: [copying(at(0, 3), at(9_000), 6 * pageSize)] })
    await store.commit(b, { records: { state: 'dumping' }, nextEpoch: true })
    await store.deleteSpace(a)
    await store.deleteSpace(a)
    await store.deleteSpace(b)
    assert.equal(await footprint(), before)
    assert.deepEqual(await store.usage(frame), { spaces: 0, pages: 0, references: 0 })
  })
}
