/** The two implementations as subjects of the suite. */
import { Redis } from 'ioredis'
import { startRedisServer } from '../../../../../test/support/redis-server.ts'
import { createHeapMemoryStore } from '../heap-memory-store.ts'
import { createRedisMemoryStore } from '../redis-memory-store.ts'
import { auditRedis } from './audit.ts'
import type { Subject } from './subject.ts'

export async function openHeap(): Promise<Subject> {
  const store = createHeapMemoryStore()
  return {
    store,
    second: store,
    footprint: async () => {
      const frames = await store.listFrames()
      const usages = await Promise.all(frames.map((frame) => store.usage(frame)))
      return usages.reduce((sum, usage) => sum + usage.spaces + usage.pages, 0)
    },
    audit: async () => {},
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

/** A Redis of its own. */
export async function openRedis(): Promise<Subject> {
  await using stack = new AsyncDisposableStack()
  const { url } = stack.use(await startRedisServer())
  const store = stack.use(await createRedisMemoryStore({ url }))
  const second = stack.use(await createRedisMemoryStore({ url }))
  const observer = stack.adopt(new Redis(url), (client) => client.disconnect())
  const kept = stack.move()
  return {
    store,
    second,
    footprint: () => observer.dbsize(),
    audit: () => auditRedis(observer),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}
