/** The Redis store when the process that commits is killed. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { commitLoopStep, loopNumber, loopSpaceBytes } from '../../../../test/support/commit-loop.ts'
import { eventually } from '../../../../test/support/eventually.ts'
import { startRedisServer } from '../../../../test/support/redis-server.ts'
import { repositoryRoot, without } from '../../../../test/support/tools.ts'
import { auditRedis } from './conformance/audit.ts'
import type { SpaceId } from './memory-store.ts'
import { createRedisMemoryStore } from './redis-memory-store.ts'

const kills = 12
/** The kills sweep across one to three commits in steps of this length. */
const killStepMs = 10

test(
  'a process that is killed while it commits leaves the space as before or after, and no page for good',
  { skip: without('redis-server') },
  async () => {
    await using server = await startRedisServer()
    using stack = new DisposableStack()
    const redis = stack.adopt(new Redis(server.url), (client) => client.disconnect())
    await using store = await createRedisMemoryStore({ url: server.url, stagingLeaseMs: 1 })
    const id = { frame: 'server-1', space: 'partition/p1' }
    await store.createSpace(id, loopSpaceBytes)
    let last = 0
    for (let kill = 0; kill < kills; kill += 1) {
      const begun = await runAndKill(server.url, id, kill * killStepMs)
      await eventually('Redis has seen the end of the process', async () => {
        const clients = String(await redis.client('LIST'))
        return clients.trim().split('\n').length === 2
      })
      const n = await loopNumber(store, id)
      assert.ok(n >= last && (n === begun || n === begun - 1), `${n} after ${begun} had begun`)
      await auditRedis(redis)
      last = n
    }
    assert.ok(last > kills, 'the loop made progress between the kills')
    await commitLoopStep(store, id, last + 1)
    await eventually('the next commits drop what was staged', async () => {
      await store.commit(id, { cloneFrom: id, copies: [], clears: [] })
      return (await redis.keys('memory:*:staged:*')).length === 0
    })
    await store.deleteSpace(id)
    assert.equal(await redis.dbsize(), 0)
  },
)

/** Runs the loop, kills it `delayMs` after its third commit has begun, and gives the number of the last that had begun. */
async function runAndKill(url: string, id: SpaceId, delayMs: number): Promise<number> {
  const program = join(repositoryRoot, 'test/support/commit-loop.ts')
  const child = spawn(process.execPath, [program, url, id.frame, id.space], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  let begun = 0
  let lines = 0
  for await (const line of createInterface({ input: child.stdout })) {
    begun = Number(line.split(' ')[1])
    lines += 1
    if (lines === 3) {
      await delay(delayMs)
      child.kill('SIGKILL')
    }
  }
  await exited
  return begun
}
