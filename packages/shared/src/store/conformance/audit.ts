/** Whether everything in Redis adds up: page bodies, reference counts, leaves and the counts of spaces. */
import assert from 'node:assert/strict'
import type { Redis } from 'ioredis'

/** Fails with the first thing that does not add up. Looks at the whole data base: for tests only. */
export async function auditRedis(redis: Redis): Promise<void> {
  const keys = await redis.keys('memory:*')
  const frames = new Set(keys.flatMap((key) => /^memory:\{(.*?)\}/.exec(key)?.[1] ?? []))
  for (const frame of frames) await auditFrame(redis, frame, keys)
}

async function auditFrame(redis: Redis, frame: string, keys: readonly string[]): Promise<void> {
  const own = (kind: string): string[] => {
    const prefix = `memory:{${frame}}:${kind}:`
    return keys.filter((key) => key.startsWith(prefix))
  }
  const counts: Record<string, string> = {}
  const leaves = [...own('leaf'), ...own('staged')]
  for (const leaf of leaves) {
    for (const id of await redis.hvals(leaf)) counts[id] = String(Number(counts[id] ?? 0) + 1)
  }
  const references = await redis.hgetall(`memory:{${frame}}:references`)
  assert.deepEqual({ ...references }, counts, `the reference counts of ${frame}`)
  const ids = own('page').map((key) => key.slice(`memory:{${frame}}:page:`.length))
  assert.deepEqual(ids.toSorted(), Object.keys(counts).toSorted(), `the pages of ${frame}`)
  for (const key of own('space')) await auditSpace(redis, { frame, key, leaves })
}

async function auditSpace(
  redis: Redis,
  at: { readonly frame: string; readonly key: string; readonly leaves: readonly string[] },
): Promise<void> {
  const name = at.key.slice(`memory:{${at.frame}}:space:`.length)
  const { incarnation, pages } = await redis.hgetall(at.key)
  const prefix = `memory:{${at.frame}}:leaf:${name}@${incarnation}:`
  const leaves = at.leaves.filter((key) => key.startsWith(prefix))
  const numbers = leaves.map((key) => key.slice(prefix.length))
  const listed = await redis.zrange(`memory:{${at.frame}}:leaves:${name}`, '0', '-1')
  assert.deepEqual(numbers.toSorted(), [...listed].toSorted(), `the leaves of ${name}`)
  const lengths = await Promise.all(leaves.map((key) => redis.hlen(key)))
  const sum = lengths.reduce((total, length) => total + length, 0)
  assert.equal(Number(pages), sum, `the page count of ${name}`)
}
