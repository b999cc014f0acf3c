/** Conformance: records, versions and epochs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordBytesMax, recordsMax, toEpoch, toVersion } from '../memory-store.ts'
import {
  aSpace,
  at,
  epoch0,
  fill,
  filled,
  firstBytes,
  refuses,
  writing,
  type Subject,
} from './subject.ts'

export function recordsConformance(subject: () => Subject): void {
  test('records are set and removed together, and removing what is not set is no error', async () => {
    const { store } = subject()
    const id = await aSpace(store, 1)
    await store.commit(id, { records: { a: 'one', b: '', c: '… ü 𝄞\n\0"\\' } })
    assert.equal((await store.readRecord(id, 'a')).value, 'one')
    assert.equal((await store.readRecord(id, 'b')).value, '')
    assert.equal((await store.readRecord(id, 'c')).value, '… ü 𝄞\n\0"\\')
    await store.commit(id, { records: { a: null, b: 'two', never: null } })
    assert.deepEqual(await store.readRecord(id, 'a'), { value: undefined, version: 2, epoch: 0 })
    assert.deepEqual(await store.readRecord(id, 'b'), { value: 'two', version: 2, epoch: 0 })
  })

  test('every commit raises the version by one and gives it back', async () => {
    const { store } = subject()
    const id = await aSpace(store, 2)
    assert.deepEqual(await store.commit(id, {}), { version: 1, epoch: 0 })
    assert.deepEqual(await store.commit(id, { writes: [writing(at(0), filled(1))] }), {
      version: 2,
      epoch: 0,
    })
    assert.deepEqual(await store.commit(id, { nextEpoch: true }), { version: 3, epoch: 1 })
    assert.deepEqual(await store.readRecord(id, 'none'), { value: undefined, version: 3, epoch: 1 })
  })

  test('a record of 4 MiB is kept and one byte more is refused, counted in UTF-8', async () => {
    const { store } = subject()
    const id = await aSpace(store, 1)
    const most = 'ü'.repeat(recordBytesMax / 2)
    await store.commit(id, { records: { state: most } })
    assert.equal((await store.readRecord(id, 'state')).value, most)
    await refuses('too-large', store.commit(id, { records: { state: `${most}x` } }))
    assert.equal((await store.readRecord(id, 'state')).version, 1)
  })

  test('one change sets a bounded number of records', async () => {
    const { store } = subject()
    const id = await aSpace(store, 1)
    const names = Array.from({ length: recordsMax }, (_, n) => `r${n}`)
    const records = Object.fromEntries(names.map((name) => [name, name]))
    await store.commit(id, { records })
    assert.equal((await store.readRecord(id, 'r255')).value, 'r255')
    await refuses('too-large', store.commit(id, { records: { ...records, more: 'x' } }))
    await store.commit(id, { records: Object.fromEntries(names.map((name) => [name, null])) })
    assert.equal((await store.readRecord(id, 'r255')).value, undefined)
  })

  test('a commit that expects another version or epoch is refused and changes nothing', async () => {
    const { store, second } = subject()
    const id = await aSpace(store, 4)
    await fill(store, id, [1, 2, 3])
    const change = {
      records: { state: 'crashed' },
      clears: [{ start: at(0), end: at(1) }],
      writes: [writing(at(1, 100), filled(9))],
      nextEpoch: true,
    }
    const version = toVersion(1)
    const epoch = toEpoch(0)
    for (const [code, expect] of [
      ['version-conflict', { version: toVersion(0) }],
      ['version-conflict', { version: toVersion(2), epoch }],
      ['stale-epoch', { epoch: toEpoch(1) }],
      ['stale-epoch', { epoch: toEpoch(1), version: toVersion(7) }],
    ] as const) {
      await refuses(code, second.commit(id, { ...change, expect }))
      await refuses(code, second.commit(id, { records: { state: 'crashed' }, expect }))
    }
    assert.deepEqual(await firstBytes(store, id, 4), [1, 2, 3, 0])
    assert.deepEqual(await store.readRecord(id, 'state'), {
      value: undefined,
      version: 1,
      epoch: 0,
    })
    assert.deepEqual(await second.commit(id, { ...change, expect: { version, epoch } }), {
      version: 2,
      epoch: 1,
    })
  })

  test('of many who expect the same version exactly one succeeds', async () => {
    const { store, second } = subject()
    const id = await aSpace(store, 2)
    const expect = { version: toVersion(0) }
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) =>
        (n % 2 === 0 ? store : second).commit(id, {
          expect,
          records: { winner: String(n) },
          writes: [writing(at(0, 1_000), filled(n + 1))],
        }),
      ),
    )
    const winners = outcomes.flatMap(({ status }, n) => (status === 'fulfilled' ? [n] : []))
    assert.equal(winners.length, 1)
    const winner = winners[0] ?? -1
    assert.deepEqual(await store.readRecord(id, 'winner'), {
      value: String(winner),
      version: 1,
      epoch: 0,
    })
    assert.deepEqual(await store.read(id, at(0, 1_000), 1), filled(winner + 1, 1))
  })

  test('an epoch that begins in the middle of writes fences those that come after it', async () => {
    const { store, second } = subject()
    const id = await aSpace(store, 1)
    const writes = Array.from({ length: 40 }, (_, n) =>
      second.write(id, writing(at(0, n), filled(n + 1, 1)), epoch0),
    )
    const fence = store.commit(id, { nextEpoch: true, records: { fence: 'up' } })
    const settled = Promise.allSettled(writes)
    await fence
    const seen = await store.read(id, at(0), 40)
    const outcomes = await settled
    assert.deepEqual(await store.read(id, at(0), 40), seen, 'nothing is written after the fence')
    outcomes.forEach(({ status }, n) => {
      assert.equal(seen[n], status === 'fulfilled' ? n + 1 : 0, `write ${n} was ${status}`)
    })
  })
}
