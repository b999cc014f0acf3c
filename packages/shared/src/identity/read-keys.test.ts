import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { suite } from 'node:test'
import { ConfigError, seededRandom } from '../runtime/index.ts'
import { callersFile, dumpKeyFile, keyFiles, newRoomKeys } from './index.ts'
import { readKeyFile, readVerifiersFile } from './index.ts'

const keys = newRoomKeys(seededRandom(7))

async function writtenKeys() {
  const root = await mkdtemp(join(tmpdir(), 'fadump-identity-'))
  for (const [name, text] of Object.entries(keyFiles(keys))) await writeFile(join(root, name), text)
  return {
    file: (variable: string, name: string) => ({ variable, path: join(root, name) }),
    write: (name: string, text: string) => writeFile(join(root, name), text),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true }),
  }
}

suite('key files', () => {
  test('are read as they were handed out', async () => {
    await using written = await writtenKeys()
    const { file } = written
    const own = file('CREDENTIAL_FILE', 'hmc-api.key')
    assert.equal(await readKeyFile(own, 'service'), keys.secrets['hmc-api'])
    assert.equal(await readKeyFile(file('DUMP_KEY_FILE', dumpKeyFile), 'dump'), keys.dumpKey)
    assert.deepEqual(await readVerifiersFile(file('CALLERS_FILE', callersFile)), keys.verifiers)
  })

  test('hold everybody’s verifiers and no secret of others beside a service’s own', () => {
    const { [callersFile]: callers = '' } = keyFiles(keys)
    for (const secret of [...Object.values(keys.secrets), keys.dumpKey]) {
      assert.equal(callers.includes(secret), false)
    }
  })

  test('that are absent, of another kind or damaged are refused by variable, without their content', async () => {
    await using written = await writtenKeys()
    const { file } = written
    await written.write('short.key', keys.secrets.hypervisor.slice(0, 20))
    await written.write('callers.bad', `{"hypervisor":["${keys.secrets.hypervisor}"]}`)
    const attempts = [
      () => readKeyFile(file('CREDENTIAL_FILE', 'nothing'), 'service'),
      () => readKeyFile(file('CREDENTIAL_FILE', dumpKeyFile), 'service'),
      () => readKeyFile(file('CREDENTIAL_FILE', 'short.key'), 'service'),
      () => readVerifiersFile(file('CREDENTIAL_FILE', 'callers.bad')),
      () => readVerifiersFile(file('CREDENTIAL_FILE', 'hypervisor.key')),
    ]
    for (const attempt of attempts) {
      await assert.rejects(attempt, (error) => {
        assert.ok(error instanceof ConfigError)
        assert.match(error.message, /CREDENTIAL_FILE: must name /)
        assert.doesNotMatch(error.message, /[0-9a-f]{16}/)
        return true
      })
    }
  })
})
