import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { concat } from '@fadump-lab/shared/units'
import { flattenedEnd, flattenedHeader, flattenedRecord } from '@fadump-lab/shared/elf'
import { openRoom, settledDump } from './collector-room.ts'
import { aVmcore, flattened, manifestOf, partBytes, startFakeKernel } from './fake-kernel.ts'

/** Pages 0, 1 and 3 of 5. */
const vmcore = aVmcore({ pages: [0, 1, 3], sizeBytes: 5 * partBytes })
const pages = vmcore.parts.map(({ bytes }) => bytes)
const [page0 = new Uint8Array(), page1 = new Uint8Array(), page3 = new Uint8Array()] = pages

/** A record header with any two signed numbers. */
function rawRecord(offset: bigint, size: bigint): Uint8Array {
  const header = new Uint8Array(16)
  const view = new DataView(header.buffer)
  view.setBigInt64(0, offset)
  view.setBigInt64(8, size)
  return header
}

const page = (number: number) => number * partBytes
const record = (offset: number, bytes: Uint8Array) =>
  concat([flattenedRecord(BigInt(offset), bytes.byteLength), bytes])

function* emptyRecords(): Generator<Uint8Array> {
  yield flattenedHeader()
  for (;;) yield concat(Array.from({ length: 1000 }, () => rawRecord(0n, 0n)))
}

suite('a stream is refused, and the partition keeps its memory, when', () => {
  const streams: readonly [string, () => Iterable<Uint8Array>, RegExp][] = [
    ['it is no flattened stream', () => [page0, page1], /starts with "makedumpfile"/],
    [
      'it is of another version',
      () => {
        const header = flattenedHeader().slice()
        header[31] = 2
        return [header, flattenedEnd()]
      },
      /version of a flattened stream must be 1/,
    ],
    ['it is empty', () => [], /ended without its end marker/],
    [
      'it has no end marker',
      () => [flattenedHeader(), record(0, page0), record(page(1), page1), record(page(3), page3)],
      /ended without its end marker/,
    ],
    [
      'a record is cut short',
      () => [flattenedHeader(), record(0, page0).subarray(0, 100)],
      /ended without its end marker/,
    ],
    [
      'records descend',
      () => [flattenedHeader(), record(page(1), page1), record(0, page0), flattenedEnd()],
      /goes back to offset 0/,
    ],
    [
      'a record comes twice',
      () => [flattenedHeader(), record(0, page0), record(0, page0), flattenedEnd()],
      /goes back to offset 0; bytes before 65536/,
    ],
    [
      'records overlap by a byte',
      () => [flattenedHeader(), record(0, page0), record(page(1) - 1, page1), flattenedEnd()],
      /goes back to offset 65535/,
    ],
    [
      'a record lies in a hole',
      () => [flattenedHeader(), record(page(2), page1), flattenedEnd()],
      /offset 131072, where the manifest has no entry/,
    ],
    [
      'a record reaches into a hole',
      () => [flattenedHeader(), record(page(1), concat([page1, page1.subarray(0, 1)]))],
      /offset 131072, where the manifest has no entry/,
    ],
    [
      'a record lies beyond the size',
      () => [flattenedHeader(), record(page(5), page0), flattenedEnd()],
      /must end within the agreed size/,
    ],
    [
      'an offset is negative',
      () => [flattenedHeader(), rawRecord(-2n, 10n), page0],
      /must not be negative/,
    ],
    [
      'a size is negative',
      () => [flattenedHeader(), rawRecord(0n, -5n), page0],
      /must not be negative/,
    ],
    [
      'offset and size wrap around 2^64',
      () => [flattenedHeader(), rawRecord(0x7fff_ffff_ffff_ffffn, 0x7fff_ffff_ffff_ffffn), page0],
      /must not be negative and must end within 2\^63/,
    ],
    ['empty records come without end', emptyRecords, /bytes came that belong to no data/],
  ]
  for (const [what, stream, cause] of streams) {
    test(what, async () => {
      await using room = await openRoom()
      await using kernel = await startFakeKernel(vmcore)
      kernel.behave({ vmcore: stream })
      await using collector = await room.startCollector()
      await room.announce(kernel.job)
      await room.paused()
      const dump = await collector.client.getDump({ params: { dump: 'p1-1' } })
      assert.equal(dump.status, 'capturing')
      assert.match(dump.failure ?? '', /^the vmcore could not be read on from offset/)
      const cut = (await room.events()).find(({ event }) => event === 'resume')
      assert.match(String(cut?.detail?.['reason']), cause)

      kernel.behave({ vmcore: (from) => flattened(vmcore, from) })
      await room.idle()
      const later = await collector.client.getDump({ params: { dump: 'p1-1' } })
      assert.deepEqual([later.status, later.failure], ['complete', undefined])
      assert.equal(kernel.requests.filter((request) => request.startsWith('release')).length, 1)
    })
  }
})

suite('a manifest is refused, and nothing is read, when', () => {
  const honest = manifestOf(vmcore)
  const manifests: readonly [string, string, RegExp][] = [
    ['it is cut', honest.slice(0, 200), /not JSON|ends after line/],
    ['it has no trailer', honest.split('\n').slice(0, -2).join('\n'), /before its trailer/],
    ['an entry is swapped', swapLines(honest, 1, 2), /is below/],
    ['a digit of a digest is another', honest.replace(/"sha256":"./, '"sha256":"0'), /states the/],
    ['a line never ends', 'x'.repeat(100_000), /more than 256 bytes/],
    ['it is no NDJSON', '<html>\n', /line 1 of the manifest is not JSON/],
  ]
  for (const [what, manifest, cause] of manifests) {
    test(what, async () => {
      await using room = await openRoom()
      await using kernel = await startFakeKernel(vmcore)
      kernel.behave({ manifest: () => [new TextEncoder().encode(manifest)] })
      await using collector = await room.startCollector()
      await room.announce(kernel.job)
      await room.idle()
      const dump = await settledDump(collector, 'p1-1')
      assert.deepEqual([dump.status, dump.attempts, dump.released], ['failed', 40, false])
      assert.match(dump.failure ?? '', cause)
      assert.deepEqual([...new Set(kernel.requests)], ['manifest'])
    })
  }
})

function swapLines(text: string, first: number, second: number): string {
  const lines = text.split('\n')
  const [a = '', b = ''] = [lines[first], lines[second]]
  return lines.with(first, b).with(second, a).join('\n')
}
