import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { linesOf } from './lines.ts'
import { ManifestCheck } from './manifest-check.ts'

const sha = 'ab'.repeat(32)
const header = '{"format":"vmcore-manifest-1","size":8192}'
const first = `{"offset":0,"length":4096,"sha256":"${sha}"}`
const second = `{"offset":4096,"length":96,"sha256":"${sha}"}`
// sha256sum of "0 4096 <sha>\n4096 96 <sha>\n", and of nothing.
const digest = 'd7ac3cbed9cbcb29ce188bf9dd0c0c9908cbca1ec9d7584297cc36ba678b932e'
const emptyDigest = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const trailer = `{"entries":2,"digest":"${digest}"}`

function checked(lines: readonly string[]) {
  const check = new ManifestCheck()
  for (const line of lines) check.accept(line)
  return check.summary()
}

suite('a manifest is taken when', () => {
  test('count and digest of the trailer are those of the entries', () => {
    assert.deepEqual(checked([header, first, second, trailer]), {
      sizeBytes: 8192n,
      entries: 2,
      populatedBytes: 4192n,
      digest,
    })
  })

  test('the dump is one hole', () => {
    assert.deepEqual(checked([header, `{"entries":0,"digest":"${emptyDigest}"}`]), {
      sizeBytes: 8192n,
      entries: 0,
      populatedBytes: 0n,
      digest: emptyDigest,
    })
  })
})

suite('a manifest is refused with the line and the rule when', () => {
  const entry = (offset: number, length: number) =>
    `{"offset":${offset},"length":${length},"sha256":"${sha}"}`
  const refused: readonly [string, readonly string[], RegExp][] = [
    ['it is empty', [], /ends after line 0, before its trailer/],
    ['it stops within the entries', [header, first], /ends after line 2, before its trailer/],
    ['it begins with an entry', [first], /line 1 .*format/s],
    ['its format is unknown', ['{"format":"vmcore-manifest-2","size":1}'], /line 1/],
    ['a line is not JSON', [header, '{"offset":'], /line 2 of the manifest is not JSON/],
    ['a line has an unknown field', [header, first.replace('{', '{"x":1,')], /line 2/],
    ['a second header comes', [header, header], /line 2/],
    ['an offset is negative', [header, entry(-1, 1)], /line 2/],
    ['an offset is no integer', [header, entry(0.5, 1)], /line 2/],
    ['an offset is beyond 2^53', [header, entry(2 ** 53, 1)], /line 2/],
    ['an entry is empty', [header, entry(0, 0)], /line 2 .*must not be empty/],
    ['an entry repeats', [header, first, first], /line 3 .*offset 0 is below 4096/],
    ['entries overlap by a byte', [header, first, entry(4095, 2)], /offset 4095 is below 4096/],
    ['entries descend', [header, second, first], /offset 0 is below 4192/],
    ['an entry ends a byte beyond the size', [header, entry(4096, 4097)], /8193, beyond the size/],
    ['a digest is short', [header, first.replace('abab', 'ab')], /line 2/],
    ['the trailer counts one less', [header, first, second, trailer.replace('2', '1')], /counts 1/],
    [
      'the digest is another',
      [header, first, second, trailer.replace(digest, emptyDigest)],
      /states the digest e3b0.*the entries have/,
    ],
    ['something follows the trailer', [header, first, second, trailer, first], /line 5/],
    ['the size is beyond 16 TiB', ['{"format":"vmcore-manifest-1","size":17592186044417}'], /size/],
  ]
  for (const [what, lines, rule] of refused) {
    test(what, () => {
      assert.throws(() => checked(lines), { name: 'ManifestError', message: rule })
    })
  }
})

suite('lines', () => {
  const encode = (text: string) => new TextEncoder().encode(text)
  async function* chunks(...parts: readonly string[]) {
    for (const part of parts) yield encode(part)
  }
  const all = async (...parts: readonly string[]) => {
    const lines: string[] = []
    for await (const line of linesOf(chunks(...parts))) lines.push(line)
    return lines
  }

  test('are put together from chunks cut anywhere, with or without a last newline', async () => {
    assert.deepEqual(await all('a\nb', 'c', '\n\nd\n'), ['a', 'bc', '', 'd'])
    assert.deepEqual(await all('a\nb'), ['a', 'b'])
    assert.deepEqual(await all(''), [])
  })

  test('of 256 bytes are taken, of 257 refused, also when their end never comes', async () => {
    assert.equal((await all(`${'x'.repeat(256)}\n`))[0]?.length, 256)
    await assert.rejects(all(`${'x'.repeat(257)}\n`), { name: 'LineTooLongError' })
    await assert.rejects(all('x'.repeat(200), 'x'.repeat(57)), { name: 'LineTooLongError' })
  })
})
