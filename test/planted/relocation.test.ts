/**
 * The boot chunk of a vmcore must come from the copy that firmware made: the capture kernel has overwritten the
 * original. Read from there, the dump looks complete and verified, and is wrong; the check of the content must see it.
 */
import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { copySources, type Bug } from '../support/planted.ts'

const script = 'test/planted/crash-and-check.ts'
const file = 'packages/shared/src/fadump/crash-memory-ranges.ts'

/** 12 MiB of content are 192 pages, a third of them in boot memory. */
const whole = { status: 'complete', low: 64, high: 128 }
const withoutLow = { status: 'complete', low: 0, high: 128 }

const bugs: readonly (Bug & { readonly what: string; readonly profile: 'v5' | 'modern' })[] = [
  {
    what: 'the first kernel of 3.4 forgets where boot memory goes',
    file,
    find: 'savedAt: range.start === 0n ? input.bootDestination : range.start',
    replace: 'savedAt: range.start',
    profile: 'v5',
  },
  {
    what: 'the capture kernel of 6.10 forgets where boot memory went',
    file,
    find: 'const saved = { range, savedAt }',
    replace: 'const saved = { range, savedAt: range.start }',
    profile: 'modern',
  },
]

async function contentFound(profiles: readonly string[], bug?: Bug): Promise<unknown> {
  await using copy = await copySources(bug)
  const { status, stdout, stderr } = await copy.run(script, ...profiles)
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout)
}

suite('reading the boot chunk gives the bytes of the first kernel', () => {
  test('C106 in an unchanged copy of the sources all of its content is there', async () => {
    assert.deepEqual(await contentFound(['v5', 'modern']), { v5: whole, modern: whole })
  })

  for (const { what, profile, ...bug } of bugs) {
    test(`the check notices when ${what}`, async () => {
      assert.deepEqual(await contentFound([profile], bug), { [profile]: withoutLow })
    })
  }

  test('a planted bug whose line is gone is an error', async () => {
    await assert.rejects(copySources({ file, find: 'no such line', replace: '' }), /occurs 0 times/)
  })
})
