import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verdict } from './verdict.ts'

const gap = {
  title: 'gdb shows one thread per note',
  file: 'test/x.test.ts',
  reason: 'gdb is absent',
}

test('tests and checks are counted together in the closing line', () => {
  const tally = { passed: 40, failed: 0, unproved: [] }
  assert.deepEqual(verdict({ tally, checksPassed: 3, checksFailed: [], gapsFail: true }), {
    failed: 0,
    lines: ['43 passed, 0 failed'],
  })
})

test('a test that did not run is named with its reason and fails nothing on a laptop', () => {
  const tally = { passed: 40, failed: 0, unproved: [gap] }
  assert.deepEqual(verdict({ tally, checksPassed: 3, checksFailed: [], gapsFail: false }), {
    failed: 0,
    lines: [
      'not run on this machine: 1',
      '  gdb shows one thread per note',
      '      test/x.test.ts: gdb is absent',
      '43 passed, 0 failed',
    ],
  })
})

test('in CI a test that did not run counts as failed', () => {
  const tally = { passed: 40, failed: 2, unproved: [gap] }
  const { failed, lines } = verdict({ tally, checksPassed: 3, checksFailed: [], gapsFail: true })
  assert.equal(failed, 3)
  assert.equal(lines[0], 'not run, which CI counts as failed: 1')
  assert.equal(lines.at(-1), '43 passed, 3 failed')
})

test('a check that failed is named and counted', () => {
  const tally = { passed: 40, failed: 0, unproved: [] }
  assert.deepEqual(verdict({ tally, checksPassed: 2, checksFailed: ['lint'], gapsFail: false }), {
    failed: 1,
    lines: ['checks that failed: lint', '42 passed, 1 failed'],
  })
})
