import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { PageCutter, wholePages } from './core-pages.ts'

const page = 0x1_0000
/** Not at a page boundary of the file, the second not of memory either. */
const loads = [
  { offset: 1000, address: 0n, size: 0x4_0000n },
  { offset: 1000 + 0x4_0000, address: 0x10_0200n, size: 0x2_0000n },
]

suite('memory in a vmcore', () => {
  test('pieces of any length become whole pages with their addresses', () => {
    const file = new Uint8Array(1000 + 0x6_0000).map((_, at) => at % 251)
    for (const step of [777, page, file.byteLength]) {
      const seen: [bigint, number][] = []
      const cutter = new PageCutter(loads, (number, bytes) =>
        seen.push([number, bytes[0x200] ?? 0]),
      )
      for (let at = 0; at < file.byteLength; at += step) {
        cutter.piece({ offset: at, bytes: file.subarray(at, at + step) })
      }
      cutter.end()
      const of = (address: number) => (1000 + address) % 251
      assert.deepEqual(seen, [
        [0n, of(0x200)],
        [1n, of(0x1_0200)],
        [2n, of(0x2_0200)],
        [3n, of(0x3_0200)],
        [0x10n, of(0x4_0000)],
        [0x11n, of(0x5_0000)],
        [0x12n, 0],
      ])
    }
  })

  test('what is asked for are all bytes of the pages that a range touches, within their load', () => {
    const far = [{ offset: 1000, address: 0n, size: 0x100_0000n }]
    assert.deepEqual(wholePages([{ start: 1000 + 5, end: 1000 + 6 }], far), [
      { start: 1000, end: 1000 + page },
    ])
    assert.deepEqual(
      wholePages(
        [
          { start: 1000, end: 1001 },
          { start: 1000 + 2 * page, end: 1000 + 2 * page + 1 },
          { start: 1000 + 200 * page, end: 1000 + 200 * page + 1 },
        ],
        far,
      ),
      [
        { start: 1000, end: 1000 + 3 * page },
        { start: 1000 + 200 * page, end: 1000 + 201 * page },
      ],
    )
    assert.deepEqual(wholePages([{ start: 0, end: 900 }], far), [])
  })
})
