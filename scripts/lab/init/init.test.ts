import assert from 'node:assert/strict'
import { mkdtempDisposable, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { CallerName } from '@fadump-lab/shared/contracts'
import { readKeyFile, readVerifiersFile, recognise } from '@fadump-lab/shared/identity'
import { init } from '../init.ts'

async function aRoom() {
  const directory = await mkdtempDisposable(join(tmpdir(), 'lab-init-'))
  const run = async (...exchange: readonly CallerName[]): Promise<string> => {
    const lines: string[] = []
    const print = (line: string): void => void lines.push(line)
    assert.equal(await init({ out: directory.path, print, exchange }), 0)
    return lines.join('\n')
  }
  const read = (path: string): Promise<string> => readFile(join(directory.path, path), 'utf8')
  return { path: directory.path, run, read, [Symbol.asyncDispose]: () => directory.remove() }
}

async function contents(root: string): Promise<Record<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((e) => join(e.parentPath, e.name))
  const texts = files.map(async (path) => [path, await readFile(path, 'utf8')] as const)
  return Object.fromEntries(await Promise.all(texts))
}

test('every holder gets its own directory and no secret of others that it does not need', async () => {
  await using room = await aRoom()
  await room.run()
  const entries = await readdir(room.path, { recursive: true })
  assert.deepEqual(entries.filter((path) => path.includes('/')).toSorted(), [
    'administrator/administrator.password',
    'dump-collector/callers.json',
    'dump-collector/credential.key',
    'dump-collector/dump.key',
    'dump-collector/redis-control.password',
    'hmc-api/administrator.password',
    'hmc-api/callers.json',
    'hmc-api/credential.key',
    'hmc-api/redis-control.password',
    'hypervisor/callers.json',
    'hypervisor/credential.key',
    'hypervisor/redis-control.password',
    'hypervisor/redis-memory.password',
    'lpar-kernel/callers.json',
    'lpar-kernel/credential.key',
    'lpar-kernel/dump.key',
    'lpar-kernel/redis-control.password',
    'lpar-kernel/redis-memory.password',
    'monitor/callers.json',
    'monitor/credential.key',
    'redis-control/operator.password',
    'redis-control/users.acl',
    'redis-memory/operator.password',
    'redis-memory/users.acl',
  ])
  for (const path of Object.keys(await contents(room.path))) {
    assert.equal((await stat(path)).mode & 0o777, 0o440, path)
  }
})

test('a second run keeps every secret and makes what has been lost', async () => {
  await using room = await aRoom()
  await room.run()
  const before = await contents(room.path)
  assert.match(await room.run(), /^0 files written, 24 kept/)
  assert.deepEqual(await contents(room.path), before)
  await rm(join(room.path, 'hypervisor/redis-memory.password'))
  assert.match(await room.run(), /^2 files written/, 'the password, and the list with its digest')
  const after = await contents(room.path)
  const changed = Object.keys(after).filter((path) => after[path] !== before[path])
  assert.deepEqual(changed.map((path) => path.slice(room.path.length + 1)).toSorted(), [
    'hypervisor/redis-memory.password',
    'redis-memory/users.acl',
  ])
})

test('two rooms share no secret', async () => {
  await using one = await aRoom()
  await using other = await aRoom()
  await one.run()
  await other.run()
  const texts = new Set(Object.values(await contents(one.path)))
  const shared = Object.values(await contents(other.path)).filter((text) => texts.has(text))
  assert.deepEqual(shared, [])
})

test('the keys are those that the services read, and each knows all callers', async () => {
  await using room = await aRoom()
  await room.run()
  const path = join(room.path, 'lpar-kernel/callers.json')
  const verifiers = await readVerifiersFile({ variable: 'CALLERS_FILE', path })
  for (const name of ['hypervisor', 'lpar-kernel', 'dump-collector', 'hmc-api', 'monitor']) {
    const key = { variable: 'CREDENTIAL_FILE', path: join(room.path, name, 'credential.key') }
    assert.equal(recognise(verifiers, await readKeyFile(key, 'service')), name)
  }
  const dumpKey = { variable: 'DUMP_KEY_FILE', path: join(room.path, 'lpar-kernel/dump.key') }
  assert.equal(
    `${await readKeyFile(dumpKey, 'dump')}\n`,
    await room.read('dump-collector/dump.key'),
  )
})

test('a key is exchanged without a moment in which its holder is unknown', async () => {
  await using room = await aRoom()
  await room.run()
  const knownBy = async (
    holder: string,
  ): Promise<(file: string) => Promise<string | undefined>> => {
    const path = join(room.path, holder, 'callers.json')
    const verifiers = await readVerifiersFile({ variable: 'CALLERS_FILE', path })
    return async (file) => recognise(verifiers, (await room.read(file)).trimEnd())
  }
  const old = (await room.read('hypervisor/credential.key')).trimEnd()
  assert.match(await room.run('hypervisor'), /^6 files written/, 'the key, and five lists')
  await room.run()
  for (const holder of ['lpar-kernel', 'dump-collector', 'hmc-api']) {
    const known = await knownBy(holder)
    assert.equal(await known('hypervisor/credential.key'), 'hypervisor')
    assert.equal(await known('hypervisor/credential.next.key'), 'hypervisor')
  }
  const directory = join(room.path, 'hypervisor')
  await rename(join(directory, 'credential.next.key'), join(directory, 'credential.key'))
  assert.match(await room.run(), /^5 files written/, 'nobody needs the old one any more')
  const path = join(room.path, 'lpar-kernel', 'callers.json')
  const verifiers = await readVerifiersFile({ variable: 'CALLERS_FILE', path })
  assert.equal(recognise(verifiers, old), undefined)
  assert.equal(await (await knownBy('lpar-kernel'))('hypervisor/credential.key'), 'hypervisor')
})
