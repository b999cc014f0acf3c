/** The table of planted bugs stays true to the sources: a bug whose line has moved on would prove nothing. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { repositoryRoot } from '../support/tools.ts'
import { mutants } from './table.ts'

const textOf = (file: string): string => readFileSync(join(repositoryRoot, file), 'utf8')

suite('the planted bugs of npm run mutate', () => {
  test('there are at least thirty, each with a name of its own', () => {
    assert.ok(mutants.length >= 30, `${mutants.length} mutants`)
    assert.equal(new Set(mutants.map(({ name }) => name)).size, mutants.length)
  })

  test('the text that a bug replaces occurs exactly once in its file', () => {
    const moved = mutants.flatMap(({ name, file, find }) => {
      const count = textOf(file).split(find).length - 1
      return count === 1
        ? []
        : [`${name}: ${count} times in ${file}: plant it where the code is now`]
    })
    assert.deepEqual(moved, [])
  })

  test('a bug changes something', () => {
    assert.deepEqual(
      mutants.filter(({ find, replace }) => find === replace).map(({ name }) => name),
      [],
    )
  })

  test('every test file that is expected to notice exists', () => {
    const absent = mutants.flatMap(({ name, tests }) =>
      tests
        .filter((file) => !file.endsWith('.test.ts') || !existsSync(join(repositoryRoot, file)))
        .map((file) => `${name}: ${file}`),
    )
    assert.deepEqual(absent, [])
    assert.ok(mutants.every(({ tests }) => tests.length > 0))
  })
})
