import assert from 'node:assert/strict'
import { test } from 'node:test'
import { invariant } from '../units/index.ts'
import { ConfigError } from './config.ts'
import { exitCodeOf, exitCodes, UnavailableError } from './exit-codes.ts'

test('the exit codes are those of sysexits.h', () => {
  assert.deepEqual(
    Object.values(exitCodes).map((row) => [row.sysexit, row.code]),
    [
      ['EX_OK', 0],
      ['EX_USAGE', 64],
      ['EX_DATAERR', 65],
      ['EX_NOINPUT', 66],
      ['EX_SOFTWARE', 70],
      ['EX_TEMPFAIL', 75],
      ['EX_CONFIG', 78],
    ],
  )
})

test('an error tells the exit code of its kind, also through its causes', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:6379'), {
    code: 'ECONNREFUSED',
  })
  assert.equal(exitCodeOf(new ConfigError([])), 78)
  assert.equal(exitCodeOf(new UnavailableError('the control Redis does not answer')), 75)
  assert.equal(exitCodeOf(refused), 75)
  assert.equal(exitCodeOf(new Error('cannot start', { cause: refused })), 75)
  assert.equal(exitCodeOf(new TypeError('x is not a function')), 70)
  assert.equal(exitCodeOf('thrown text'), 70)
  assert.throws(
    () => invariant(false, 'a rule'),
    (error) => exitCodeOf(error) === 70,
  )
})
