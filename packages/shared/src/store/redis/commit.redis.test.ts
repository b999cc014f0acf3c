/** What happens when others change memory between the two phases of a commit. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Redis } from 'ioredis'
import { startRedisServer } from '../../../../../test/support/redis-server.ts'
import { without } from '../../../../../test/support/tools.ts'
import { auditRedis } from '../conformance/audit.ts'
import {
  aSpace,
  at,
  copying,
  epoch0,
  fill,
  filled,
  refuses,
  sizeOf,
  writing,
} from '../conformance/subject.ts'
import { pageSize, type MemoryChange, type MemoryStore, type SpaceId } from '../memory-store.ts'
import { createRedisMemoryStore } from '../redis-memory-store.ts'
import { commitChange } from './commit.ts'
import { RedisConnection, type ScriptReply, type TransactionSteps } from './connection.ts'
import { loadScripts, type ScriptSources } from './script-source.ts'

type Interference = (transaction: number) => Promise<void>

/** Lets others in before every transaction: after memory was read, before the commit is applied. */
class LateConnection extends RedisConnection {
  readonly #interfere: Interference
  transactions = 0

  constructor(url: string, sources: ScriptSources, interfere: Interference) {
    super({ url }, sources)
    this.#interfere = interfere
  }

  override async transaction(
    frame: string,
    steps: TransactionSteps,
  ): Promise<readonly ScriptReply[]> {
    this.transactions += 1
    await this.#interfere(this.transactions)
    return await super.transaction(frame, steps)
  }
}

interface Late extends AsyncDisposable {
  readonly redis: Redis
  readonly store: MemoryStore
  readonly id: SpaceId
  /** Commits `change` while `interfere` happens; gives the number of transactions that it took. */
  commit(change: MemoryChange, interfere: Interference): Promise<number>
}

async function aLateCommitter(): Promise<Late> {
  await using stack = new AsyncDisposableStack()
  const { url } = stack.use(await startRedisServer())
  const redis = stack.adopt(new Redis(url), (client) => client.disconnect())
  const store = stack.use(await createRedisMemoryStore({ url }))
  const sources = await loadScripts()
  const id = await aSpace(store, 200)
  await fill(store, id, [1, 2, 3, 4])
  const kept = stack.move()
  return {
    redis,
    store,
    id,
    commit: async (change, interfere) => {
      await using connection = new LateConnection(url, sources, interfere)
      await commitChange(connection, { id, change, leaseMs: 60_000 })
      return connection.transactions
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

const options = { skip: without('redis-server') }

test(
  'an unaligned copy takes what was written to its source after it was staged',
  options,
  async () => {
    await using late = await aLateCommitter()
    const { store, id, redis } = late
    const change = { copies: [copying(at(0), at(100, 1), 3 * pageSize)] }
    const transactions = await late.commit(change, async (transaction) => {
      if (transaction === 1) await store.write(id, writing(at(1), filled(9)), epoch0)
    })
    assert.equal(transactions, 2)
    assert.deepEqual(await store.read(id, at(101), 3), Uint8Array.of(1, 9, 9))
    assert.deepEqual(await redis.keys('memory:*:staged:*'), [], 'the first attempt leaves nothing')
    await auditRedis(redis)
  },
)

test(
  'a page that is written in part keeps what was written beside it after it was read',
  options,
  async () => {
    await using late = await aLateCommitter()
    const { store, id, redis } = late
    const change = { writes: [writing(at(0, 10), filled(7, 5))] }
    const transactions = await late.commit(change, async (transaction) => {
      if (transaction < 3) await store.write(id, writing(at(0, transaction), filled(9, 1)), epoch0)
    })
    assert.equal(transactions, 3)
    assert.deepEqual([...(await store.read(id, at(0), 12))], [1, 9, 9, 1, 1, 1, 1, 1, 1, 1, 7, 7])
    assert.deepEqual(await redis.keys('memory:*:staged:*'), [])
  },
)

test(
  'a commit that reads nothing, or other pages, is not delayed by writers',
  options,
  async () => {
    await using late = await aLateCommitter()
    const { store, id } = late
    const change = {
      writes: [writing(at(0, 10), filled(7, 5)), writing(at(8), filled(8))],
      copies: [copying(at(2), at(9), pageSize)],
    }
    const transactions = await late.commit(change, () =>
      store.write(id, writing(at(2), filled(9)), epoch0),
    )
    assert.equal(transactions, 1)
    assert.deepEqual(
      await store.read(id, at(9), 1),
      Uint8Array.of(9),
      'an aligned copy is the latest',
    )
  },
)

test(
  'a commit that others never let through gives up after a bounded number of attempts',
  options,
  async () => {
    await using late = await aLateCommitter()
    const { store, id, redis } = late
    const before = await redis.dbsize()
    let attempts = 0
    const disturb = async (transaction: number) => {
      attempts = transaction
      await store.write(id, writing(at(0), filled(transaction)), epoch0)
    }
    const change = { copies: [copying(at(0), at(100, 1), 3 * pageSize)], records: { state: 'x' } }
    await refuses('version-conflict', late.commit(change, disturb))
    assert.equal(attempts, 8)
    assert.equal(await redis.dbsize(), before)
    assert.equal((await store.readRecord(id, 'state')).value, undefined)
  },
)

test(
  'a commit to a space that is deleted and made again meanwhile is of the new one or refused',
  options,
  async () => {
    await using late = await aLateCommitter()
    const { store, id, redis } = late
    const change = { writes: [writing(at(0, 10), filled(7, 5))] }
    const transactions = await late.commit(change, async (transaction) => {
      if (transaction > 1) return
      await store.deleteSpace(id)
      await store.createSpace(id, sizeOf(200))
    })
    assert.equal(transactions, 2)
    assert.deepEqual(await store.read(id, at(0, 9), 2), Uint8Array.of(0, 7))
    const gone = late.commit(change, () => store.deleteSpace(id))
    await refuses('no-such-space', gone)
    assert.equal(await redis.dbsize(), 0)
  },
)
