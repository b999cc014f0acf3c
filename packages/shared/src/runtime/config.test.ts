import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { ConfigError, envInteger, loadConfig, redact } from './config.ts'
import { exitCodeOf } from './exit-codes.ts'

const schema = z.strictObject({
  PORT: envInteger(0, 65_535).default(8080),
  REDIS_URL: z.url(),
  ADMIN_TOKEN: z.string().min(16, 'must be at least 16 characters'),
  LOG_LEVEL: z.enum(['info', 'debug']).default('info'),
})
const valid = { REDIS_URL: 'redis://redis:6379', ADMIN_TOKEN: 'aaaabbbbccccdddd' }

describe('loadConfig', () => {
  test('reads the declared variables, fills in defaults, ignores the rest and freezes the result', () => {
    const config = loadConfig(schema, { ...valid, PORT: '9000', HOME: '/root' })
    assert.deepEqual(config, { ...valid, PORT: 9000, LOG_LEVEL: 'info' })
    assert.ok(Object.isFrozen(config))
  })

  test('takes an empty variable as one that is not set', () => {
    assert.equal(loadConfig(schema, { ...valid, PORT: '' }).PORT, 8080)
  })

  test('reports every refused variable at once, with its rule and its value', () => {
    const env = { PORT: '65536', ADMIN_TOKEN: 'short', LOG_LEVEL: 'loud', REDIS_URL: '' }
    assert.throws(
      () => loadConfig(schema, env),
      (error) => {
        assert.ok(error instanceof ConfigError)
        assert.deepEqual(error.issues, [
          { variable: 'PORT', rule: 'must be at most 65535', value: '65536' },
          { variable: 'REDIS_URL', rule: 'must be set', value: undefined },
          { variable: 'ADMIN_TOKEN', rule: 'must be at least 16 characters', value: '[redacted]' },
          {
            variable: 'LOG_LEVEL',
            rule: 'Invalid option: expected one of "info"|"debug"',
            value: 'loud',
          },
        ])
        assert.match(error.message, /PORT: must be at most 65535 \("65536"\)/)
        assert.match(error.message, /REDIS_URL: must be set \(not set\)/)
        assert.doesNotMatch(error.message, /short/)
        assert.equal(exitCodeOf(error), 78)
        return true
      },
    )
  })

  test('refuses an integer that is not written in decimal digits', () => {
    for (const text of ['0x1f', '1e3', ' 1', '1.5', 'many', '9007199254740993']) {
      assert.throws(() => loadConfig(schema, { ...valid, PORT: text }), /PORT: must be/, text)
    }
  })

  test('redacts secrets by the name of the variable and passwords within URLs', () => {
    assert.equal(redact('COLLECTOR_PASSWORD', 'hunter2'), '[redacted]')
    assert.equal(redact('SIGNING_KEY', 'abc'), '[redacted]')
    assert.equal(redact('KEYBOARD', 'de'), 'de')
    assert.equal(
      redact('REDIS_URL', 'redis://lab:hunter2@redis:6379/0'),
      'redis://lab:[redacted]@redis:6379/0',
    )
    assert.equal(redact('REDIS_URL', 'redis://:p@ss@redis'), 'redis://:[redacted]@redis')
  })
})
