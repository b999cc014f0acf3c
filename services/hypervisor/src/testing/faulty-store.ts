/** A memory store that stops answering at a chosen call: before it takes effect, or after, so that the answer is lost. */
import { StoreError, type MemoryStore, type StoreErrorCode } from '@fadump-lab/shared/store'

export interface Fault {
  /** The call that fails, from 1; calls are counted from `arm` on. */
  readonly call: number
  readonly moment: 'before' | 'after'
  /** `once`: that call only. `for good`: every later call as well, as for a process that has died. */
  readonly lasts: 'once' | 'for good'
  /** Counts calls of this operation only. */
  readonly operation?: keyof MemoryStore
  /** Default: `unavailable`. */
  readonly code?: StoreErrorCode
}

export interface FaultyStore {
  readonly store: MemoryStore
  /** Starts to count. */
  arm(fault: Fault): void
  /** Answers every call again. */
  disarm(): void
  /** Whether the fault has happened. */
  readonly hasStruck: boolean
}

export function createFaultyStore(inner: MemoryStore): FaultyStore {
  let fault: Fault | undefined
  let calls = 0
  let hasStruck = false
  const lost = () => new StoreError(fault?.code ?? 'unavailable', 'the store refuses (planned)')
  const guard = async (name: string | symbol, run: () => Promise<unknown>): Promise<unknown> => {
    if (fault === undefined || (fault.operation ?? name) !== name) return run()
    calls++
    if (hasStruck && fault.lasts === 'for good') throw lost()
    if (calls !== fault.call) return run()
    hasStruck = true
    if (fault.moment === 'after') await run()
    throw lost()
  }
  const store = new Proxy(inner, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      return (...given: unknown[]) => guard(name, () => Reflect.apply(member, target, given))
    },
  })
  return {
    store,
    arm(planned) {
      fault = planned
      calls = 0
      hasStruck = false
    },
    disarm() {
      fault = undefined
    },
    get hasStruck() {
      return hasStruck
    },
  }
}
