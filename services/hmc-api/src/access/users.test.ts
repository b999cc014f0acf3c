import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { suite } from 'node:test'
import { ConfigError, seededRandom } from '@fadump-lab/shared/runtime'
import { makeFirstAdministrator } from './first-administrator.ts'
import { userFile } from './user-file.ts'
import { Users } from './users.ts'

const random = seededRandom(5)

async function aDirectory() {
  const root = await mkdtemp(join(tmpdir(), 'fadump-users-'))
  const logged: string[] = []
  const usersFile = join(root, 'users.json')
  return {
    usersFile,
    logged,
    path: (name: string) => join(root, name),
    open: (passwordFile?: string) =>
      Users.open(userFile(usersFile), random, () =>
        makeFirstAdministrator({
          usersFile,
          passwordFile,
          random,
          logger: { info: (facts, text) => void logged.push(JSON.stringify({ facts, text })) },
        }),
      ),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true }),
  }
}

suite('the users of a console', () => {
  test('begin with an administrator whose password lies in a file for its owner only, and in no log', async () => {
    await using directory = await aDirectory()
    const users = await directory.open()
    const path = directory.path('administrator-password')
    const password = (await readFile(path, 'utf8')).trim()
    assert.match(password, /^[0-9a-f]{32}$/)
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    assert.equal((await stat(directory.usersFile)).mode & 0o777, 0o600)
    const admin = { name: 'admin', role: 'administrator' }
    assert.deepEqual(await users.authenticate('admin', password), admin)
    assert.equal(directory.logged.length, 1)
    assert.equal(directory.logged.join().includes(password), false)
    assert.equal((await readFile(directory.usersFile, 'utf8')).includes(password), false)
  })

  test('take the password of the first administrator from the file they are given', async () => {
    await using directory = await aDirectory()
    const path = directory.path('given')
    await writeFile(path, 'a password of ours\n')
    const users = await directory.open(path)
    assert.equal((await users.authenticate('admin', 'a password of ours'))?.role, 'administrator')
    await writeFile(path, 'another one of ours\n')
    const again = await directory.open(path)
    assert.equal(await again.authenticate('admin', 'another one of ours'), undefined)
    assert.equal((await again.authenticate('admin', 'a password of ours'))?.name, 'admin')
  })

  test('refuse a first password that is too short', async () => {
    await using directory = await aDirectory()
    await writeFile(directory.path('short'), 'hunter2')
    await assert.rejects(directory.open(directory.path('short')), ConfigError)
  })

  test('refuse a file of users that is not theirs, without showing it', async () => {
    await using directory = await aDirectory()
    await writeFile(directory.usersFile, '{"users":[{"name":"eve","password":"secret word"}]}')
    await assert.rejects(directory.open(), (error) => {
      assert.ok(error instanceof ConfigError)
      assert.doesNotMatch(error.message, /secret word/)
      return true
    })
  })

  test('are still there after a restart, as they were changed', async () => {
    await using directory = await aDirectory()
    const users = await directory.open()
    await users.create({ name: 'vera', role: 'viewer', password: 'long enough one' })
    await users.change('vera', { role: 'operator' })
    await users.create({ name: 'otto', role: 'operator', password: 'long enough two' })
    await users.delete('otto')
    const again = await directory.open()
    assert.deepEqual(again.list(), [
      { name: 'admin', role: 'administrator' },
      { name: 'vera', role: 'operator' },
    ])
    assert.equal((await again.authenticate('vera', 'long enough one'))?.role, 'operator')
    assert.equal(await again.authenticate('otto', 'long enough two'), undefined)
  })

  test('never lose their last administrator, and have a name once', async () => {
    await using directory = await aDirectory()
    const users = await directory.open()
    await assert.rejects(users.delete('admin'), { slug: 'in-use' })
    await assert.rejects(users.change('admin', { role: 'operator' }), { slug: 'in-use' })
    await assert.rejects(users.delete('nobody'), { slug: 'not-found' })
    const twice = { name: 'admin', role: 'viewer', password: 'long enough one' } as const
    await assert.rejects(users.create(twice), { slug: 'already-exists' })
  })
})
