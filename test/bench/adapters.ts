/** What the benchmarks run on: everything in this process, or a real Redis started for them. */
import {
  createBullmqQueues,
  createHeapEventLog,
  createInProcessQueues,
  createRedisEventLog,
} from '@fadump-lab/shared/queue'
import { systemClock } from '@fadump-lab/shared/runtime'
import { createHeapMemoryStore, createRedisMemoryStore } from '@fadump-lab/shared/store'
import { startRedisServer } from '../support/redis-server.ts'
import type { Adapters } from '../support/room.ts'

export interface BenchAdapters extends Adapters, AsyncDisposable {
  /** Address of the Redis; empty for the heap. */
  readonly url: string
}

export async function openHeapAdapters(): Promise<BenchAdapters> {
  await using stack = new AsyncDisposableStack()
  const store = stack.use(createHeapMemoryStore())
  const queues = stack.use(createInProcessQueues({ clock: systemClock }))
  const events = stack.use(createHeapEventLog())
  const open = stack.move()
  return { url: '', store, queues, events, [Symbol.asyncDispose]: () => open.disposeAsync() }
}

export async function openRedisAdapters(): Promise<BenchAdapters> {
  await using stack = new AsyncDisposableStack()
  const { url } = stack.use(await startRedisServer())
  const store = stack.use(await createRedisMemoryStore({ url }))
  const queues = stack.use(createBullmqQueues({ url }))
  const events = stack.use(createRedisEventLog({ url }))
  const open = stack.move()
  return { url, store, queues, events, [Symbol.asyncDispose]: () => open.disposeAsync() }
}
