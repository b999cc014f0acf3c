import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRedisServer } from '../../../../../test/support/redis-server.ts'
import { without } from '../../../../../test/support/tools.ts'
import { aSpace, at, epoch0, fill, filled, refuses, writing } from '../conformance/subject.ts'
import { pageSize } from '../memory-store.ts'
import type { PageId } from '../page-id.ts'
import { RedisMemoryStore } from '../redis-memory-store.ts'
import { RedisConnection } from './connection.ts'
import { loadScripts } from './script-source.ts'

/** Others replace every page between the two steps of a read. */
class ReplacedConnection extends RedisConnection {
  looks = 0

  override async bodies(_frame: string, ids: readonly PageId[]): Promise<readonly null[]> {
    this.looks += 1
    return ids.map(() => null)
  }
}

test(
  'a read whose pages are replaced again and again takes them in one step at last',
  { skip: without('redis-server') },
  async () => {
    await using server = await startRedisServer()
    const connection = new ReplacedConnection({ url: server.url }, await loadScripts())
    await using store = new RedisMemoryStore(connection, 1_000)
    const id = await aSpace(store, 8)
    await fill(store, id, [1, 0, 3])
    assert.deepEqual(await store.read(id, at(1, -1), pageSize + 2), joined(1, 0, 3))
    assert.equal(connection.looks, 4)
    // A write in part cannot do without the body that it patches.
    const write = store.write(id, writing(at(0, 1), filled(9, 1)), epoch0)
    await refuses('version-conflict', write)
    assert.equal(connection.looks, 4 + 64)
  },
)

/** One byte of the first page, the whole second one, one byte of the third. */
function joined(first: number, second: number, third: number): Uint8Array {
  return Uint8Array.of(first, ...filled(second), third)
}
