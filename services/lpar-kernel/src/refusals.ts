/** Where outcomes of the store become refusals of the service. */
import { Problem } from '@fadump-lab/shared/contracts'
import { StoreError, type StoreErrorCode } from '@fadump-lab/shared/store'

const refusals: Partial<Record<StoreErrorCode, (cause: StoreError) => Problem>> = {
  unavailable: (cause) =>
    new Problem('dependency-unavailable', 'the memory store does not answer', { cause }),
  'version-conflict': (cause) =>
    new Problem('conflict', 'others keep changing the same partition', { cause }),
  'stale-epoch': (cause) =>
    new Problem('stale-boot', 'the partition has been restarted meanwhile', { cause }),
  'no-such-space': (cause) =>
    new Problem('not-found', 'the partition has been deleted meanwhile', { cause }),
}

/** `error` as the refusal it means at the edge; anything else is passed on as it is. */
export function refusalOf(error: unknown): unknown {
  return error instanceof StoreError ? (refusals[error.code]?.(error) ?? error) : error
}

type AnyHandler = (...given: never[]) => Promise<unknown>

/** The same handlers, with store errors turned into refusals. */
export function guarded<H extends Readonly<Record<string, AnyHandler>>>(handlers: H): H {
  const wrapped = Object.entries(handlers).map(([name, handler]) => [
    name,
    async (...given: never[]) => {
      try {
        return await handler(...given)
      } catch (error) {
        throw refusalOf(error)
      }
    },
  ])
  return Object.fromEntries(wrapped) as H
}
