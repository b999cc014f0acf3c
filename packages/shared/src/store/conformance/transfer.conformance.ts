/** Conformance: reading, writing and listing memory. */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import { byteLength, memoryRange, realAddress } from '../../units/index.ts'
import {
  digestPagesMax,
  pageSize,
  toEpoch,
  transferBytesMax,
  type MemoryStore,
  type SpaceId,
} from '../memory-store.ts'
import {
  aSpace,
  at,
  copying,
  epoch0,
  fill,
  filled,
  firstBytes,
  newFrame,
  pages,
  refuses,
  writing,
  type Subject,
} from './subject.ts'

export function transferConformance(subject: () => Subject): void {
  test('absent pages read as zeros', async () => {
    const { store } = subject()
    const id = await aSpace(store, 40)
    assert.deepEqual(await store.read(id, at(3, 17), transferBytesMax), filled(0, transferBytesMax))
  })

  test('the digest of a page is the SHA-256 of what a read gives; an absent page has none', async () => {
    const { store } = subject()
    const id = await aSpace(store, 6)
    await fill(store, id, [1, 0, 2, 1])
    await store.commit(id, { copies: [copying(at(0, 5), at(4), pageSize)] })
    const read = await Promise.all([0, 4].map((page) => store.read(id, at(page), pageSize)))
    const [first, shifted] = read.map((body) => hash('sha256', body))
    const [, , third] = await store.digests(id, pages(0, 3))
    assert.match(third ?? '', /^[0-9a-f]{64}$/)
    assert.deepEqual(await store.digests(id, pages(0, 6)), [
      first,
      undefined,
      third,
      first,
      shifted,
      undefined,
    ])
    assert.deepEqual(await store.digests(id, pages(6, 6)), [])
    await refuses('out-of-range', store.digests(id, pages(5, 7)))
    await refuses('too-large', store.digests(id, pages(0, digestPagesMax + 1)))
    await refuses('no-such-space', store.digests({ ...id, space: 'nobody' }, pages(0, 1)))
  })

  for (const [what, address, length] of [
    ['the last byte', at(4, -1), 1],
    ['the last page', at(3), pageSize],
    ['nothing at the very end', at(4), 0],
    ['everything', at(0), 4 * pageSize],
  ] as const) {
    test(`${what} of a space can be read and written`, async () => {
      const { store } = subject()
      const id = await aSpace(store, 4)
      await store.write(id, writing(address, filled(7, length)), epoch0)
      assert.deepEqual(await store.read(id, address, length), filled(7, length))
    })
  }

  for (const [what, address, length] of [
    ['one byte at the end', at(4), 1],
    ['a page that ends one byte beyond', at(3, 1), pageSize],
    ['nothing beyond the end', at(4, 1), 0],
    ['the last byte of the address space', realAddress(0xffff_ffff_ffff_ffffn), 1],
    ['a byte beyond 2^53', realAddress((1n << 53n) + 1n), 1],
  ] as const) {
    test(`${what} is out of range for read, write and commit`, async () => {
      const { store } = subject()
      const id = await aSpace(store, 4)
      const write = writing(address, filled(7, length))
      const copy = { source: address, target: at(0), length: byteLength(length) }
      await refuses('out-of-range', store.read(id, address, length))
      await refuses('out-of-range', store.write(id, write, epoch0))
      if (length > 0) await refuses('out-of-range', store.commit(id, { writes: [write] }))
      if (length > 0) await refuses('out-of-range', store.commit(id, { copies: [copy] }))
      assert.equal((await store.describe(id))?.populatedPages, 0)
    })
  }

  test('one transfer moves 2 MiB at any alignment, and not a byte more', async () => {
    const { store } = subject()
    const id = await aSpace(store, 64)
    const bytes = Uint8Array.from({ length: transferBytesMax }, (_, n) => (n * 7 + 1) % 251)
    await store.write(id, writing(at(1, 12_345), bytes), epoch0)
    assert.deepEqual(await store.read(id, at(1, 12_345), transferBytesMax), bytes)
    assert.deepEqual(await store.read(id, at(1, 12_344), 1), filled(0, 1))
    const more = writing(at(0), filled(1, transferBytesMax + 1))
    await refuses('too-large', store.read(id, at(0), transferBytesMax + 1))
    await refuses('too-large', store.write(id, more, epoch0))
  })

  test('the first refusal that applies is given', async () => {
    const { store } = subject()
    const none = { frame: newFrame(), space: 'none' }
    const id = await aSpace(store, 1)
    await refuses('too-large', store.read(none, at(9), transferBytesMax + 1))
    await refuses('out-of-range', store.write(id, writing(at(1), filled(1)), toEpoch(9)))
    await refuses('out-of-range', store.write(id, writing(at(0, 1), filled(1)), toEpoch(9)))
  })

  test('memory beyond 4 GiB and across a 256 MiB boundary keeps its place', async () => {
    const { store } = subject()
    const id = { frame: newFrame(), space: 'large' }
    await store.createSpace(id, byteLength(1n << 40n))
    for (const address of [0xfff_ff80n, 0x1_0fff_ffc0n, 0xff_ffff_ff00n]) {
      const bytes = Uint8Array.from({ length: 256 }, (_, n) => n)
      await store.write(id, writing(realAddress(address), bytes), epoch0)
      assert.deepEqual(await store.read(id, realAddress(address), 256), bytes)
    }
    assert.equal((await store.describe(id))?.populatedPages, 5)
  })

  test('the caller may reuse what it wrote and change what it read', async () => {
    const { store } = subject()
    const id = await aSpace(store, 1)
    const bytes = filled(5)
    await store.write(id, writing(at(0), bytes), epoch0)
    bytes.fill(6)
    const read = await store.read(id, at(0), pageSize)
    read.fill(7)
    assert.deepEqual(await store.read(id, at(0), pageSize), filled(5))
  })

  test('a page that becomes all zero becomes absent', async () => {
    const { store } = subject()
    const id = await aSpace(store, 4)
    await store.write(id, writing(at(0, 100), filled(9, pageSize)), epoch0)
    assert.equal((await store.describe(id))?.populatedPages, 2)
    await store.write(id, writing(at(0, 100), filled(0, pageSize - 100)), epoch0)
    assert.equal((await store.describe(id))?.populatedPages, 1)
    await store.write(id, writing(at(1), filled(0)), epoch0)
    assert.deepEqual(await store.usage(id.frame), { spaces: 1, pages: 0, references: 0 })
  })

  test('a write changes neither version nor epoch', async () => {
    const { store } = subject()
    const id = await aSpace(store, 1)
    await store.commit(id, {})
    await store.write(id, writing(at(0), filled(1)), epoch0)
    const { version, epoch } = await store.readRecord(id, 'none')
    assert.deepEqual({ version, epoch }, { version: 1, epoch: 0 })
  })

  test('a writer of another epoch is refused and changes nothing', async () => {
    const { store, second } = subject()
    const id = await aSpace(store, 2)
    await fill(store, id, [1, 2])
    await store.commit(id, { nextEpoch: true })
    for (const epoch of [0, 2]) {
      const whole = writing(at(0), filled(9))
      await refuses('stale-epoch', second.write(id, whole, toEpoch(epoch)))
      await refuses(
        'stale-epoch',
        second.write(id, writing(at(1, 5), filled(9, 5)), toEpoch(epoch)),
      )
      await refuses('stale-epoch', second.write(id, writing(at(0), filled(0, 0)), toEpoch(epoch)))
    }
    assert.deepEqual(await firstBytes(store, id, 2), [1, 2])
    assert.equal((await store.usage(id.frame)).pages, 2)
    await second.write(id, writing(at(0), filled(9)), toEpoch(1))
    assert.deepEqual(await firstBytes(store, id, 2), [9, 2])
  })

  test('populated ranges are joined, ascending, page-aligned and within what was asked', async () => {
    const { store } = subject()
    const id = await aSpace(store, 16)
    await fill(store, id, [1, 1, 0, 0, 1, 0, 1, 1, 1])
    const whole = await store.populated(id, pages(0, 16), 10)
    assert.deepEqual(whole, { ranges: [pages(0, 2), pages(4, 5), pages(6, 9)] })
    const part = await store.populated(id, memoryRange(at(1, 5), at(7, 1)), 10)
    assert.deepEqual(part, { ranges: [pages(1, 2), pages(4, 5), pages(6, 8)] })
    assert.deepEqual(await store.populated(id, pages(9, 16), 10), { ranges: [] })
    assert.deepEqual(await store.populated(id, pages(0, 0), 10), { ranges: [] })
    await refuses('out-of-range', store.populated(id, memoryRange(at(0), at(16, 1)), 1))
  })

  test('populated ranges come a few at a time, and every page comes exactly once', async () => {
    const { store } = subject()
    const id = { frame: newFrame(), space: 'large' }
    await store.createSpace(id, byteLength(1n << 40n))
    const present = [0, 1, 3, 4_095, 4_096, 5_000, 70_000, 1_000_000, 9_999_999, 16_777_215]
    await store.commit(id, { writes: present.map((page) => writing(at(page), filled(1))) })
    for (const limit of [1, 2, 100]) {
      assert.deepEqual(await allPopulated(store, id, limit), present)
    }
  })

  test('a full leaf is listed like any other', async () => {
    const { store } = subject()
    const id = await aSpace(store, 3 * 4_096)
    await store.write(id, writing(at(4_096), filled(1)), epoch0)
    for (let count = 1; count < 4_096; count *= 2) {
      const length = byteLength(count * pageSize)
      await store.commit(id, { copies: [{ source: at(4_096), target: at(4_096 + count), length }] })
    }
    assert.deepEqual(await store.populated(id, pages(0, 3 * 4_096), 9), {
      ranges: [pages(4_096, 8_192)],
    })
    const part = await store.populated(id, pages(4_100, 8_000), 9)
    assert.deepEqual(part, { ranges: [pages(4_100, 8_000)] })
    assert.deepEqual(await store.usage(id.frame), { spaces: 1, pages: 1, references: 4_096 })
  })
}

async function allPopulated(store: MemoryStore, id: SpaceId, limit: number): Promise<number[]> {
  const found: number[] = []
  const end = at(1 << 24)
  for (let next = at(0); next < end;) {
    const part = await store.populated(id, memoryRange(next, end), limit)
    assert.ok(part.ranges.length <= limit)
    for (const range of part.ranges) {
      for (let address = range.start as bigint; address < range.end; address += 65_536n) {
        found.push(Number(address / 65_536n))
      }
    }
    next = part.next ?? end
  }
  return found
}
