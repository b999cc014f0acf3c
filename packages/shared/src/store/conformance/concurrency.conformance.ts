/** Conformance: what several processes see of each other. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pageSize, toVersion, transferBytesMax } from '../memory-store.ts'
import {
  aSpace,
  at,
  copying,
  epoch0,
  fill,
  filled,
  pages,
  sizeOf,
  writing,
  type Subject,
} from './subject.ts'

export function concurrencyConformance(subject: () => Subject): void {
  test('writers of different bytes of one page lose nothing', async () => {
    const { store, second } = subject()
    const id = await aSpace(store, 2)
    const count = 24
    await Promise.all(
      Array.from({ length: count }, async (_, n) => {
        const writer = n % 2 === 0 ? store : second
        for (let round = 1; round <= 4; round += 1) {
          const address = at(0, pageSize - 60 + n * 5)
          await writer.write(id, writing(address, filled(n * 10 + round, 5)), epoch0)
        }
      }),
    )
    const expected = Array.from({ length: count }, (_, n) => Array<number>(5).fill(n * 10 + 4))
    const read = await store.read(id, at(0, pageSize - 60), 5 * count)
    assert.deepEqual([...read], expected.flat())
  })

  test('writes and commits of different bytes of one page lose nothing', async () => {
    const { store, second } = subject()
    const id = await aSpace(store, 1)
    const writes = Array.from({ length: 20 }, (_, n) =>
      second.write(id, writing(at(0, n), filled(n + 1, 1)), epoch0),
    )
    for (let n = 20; n < 25; n += 1) {
      await store.commit(id, { writes: [writing(at(0, n), filled(n + 1, 1))] })
    }
    await Promise.all(writes)
    const read = await store.read(id, at(0), 25)
    assert.deepEqual(
      [...read],
      Array.from({ length: 25 }, (_, n) => n + 1),
    )
  })

  test('a read of 2 MiB sees a write or a commit as a whole or not at all', async () => {
    const { store, second } = subject()
    const id = await aSpace(store, 33)
    const start = at(0, 500)
    await store.write(id, writing(start, filled(1, transferBytesMax)), epoch0)
    let isDone = false
    const writer = (async () => {
      for (let value = 2; value <= 21; value += 1) {
        const write = writing(start, filled(value, transferBytesMax))
        if (value % 2 === 0) await store.write(id, write, epoch0)
        else await store.commit(id, { writes: [write] })
      }
      isDone = true
    })()
    let seen = 1
    while (!isDone) {
      const read = await second.read(id, start, transferBytesMax)
      const value = read[0] ?? 0
      assert.ok(read.every((byte) => byte === value) && value >= seen, 'whole, and never older')
      seen = value
    }
    await writer
  })

  test('an unaligned copy is never torn by a writer of its source', async () => {
    const { store, second } = subject()
    const id = await aSpace(store, 80)
    await fill(store, id, Array<number>(32).fill(1))
    let isDone = false
    const writer = (async () => {
      for (let value = 2; !isDone; value = (value % 250) + 1) {
        await second.write(id, writing(at(0), filled(value, 32 * pageSize)), epoch0)
      }
    })()
    for (let round = 0; round < 10; round += 1) {
      await store
        .commit(id, { copies: [copying(at(0), at(40, 1), 32 * pageSize)] })
        .catch(() => undefined)
      const copied = await store.read(id, at(40, 1), 32 * pageSize)
      assert.ok(copied.every((byte) => byte === copied[0]))
    }
    isDone = true
    await writer
  })

  test('a clone of a space that is being written sees each commit as a whole', async () => {
    const { store, second } = subject()
    const source = await aSpace(store, 16)
    const target = { ...source, space: 'partition/p2' }
    await store.createSpace(target, sizeOf(16))
    let isDone = false
    const writer = (async () => {
      for (let value = 1; !isDone; value = (value % 250) + 1) {
        await fill(second, source, Array<number>(16).fill(value))
      }
    })()
    for (let round = 0; round < 20; round += 1) {
      await store.commit(target, { cloneFrom: source })
      const cloned = await store.read(target, at(0), 16 * pageSize)
      assert.ok(cloned.every((byte) => byte === cloned[0]))
    }
    isDone = true
    await writer
  })

  test('commits that move pages around lose none of them', async () => {
    const { store, second } = subject()
    const id = await aSpace(store, 8)
    await fill(store, id, [1, 2, 3, 4, 5, 6, 7, 8])
    const turn = {
      copies: [copying(at(0), at(1), 7 * pageSize), copying(at(7), at(0), pageSize)],
    }
    await Promise.all(
      Array.from({ length: 24 }, (_, n) => (n % 2 === 0 ? store : second).commit(id, turn)),
    )
    const read = await store.read(id, at(0), 8 * pageSize)
    const first = Array.from({ length: 8 }, (_, page) => read[page * pageSize])
    assert.deepEqual(first, [1, 2, 3, 4, 5, 6, 7, 8])
    assert.deepEqual(await store.usage(id.frame), { spaces: 1, pages: 8, references: 8 })
  })

  test('spaces made, written and deleted side by side leave nothing', async () => {
    const { store, second, footprint } = subject()
    const id = await aSpace(store, 8)
    const before = await footprint()
    await Promise.all(
      Array.from({ length: 12 }, async (_, n) => {
        const own = { frame: id.frame, space: `partition/x${n % 4}` }
        const user = n % 2 === 0 ? store : second
        await user.createSpace(own, sizeOf(8)).catch(() => undefined)
        await user.write(own, writing(at(0, 9), filled(3, 5 * pageSize)), epoch0).catch(() => 0)
        await user.commit(own, { copies: [copying(at(0), at(3, 7), pageSize)] }).catch(() => 0)
        await user.deleteSpace(own)
      }),
    )
    assert.equal(await footprint(), before)
    assert.deepEqual(await store.usage(id.frame), { spaces: 1, pages: 0, references: 0 })
    const { version } = await store.commit(id, { clears: [pages(0, 8)] })
    assert.equal(version, toVersion(1))
  })
}
