import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { repositoryRoot } from '../../test/support/tools.ts'
import { testFiles } from './run-tests.ts'

/** Runs `source` as a test file through `runTests`, in a process of its own: the runner refuses to run inside itself. */
async function tallyOf(source: string, quietMs = 60_000, first = ''): Promise<unknown> {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'lab-run-tests-'))
  await writeFile(join(directory.path, 'case.test.ts'), source)
  await writeFile(join(directory.path, 'first.mjs'), first)
  const program = join(directory.path, 'program.mjs')
  await writeFile(
    program,
    `import { runTests } from ${JSON.stringify(join(import.meta.dirname, 'run-tests.ts'))}
    const root = ${JSON.stringify(directory.path)}
    const tally = await runTests({ root, files: ['case.test.ts'], concurrency: 1, quietMs: ${quietMs}, imports: [root + '/first.mjs'], report: () => {} })
    process.stdout.write(JSON.stringify(tally))`,
  )
  const { NODE_TEST_CONTEXT: _inside, ...env } = process.env
  const child = await promisify(execFile)(process.execPath, [program], { env })
  return JSON.parse(child.stdout)
}

test('passed, failed, skipped and unfinished tests are told apart, and suites count by their tests', async () => {
  const tally = await tallyOf(`
    import { describe, test } from 'node:test'
    describe('suite', () => {
      test('good', () => {})
      test('bad', () => { throw new Error('no') })
      test('absent', { skip: 'gdb is absent' }, () => {})
      test('silent', { skip: true }, () => {})
    })
    test('later', { todo: true }, () => {})
    describe('whole suite', { skip: 'no Redis' }, () => { test('inner', () => {}) })
  `)
  const file = 'case.test.ts'
  assert.deepEqual(tally, {
    passed: 1,
    failed: 1,
    unproved: [
      { title: 'absent', file, reason: 'gdb is absent' },
      { title: 'silent', file, reason: 'no reason given' },
      { title: 'later', file, reason: 'todo' },
      { title: 'whole suite', file, reason: 'no Redis' },
    ],
  })
})

test('every file loads the imports of the run first', async () => {
  const source = `import { test } from 'node:test'
    import assert from 'node:assert'
    test('loaded', () => assert.equal(globalThis.first, 7))`
  const tally = await tallyOf(source, 60_000, 'globalThis.first = 7')
  assert.deepEqual(tally, { passed: 1, failed: 0, unproved: [] })
})

test('a file that does not even load is a failed test', async () => {
  const tally = await tallyOf(`throw new Error('broken module')`)
  assert.deepEqual(tally, { passed: 0, failed: 1, unproved: [] })
})

test('a file whose process does not end is stopped and counts as failed', async () => {
  const source = `import { test } from 'node:test'
    test('good', () => {})
    setInterval(() => {}, 1000)`
  assert.deepEqual(await tallyOf(source, 3000), { passed: 1, failed: 1, unproved: [] })
})

test('the test files of the repository are found, this one among them, and none of node_modules', () => {
  const files = testFiles(repositoryRoot)
  assert.ok(files.includes('scripts/lab/run-tests.test.ts'))
  assert.deepEqual(
    files.filter((file) => file.includes('node_modules')),
    [],
  )
})
