import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { repositoryRoot } from '../../test/support/tools.ts'
import { UsageError } from './command.ts'
import { propertySeed } from './property-seed.ts'

test('PROPERTY_SEED decides, and only an integer of 31 bits is one', () => {
  assert.equal(propertySeed('0', repositoryRoot), 0)
  assert.equal(propertySeed('2147483647', repositoryRoot), 2_147_483_647)
  for (const wrong of ['2147483648', '-1', '1.5', 'seed', ' 1']) {
    assert.throws(() => propertySeed(wrong, repositoryRoot), UsageError, wrong)
  }
})

test('without it a commit has one seed, and a tree without commits the seed 1', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'lab-seed-'))
  assert.equal(propertySeed(undefined, directory.path), 1)
  const git = (...words: string[]) => execFileSync('git', words, { cwd: directory.path })
  git('init', '-q')
  git('-c', 'user.name=t', '-c', 'user.email=t@t', 'commit', '-q', '--allow-empty', '-m', 'one')
  const [first, again] = [propertySeed(undefined, directory.path), propertySeed('', directory.path)]
  assert.equal(first, again)
  git('-c', 'user.name=t', '-c', 'user.email=t@t', 'commit', '-q', '--allow-empty', '-m', 'two')
  assert.notEqual(propertySeed(undefined, directory.path), first)
})

test('two processes with one PROPERTY_SEED draw the same values', () => {
  const draw = (seed: string) =>
    execFileSync(
      process.execPath,
      [
        '--import',
        join(repositoryRoot, 'test/support/property-seed.ts'),
        '--input-type=module',
        '--eval',
        "import fc from 'fast-check'; const seen = []; fc.assert(fc.property(fc.nat(), (n) => { seen.push(n) })); console.log(seen.join())",
      ],
      { encoding: 'utf8', cwd: repositoryRoot, env: { ...process.env, PROPERTY_SEED: seed } },
    )
  assert.equal(draw('7'), draw('7'))
  assert.notEqual(draw('7'), draw('8'))
})
