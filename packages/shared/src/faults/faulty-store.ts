/** A memory store that goes away as planned, or loses the answer to a commit. */
import { StoreError, type MemoryChange, type MemoryStore } from '../store/index.ts'
import type { Occasion } from './fault-plan.ts'
import type { FaultTools } from './fault-tools.ts'
import { outageOf, type Outage } from './outage.ts'

export function faultyStore(inner: MemoryStore, tools: FaultTools): MemoryStore {
  const isAway = outageOf('redis-memory-restart', tools)
  return new Proxy(inner, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function' || typeof name !== 'string') return member
      return (...given: readonly unknown[]) => {
        const occasion = occasionOf(tools, name, given[0])
        const run = async (): Promise<unknown> => Reflect.apply(member, target, given)
        const step = { ...occasion, at: `store.${name}` }
        return tools.step(step, () => called({ tools, isAway, occasion }, run, given[1]))
      }
    },
  })
}

async function called(
  call: { readonly tools: FaultTools; readonly isAway: Outage; readonly occasion: Occasion },
  run: () => Promise<unknown>,
  change: unknown,
): Promise<unknown> {
  const { tools, isAway, occasion } = call
  const lost = () =>
    new StoreError('unavailable', `the store does not answer ${occasion.what} (planned)`)
  if (isAway(occasion)) throw lost()
  if (occasion.at !== 'commit' || !movesMemory(change)) return run()
  const torn = tools.plan.strike('torn-hand-over', occasion)
  if (torn === undefined) return run()
  if (torn.value === 1) await run()
  throw lost()
}

function movesMemory(change: unknown): boolean {
  const { cloneFrom, clears = [], copies = [], writes = [] } = change as MemoryChange
  return cloneFrom !== undefined || clears.length + copies.length + writes.length > 0
}

function occasionOf({ plan }: FaultTools, call: string, id: unknown): Occasion {
  if (!isSpaceId(id)) return { what: call, at: call }
  const { frame, space } = id
  const partition = /^partition\/(.+)$/.exec(space)?.[1]
  if (partition !== undefined) plan.learn(partition, frame)
  return { what: `${call} ${frame}/${space}`, at: call, partition, frame }
}

function isSpaceId(id: unknown): id is { readonly frame: string; readonly space: string } {
  return typeof id === 'object' && id !== null && 'frame' in id && 'space' in id
}
