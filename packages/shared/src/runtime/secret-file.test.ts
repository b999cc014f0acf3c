import assert from 'node:assert/strict'
import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ConfigError } from './config.ts'
import { exitCodeOf } from './exit-codes.ts'
import { readSecretFile, secretCharactersMax, urlWithPassword } from './secret-file.ts'

test('a secret is what its file holds, without the line end', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'secret-'))
  const path = join(directory.path, 'password')
  await writeFile(path, 'correct horse\n')
  assert.equal(await readSecretFile('REDIS_PASSWORD_FILE', path), 'correct horse')
  assert.equal(await readSecretFile('REDIS_PASSWORD_FILE', undefined), undefined)
})

test('a file that is absent, empty or too long is refused as configuration, without its content', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'secret-'))
  const empty = join(directory.path, 'empty')
  const long = join(directory.path, 'long')
  await writeFile(empty, '\n')
  await writeFile(long, 'x'.repeat(secretCharactersMax + 1))
  const rules: readonly (readonly [path: string, rule: RegExp])[] = [
    [join(directory.path, 'absent'), /REDIS_PASSWORD_FILE: .*can be read \(ENOENT\)/],
    [empty, /not empty/],
    [long, /at most 4096 characters/],
  ]
  for (const [path, rule] of rules) {
    await assert.rejects(readSecretFile('REDIS_PASSWORD_FILE', path), (error) => {
      assert.ok(error instanceof ConfigError)
      assert.match(error.message, rule)
      assert.doesNotMatch(error.message, /xxx/)
      assert.equal(exitCodeOf(error), 78)
      return true
    })
  }
})

test('a URL gets its password from a file, whatever characters are in it', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'secret-'))
  const path = join(directory.path, 'password')
  await writeFile(path, 'a/b@c:d%\n')
  const variable = 'REDIS_MEMORY_PASSWORD_FILE'
  const url = await urlWithPassword('redis://hypervisor@redis-memory:6379/0', { variable, path })
  assert.equal(url, 'redis://hypervisor:a%2Fb%40c%3Ad%25@redis-memory:6379/0')
  assert.equal(
    await urlWithPassword('redis://redis:6379', { variable, path: undefined }),
    'redis://redis:6379',
  )
})
