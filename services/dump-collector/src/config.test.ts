import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { loadConfig } from '@fadump-lab/shared/runtime'
import { configSchema, settingsOf } from './config.ts'
import { defaultSettings } from './index.ts'

const required = {
  REDIS_CONTROL_URL: 'redis://127.0.0.1:6379/0',
  DUMP_ROOT: '/var/crash',
  CREDENTIAL_FILE: '/run/secrets/dump-collector',
  CALLERS_FILE: '/run/secrets/callers',
  DUMP_KEY_FILE: '/run/secrets/dump-key',
}

suite("the collector's environment", () => {
  test('needs a Redis, a directory and its credentials; everything else has the defaults of the other compositions', () => {
    const config = loadConfig(configSchema, required)
    assert.deepEqual(settingsOf(config), defaultSettings)
    assert.equal(config.PORT, 8083)
  })

  test('is refused with every variable that is wrong', () => {
    const given = { CAPTURE_WINDOW_MIB: '0', CAPTURE_CONCURRENCY: 'many', STORE_RESERVE_MIB: '0' }
    assert.throws(
      () => loadConfig(configSchema, given),
      (error) => {
        assert.ok(error instanceof Error)
        for (const name of [...Object.keys(given), ...Object.keys(required)]) {
          assert.match(error.message, new RegExp(name))
        }
        return true
      },
    )
  })
})
