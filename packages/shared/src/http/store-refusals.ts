/** Where outcomes of the memory store become refusals of a service. */
import { Problem } from '../contracts/index.ts'
import { StoreError, type StoreErrorCode } from '../store/index.ts'

const refusals: Partial<Record<StoreErrorCode, (cause: StoreError) => Problem>> = {
  unavailable: (cause) =>
    new Problem('dependency-unavailable', 'the memory store does not answer', { cause }),
  'version-conflict': (cause) =>
    new Problem('conflict', 'others keep changing the same partition or frame', { cause }),
  'stale-epoch': (cause) =>
    new Problem('stale-boot', 'the partition has been restarted meanwhile', { cause }),
  'no-such-space': (cause) =>
    new Problem('not-found', 'the partition or frame has been deleted meanwhile', { cause }),
}

/** `error` as the refusal it means at the edge; anything else is passed on as it is. */
export function refusalOfStore(error: unknown): unknown {
  return error instanceof StoreError ? (refusals[error.code]?.(error) ?? error) : error
}

type AnyHandler = (...given: never[]) => Promise<unknown>

/** The same handlers, with store errors turned into refusals. */
export function refusing<H extends Readonly<Record<string, AnyHandler>>>(handlers: H): H {
  const wrapped = Object.entries(handlers).map(([name, handler]) => [
    name,
    async (...given: never[]) => {
      try {
        return await handler(...given)
      } catch (error) {
        throw refusalOfStore(error)
      }
    },
  ])
  return Object.fromEntries(wrapped) as H
}
