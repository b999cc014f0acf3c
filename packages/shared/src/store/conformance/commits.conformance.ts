/** Conformance: what a commit does to memory. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { byteLength, memoryRange } from '../../units/index.ts'
import { changeOperationsMax, commitBytesMax, pageSize } from '../memory-store.ts'
import {
  aSpace,
  at,
  copying,
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

export function commitsConformance(subject: () => Subject): void {
  test('clears, copies and writes apply in this order, the last of a list wins', async () => {
    const { store } = subject()
    const id = await aSpace(store, 8)
    await fill(store, id, [1, 2, 3, 4, 5, 6, 7])
    await store.commit(id, {
      writes: [writing(at(2), filled(20)), writing(at(2), filled(21)), writing(at(7), filled(22))],
      copies: [copying(at(0), at(1), 2 * pageSize), copying(at(6), at(1), pageSize)],
      clears: [pages(0, 2), pages(4, 6)],
    })
    assert.deepEqual(await firstBytes(store, id, 8), [0, 7, 21, 4, 0, 0, 7, 22])
  })

  test('copies read the memory as it was before the commit', async () => {
    const { store } = subject()
    const id = await aSpace(store, 4)
    await fill(store, id, [1, 2, 3, 4])
    await store.commit(id, {
      clears: [pages(0, 4)],
      copies: [copying(at(0), at(1), pageSize), copying(at(1), at(0), pageSize)],
      writes: [writing(at(3), filled(9))],
    })
    assert.deepEqual(await firstBytes(store, id, 4), [2, 1, 0, 9])
  })

  for (const [what, source, target, expected] of [
    ['upwards', 0, 1, [1, 1, 2, 3, 5, 6]],
    ['downwards', 2, 1, [1, 3, 0, 5, 5, 6]],
    ['onto itself', 1, 1, [1, 2, 3, 0, 5, 6]],
  ] as const) {
    test(`pages copied ${what} over their own source are moved whole`, async () => {
      const { store } = subject()
      const id = await aSpace(store, 6)
      await fill(store, id, [1, 2, 3, 0, 5, 6])
      await store.commit(id, { copies: [copying(at(source), at(target), 3 * pageSize)] })
      assert.deepEqual(await firstBytes(store, id, 6), expected)
      assert.equal((await store.usage(id.frame)).pages, new Set(expected.filter(Boolean)).size)
    })
  }

  for (const [what, shift] of [
    ['one byte up', 1],
    ['one byte down', -1],
    ['4 KiB up', 4_096],
    ['a page and a byte up', pageSize + 1],
    ['two pages less one byte down', -2 * pageSize + 1],
  ] as const) {
    test(`an unaligned copy, ${what}, over its own source gives every byte its place`, async () => {
      const { store } = subject()
      const id = await aSpace(store, 8)
      const before = Uint8Array.from({ length: 8 * pageSize }, (_, n) => (n * 31 + (n >> 8)) % 253)
      const [start, length] = [2 * pageSize + 77, 3 * pageSize + 1_234]
      await store.commit(id, { writes: [writing(at(0), before)] })
      await store.commit(id, { copies: [copying(at(0, start), at(0, start + shift), length)] })
      const expected = before.slice()
      expected.set(before.subarray(start, start + length), start + shift)
      assert.deepEqual(await store.read(id, at(0), 8 * pageSize), expected)
    })
  }

  test('a copy with the same offset in the page shares its whole pages', async () => {
    const { store } = subject()
    const id = await aSpace(store, 32)
    await fill(store, id, [1, 2, 3, 4, 5, 6, 7, 8])
    const length = 6 * pageSize
    await store.commit(id, { copies: [copying(at(0, 512), at(16, 512), length)] })
    assert.deepEqual(await store.read(id, at(16, 511), 2), Uint8Array.of(0, 1))
    assert.deepEqual(await store.read(id, at(22, 511), 2), Uint8Array.of(7, 0))
    // Eight pages before; the copy adds its first and last page, and shares the five between.
    assert.deepEqual(await store.usage(id.frame), { spaces: 1, pages: 10, references: 15 })
  })

  test('copying absent memory makes the target absent', async () => {
    const { store } = subject()
    const id = await aSpace(store, 16)
    await fill(store, id, [1, 2, 3, 4, 5, 6, 7, 8])
    await store.commit(id, { copies: [copying(at(8), at(0), 2 * pageSize)] })
    await store.commit(id, { copies: [copying(at(8, 5), at(2, 1), 4 * pageSize)] })
    assert.deepEqual(await store.populated(id, pages(0, 16), 9), {
      ranges: [pages(2, 3), pages(6, 8)],
    })
    assert.deepEqual(await store.read(id, at(2), 2), Uint8Array.of(3, 0))
    assert.deepEqual(await store.read(id, at(6), 2), Uint8Array.of(0, 7))
  })

  test('an unaligned copy across a tebibyte takes only what lies there', async () => {
    const { store } = subject()
    const id = { frame: newFrame(), space: 'large' }
    await store.createSpace(id, byteLength(1n << 41n))
    const last = (1 << 24) - 1
    await store.commit(id, { writes: [0, 5_000, last].map((page) => writing(at(page), filled(3))) })
    const tebibyte = byteLength(1n << 40n)
    const copy = { source: at(0), target: at(1 << 24, 100), length: byteLength(tebibyte - 100n) }
    await store.commit(id, { copies: [copy] })
    assert.equal((await store.describe(id))?.populatedPages, 3 + 2 + 2 + 1)
    assert.deepEqual(await store.read(id, at(2 * (1 << 24), -2), 2), filled(3, 2))
    assert.deepEqual(await store.read(id, at((1 << 24) + 5_001, 98), 4), Uint8Array.of(3, 3, 0, 0))
  })

  test('clearing takes any range, also of a space that is mostly absent', async () => {
    const { store } = subject()
    const id = { frame: newFrame(), space: 'large' }
    await store.createSpace(id, byteLength(1n << 40n))
    await fill(store, id, [1, 2, 3, 4])
    await store.commit(id, {
      clears: [memoryRange(at(1, 10), at(1, 20)), memoryRange(at(2, 1), at(4))],
    })
    assert.deepEqual(await store.read(id, at(1, 9), 12), Uint8Array.of(2, ...filled(0, 10), 2))
    assert.deepEqual(await store.read(id, at(2), 2), Uint8Array.of(3, 0))
    assert.equal((await store.describe(id))?.populatedPages, 3)
    await store.commit(id, { clears: [pages(0, 1 << 24)] })
    assert.deepEqual(await store.usage(id.frame), { spaces: 1, pages: 0, references: 0 })
  })

  test('empty ranges are no change', async () => {
    const { store } = subject()
    const id = await aSpace(store, 2)
    await fill(store, id, [1, 2])
    await store.commit(id, {
      clears: [memoryRange(at(0, 5), at(0, 5))],
      copies: [copying(at(0), at(1), 0)],
      writes: [writing(at(2), filled(0, 0))],
    })
    assert.deepEqual(await firstBytes(store, id, 2), [1, 2])
  })

  test('a range that is out of range refuses the whole commit', async () => {
    const { store } = subject()
    const id = await aSpace(store, 4)
    await fill(store, id, [1, 2, 3, 4])
    const good = { records: { state: 'new' }, writes: [writing(at(0), filled(9))] }
    for (const change of [
      { clears: [memoryRange(at(3), at(4, 1))] },
      { copies: [copying(at(3, 1), at(0), pageSize)] },
      { copies: [copying(at(0), at(3, 1), pageSize)] },
      { writes: [...good.writes, writing(at(3, 1), filled(9))] },
    ]) {
      await refuses('out-of-range', store.commit(id, { ...good, ...change }))
    }
    assert.deepEqual(await firstBytes(store, id, 4), [1, 2, 3, 4])
    assert.deepEqual(await store.readRecord(id, 'state'), {
      value: undefined,
      version: 1,
      epoch: 0,
    })
  })

  test('one commit carries 64 MiB of writes at any alignment, and not a byte more', async () => {
    const { store, second } = subject()
    const id = await aSpace(store, 1_100)
    const bytes = filled(5, commitBytesMax)
    await store.commit(id, { writes: [writing(at(3, 1_111), bytes)] })
    assert.equal((await second.describe(id))?.populatedPages, 1_025)
    assert.equal((await second.usage(id.frame)).pages, 3)
    const writes = [writing(at(3), bytes), writing(at(2), filled(1, 1))]
    await refuses('too-large', store.commit(id, { writes }))
    await refuses('too-large', store.commit(id, { writes, cloneFrom: id }))
  })

  test('one commit makes a bounded number of changes', async () => {
    const { store } = subject()
    const id = await aSpace(store, 2)
    await fill(store, id, [1, 1])
    const clears = Array.from({ length: changeOperationsMax }, (_, n) =>
      memoryRange(at(0, 4 * n), at(0, 4 * n + 1)),
    )
    await store.commit(id, { clears })
    assert.deepEqual(await store.read(id, at(0), 6), Uint8Array.of(0, 1, 1, 1, 0, 1))
    assert.deepEqual(await store.read(id, at(1, -4), 6), Uint8Array.of(0, 1, 1, 1, 1, 1))
    await refuses('too-large', store.commit(id, { clears: [...clears, pages(0, 1)] }))
  })

  test('a clone has the memory of its source and shares every page of it', async () => {
    const { store } = subject()
    const source = await aSpace(store, 4)
    const target = { ...source, space: 'partition/p2' }
    await store.createSpace(target, sizeOf(8), { name: 'p2' })
    await fill(store, source, [1, 0, 3, 4])
    await fill(store, target, [0, 9, 9, 9, 9, 9])
    await store.commit(target, { cloneFrom: source })
    assert.deepEqual(await firstBytes(store, target, 8), [1, 0, 3, 4, 0, 0, 0, 0])
    assert.deepEqual(await store.usage(source.frame), { spaces: 2, pages: 3, references: 6 })
    assert.equal((await store.readRecord(target, 'name')).value, 'p2')
    await fill(store, target, [7])
    assert.deepEqual(await firstBytes(store, source, 4), [1, 0, 3, 4])
  })

  test('clears, copies and writes of a clone start from the memory of its source', async () => {
    const { store } = subject()
    const source = await aSpace(store, 6)
    const target = { ...source, space: 'partition/p2' }
    await store.createSpace(target, sizeOf(6))
    await fill(store, source, [1, 2, 3, 4, 5, 6])
    await fill(store, target, [11, 12, 13, 14, 15, 16])
    await store.commit(target, {
      cloneFrom: source,
      clears: [pages(0, 2)],
      copies: [copying(at(4), at(1), pageSize), copying(at(2, 1), at(3), pageSize)],
      writes: [writing(at(5, 1), filled(20, 2))],
    })
    assert.deepEqual(await firstBytes(store, target, 3), [0, 5, 3])
    assert.deepEqual(await store.read(target, at(4, -2), 3), Uint8Array.of(3, 4, 5))
    assert.deepEqual(await store.read(target, at(5), 4), Uint8Array.of(6, 20, 20, 6))
  })

  test('a clone of itself, of nothing, and of a larger space', async () => {
    const { store } = subject()
    const id = await aSpace(store, 2)
    await fill(store, id, [1, 2])
    await store.commit(id, { cloneFrom: id, copies: [copying(at(0), at(1), pageSize)] })
    assert.deepEqual(await firstBytes(store, id, 2), [1, 1])
    const larger = { ...id, space: 'larger' }
    await store.createSpace(larger, sizeOf(3))
    await refuses('out-of-range', store.commit(id, { cloneFrom: larger }))
    await refuses('no-such-space', store.commit(id, { cloneFrom: { ...id, space: 'none' } }))
    assert.deepEqual(await firstBytes(store, id, 2), [1, 1])
  })
}
