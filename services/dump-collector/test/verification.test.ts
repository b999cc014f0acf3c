import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import test, { suite } from 'node:test'
import { openRoom, readJson } from './collector-room.ts'
import {
  aVmcore,
  cutAfter,
  flattened,
  partBytes,
  refusal,
  startFakeKernel,
  wholeFile,
  type SparseVmcore,
} from './fake-kernel.ts'

const vmcore = aVmcore({ pages: [0, 1, 2, 9, 10, 40] })

/** One bit of the page at `offset` is another. */
function withFlippedBit(honest: SparseVmcore, offset: number): SparseVmcore {
  const parts = honest.parts.map((part) => {
    if (part.offset !== offset) return part
    const bytes = part.bytes.slice()
    bytes[1234] = (bytes[1234] ?? 0) ^ 1
    return { ...part, bytes }
  })
  return { ...honest, parts }
}

const without = (honest: SparseVmcore, offset: number): SparseVmcore => ({
  ...honest,
  parts: honest.parts.filter((part) => part.offset !== offset),
})

suite('what was written is read again and', () => {
  for (const [what, corrupted] of [
    ['a page with a flipped bit', withFlippedBit(vmcore, 9 * partBytes)],
    ['a page that was left out', without(vmcore, 9 * partBytes)],
  ] as const) {
    test(`${what} is fetched once more`, async () => {
      await using room = await openRoom()
      await using kernel = await startFakeKernel(vmcore)
      kernel.behave({
        vmcore: (from, request) => flattened(request === 1 ? corrupted : vmcore, from),
      })
      await using collector = await room.startCollector()
      await room.announce(kernel.job)
      await room.idle()
      assert.deepEqual(kernel.froms, [0, 9 * partBytes])
      const dump = await collector.client.getDump({ params: { dump: 'p1-1' } })
      assert.equal(dump.status, 'complete')
      assert.deepEqual(
        new Uint8Array(await readFile(room.path('p1', 'p1-1', 'vmcore'))),
        wholeFile(vmcore),
      )
      assert.deepEqual((await room.story('p1-1')).slice(2, 6), [
        'transferred>verifying',
        'mismatch>transferring',
        'transferred>verifying',
        'verified>storing',
      ])
    })
  }

  test('a page that stays different after three further transfers is told as missing', async () => {
    const corrupted = withFlippedBit(vmcore, 9 * partBytes)
    await using room = await openRoom()
    await using kernel = await startFakeKernel(vmcore)
    kernel.behave({ vmcore: (from) => flattened(corrupted, from) })
    await using collector = await room.startCollector()
    await room.announce(kernel.job)
    await room.idle()
    const page = 9 * partBytes
    assert.deepEqual(kernel.froms, [0, page, page, page])
    const dump = await collector.client.getDump({ params: { dump: 'p1-1' } })
    assert.equal(dump.status, 'partial')
    assert.deepEqual(dump.missing, [{ offset: BigInt(page), length: BigInt(partBytes) }])
    assert.match(dump.failure ?? '', /1 of 6 entries differ from the manifest/)
    assert.equal(dump.released, false)
    assert.ok(!kernel.requests.some((request) => request.startsWith('release')))
  })

  test('a dump in which no page has its digest has failed', async () => {
    const single = aVmcore({ pages: [3] })
    await using room = await openRoom()
    await using kernel = await startFakeKernel(single)
    kernel.behave({ vmcore: (from) => flattened(withFlippedBit(single, 3 * partBytes), from) })
    await using collector = await room.startCollector()
    await room.announce(kernel.job)
    await room.idle()
    const dump = await collector.client.getDump({ params: { dump: 'p1-1' } })
    assert.deepEqual([dump.status, dump.released], ['failed', false])
  })
})

suite('a partition that is gone', () => {
  const causes = [
    ['ENOENT of /proc/vmcore', () => refusal('errno', 'ENOENT')],
    ['an unknown partition', () => refusal('not-found')],
    ['another boot', () => refusal('stale-boot')],
    ['a partition that is off', () => refusal('wrong-state')],
  ] as const
  for (const [what, problem] of causes) {
    test(`within the transfer (${what}) leaves a partial dump with exactly what is missing`, async () => {
      await using room = await openRoom()
      await using kernel = await startFakeKernel(vmcore)
      // Header, pages 0 and 1, and half of page 2 come.
      const sentBytes = 4096 + 2.5 * partBytes + 3 * 16
      kernel.behave({
        vmcore: (from, request) => {
          if (request === 1) return cutAfter(flattened(vmcore, from), sentBytes)
          throw problem()
        },
      })
      await using collector = await room.startCollector()
      await room.announce(kernel.job)
      await room.idle()
      const dump = await collector.client.getDump({ params: { dump: 'p1-1' } })
      assert.deepEqual([dump.status, dump.step, dump.attempts], ['partial', 'failed', 1])
      assert.deepEqual(
        dump.missing.map(({ offset, length }) => [Number(offset), Number(length)]),
        [
          [2 * partBytes, partBytes],
          [9 * partBytes, 2 * partBytes],
          [40 * partBytes, partBytes],
        ],
      )
      assert.match(dump.failure ?? '', /4 of 6 entries are missing: refused: /)
      assert.equal(dump.released, false)
      const file = await readFile(room.path('p1', 'p1-1', 'vmcore'))
      assert.equal(file.byteLength, vmcore.sizeBytes)
      const verified = wholeFile(vmcore).subarray(0, 2 * partBytes)
      assert.deepEqual(new Uint8Array(file.subarray(0, 2 * partBytes)), verified)
      const summary = (await readJson(room.path('p1', 'p1-1', 'manifest.json'))) as {
        status: string
        missing: unknown[]
      }
      assert.deepEqual([summary.status, summary.missing.length], ['partial', 3])
    })
  }

  test('before its manifest leaves a failed dump that says why', async () => {
    await using room = await openRoom()
    await using kernel = await startFakeKernel(vmcore)
    kernel.behave({
      manifest: () => {
        throw refusal('errno', 'ENOENT')
      },
    })
    await using collector = await room.startCollector()
    await room.announce(kernel.job)
    await room.idle()
    const dump = await collector.client.getDump({ params: { dump: 'p1-1' } })
    assert.deepEqual([dump.status, dump.attempts], ['failed', 1])
    assert.equal(dump.failure, 'the dump was gone before its manifest was read: refused: ENOENT')
  })

  test('before the first byte leaves a failed dump', async () => {
    await using room = await openRoom()
    await using kernel = await startFakeKernel(vmcore)
    kernel.behave({
      vmcore: () => {
        throw refusal('errno', 'ENOENT')
      },
    })
    await using collector = await room.startCollector()
    await room.announce(kernel.job)
    await room.idle()
    const dump = await collector.client.getDump({ params: { dump: 'p1-1' } })
    assert.equal(dump.status, 'failed')
    assert.match(dump.failure ?? '', /6 of 6 entries are missing/)
  })

  test('after its last byte, but before the end marker, has been collected completely', async () => {
    await using room = await openRoom()
    await using kernel = await startFakeKernel(vmcore)
    kernel.behave({
      vmcore: (from, request) => {
        if (request > 1) throw refusal('not-found')
        return cutAfter(flattened(vmcore, from), 4096 + 6 * (16 + partBytes))
      },
      release: () => {
        throw refusal('not-found')
      },
    })
    await using collector = await room.startCollector()
    await room.announce(kernel.job)
    await room.idle()
    const dump = await collector.client.getDump({ params: { dump: 'p1-1' } })
    assert.deepEqual([dump.status, dump.step, dump.released], ['complete', 'complete', false])
  })
})
