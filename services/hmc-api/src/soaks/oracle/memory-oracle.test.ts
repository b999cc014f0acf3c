/** An oracle that lets a wrong page pass is worth nothing: here it is shown wrong ones. */
import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { capturePage, labelOf, pageBytes, userPage } from './expected-page.ts'
import { MemoryOracle, type MemoryExpected } from './memory-oracle.ts'

const zeros = new Uint8Array(pageBytes)
const text = (words: string): Uint8Array => {
  const bytes = new Uint8Array(pageBytes)
  bytes.set(new TextEncoder().encode(words), 0x1234)
  return bytes
}
const written = new Map([
  [0x50n, 7],
  [0x51n, 7],
  [0x900n, 7],
])
const expected: MemoryExpected = {
  written,
  kernelEnd: 0x41n,
  kernelPages: [0x3fffn],
  epoch: 4,
  texts: ['kernel BUG at', 'lpar-1'],
}
type Pages = Record<string, Uint8Array>
const right: Pages = {
  '0xc': text('kernel BUG at fs/ext4'),
  '0x8': text('lpar-1'),
  '0x50': userPage(7, 0x50n),
  '0x51': userPage(7, 0x51n),
  '0x900': userPage(7, 0x900n),
}

/** The failed checks of a memory. */
function failed(change: Pages, given: MemoryExpected = expected): Record<string, string> {
  const oracle = new MemoryOracle(given)
  for (const [page, bytes] of Object.entries({ ...right, ...change })) {
    if (bytes.byteLength > 0) oracle.page(BigInt(page), bytes)
  }
  const rows = oracle.checks().filter(({ passed }) => !passed)
  return Object.fromEntries(rows.map(({ name, detail }) => [name, detail ?? '']))
}
const absent = new Uint8Array(0)
function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice()
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}

suite('the oracle of memory', () => {
  test('knows pages by the documented rule', () => {
    const page = userPage(0x2a, 0x123n)
    const line = new TextDecoder().decode(page.subarray(0, 38))
    assert.equal(line, 'fadump-lab seed=0x0000002a page=0x123\n')
    assert.deepEqual(labelOf(page), { by: 'user space', seed: 0x2a, page: 0x123n })
    assert.deepEqual(labelOf(capturePage(3, 5n)), { by: 'capture kernel', boot: 3, page: 5n })
    assert.equal(labelOf(zeros), undefined)
  })

  test('accepts memory as it was', () => {
    assert.deepEqual(failed({}), {})
    assert.deepEqual(
      failed({ '0x60': zeros, '0x3fff': text('nosmp'), '0x52': capturePage(4, 0x52n) }),
      {},
    )
  })

  const wrong: readonly (readonly [what: string, change: Pages, says: RegExp])[] = [
    [
      'a bit in the middle of a page',
      { '0x51': flipped(userPage(7, 0x51n), 40_000) },
      /0x51 .*is of seed 0x7, page 0x51/,
    ],
    ['the last bit of a page', { '0x900': flipped(userPage(7, 0x900n), 65_535) }, /0x900 /],
    ['a page that is missing', { '0x900': absent }, /page 0x900 .* is missing/],
    ['a page of zeros', { '0x50': zeros }, /0x50 .*is not what user space wrote/],
    ['the page of another address', { '0x50': userPage(7, 0x51n) }, /page 0x51, not of seed/],
    ['the page of an earlier crash', { '0x50': userPage(6, 0x50n) }, /seed 0x6/],
    [
      'a page of the capture kernel of this crash',
      { '0x60': capturePage(5, 0x60n) },
      /capture boot 5, after the crash/,
    ],
    [
      'a page of an earlier capture kernel that has changed',
      { '0x60': flipped(capturePage(3, 0x60n), 9999) },
      /not what capture boot 3 wrote/,
    ],
    [
      'user pages where none were written',
      { '0x70': userPage(7, 0x70n) },
      /seed 0x7 there, but not now/,
    ],
    ['bytes where nobody has written', { '0x70': text('?') }, /is not zero, and nobody/],
  ]
  for (const [what, change, says] of wrong) {
    test(`refuses ${what}`, () => {
      const found = failed(change)
      assert.deepEqual(Object.keys(found), ['memory'])
      assert.match(found['memory'] ?? '', says)
    })
  }

  test('refuses a log of another crash and the memory of another partition', () => {
    assert.match(failed({ '0xc': text('Oops') })['kernel text'] ?? '', /kernel BUG at/)
    assert.match(failed({ '0x8': text('lpar-2') })['kernel text'] ?? '', /lpar-1/)
  })

  test('of a rewrite that was under way it takes the beginning, and nothing that leaves out a page', () => {
    const next = { seed: 8, pages: [0x50n, 0x51n, 0x900n] }
    const during = { ...expected, next }
    const done = (...pages: bigint[]): Pages =>
      Object.fromEntries(pages.map((page) => [`0x${page.toString(16)}`, userPage(8, page)]))
    assert.deepEqual(failed({}, during), {})
    assert.deepEqual(failed(done(0x50n), during), {})
    assert.deepEqual(failed(done(0x50n, 0x51n, 0x900n), during), {})
    assert.deepEqual(Object.keys(failed(done(0x51n), during)), ['moment'])
    assert.deepEqual(Object.keys(failed(done(0x50n, 0x900n), during)), ['moment'])
    assert.deepEqual(Object.keys(failed(done(0x50n))), ['memory'])
  })

  test('counts what it does not tell', () => {
    const many = Object.fromEntries(
      Array.from({ length: 10 }, (_, index) => [`0x${(0x70 + index).toString(16)}`, text('?')]),
    )
    assert.match(failed(many)['memory'] ?? '', /and 7 more$/)
  })
})
