/** Where outcomes of the store become refusals of the service. */
import { Problem } from '@fadump-lab/shared/contracts'
import { StoreError, type StoreErrorCode } from '@fadump-lab/shared/store'

const refusals: Partial<Record<StoreErrorCode, (error: StoreError) => Problem>> = {
  unavailable: (cause) =>
    new Problem('dependency-unavailable', 'the memory store does not answer', { cause }),
  'version-conflict': (cause) =>
    new Problem('conflict', 'others keep changing the same space of the memory store', { cause }),
  'stale-epoch': (cause) =>
    new Problem('stale-boot', 'the partition has been restarted meanwhile', { cause }),
  'no-such-space': (cause) =>
    new Problem('not-found', 'the resource has been deleted meanwhile', { cause }),
}

/** `error` as the refusal it means at the edge; anything else is passed on as it is. */
export function refusalOf(error: unknown): unknown {
  return error instanceof StoreError ? (refusals[error.code]?.(error) ?? error) : error
}

type AnyHandler = (...given: never[]) => Promise<unknown>

/**
 * The same handlers, with store errors turned into refusals. Before `isTakenUp` holds nobody knows which partitions
 * there are: every request is refused as `dependency-unavailable`.
 */
export function guarded<H extends Readonly<Record<string, AnyHandler>>>(
  handlers: H,
  isTakenUp: () => boolean,
): H {
  const wrapped = Object.entries(handlers).map(([name, handler]) => [
    name,
    async (...given: never[]) => {
      if (!isTakenUp()) throw new Problem('dependency-unavailable', startingText)
      try {
        return await handler(...given)
      } catch (error) {
        throw refusalOf(error)
      }
    },
  ])
  return Object.fromEntries(wrapped) as H
}

export const startingText = 'the hypervisor still takes up what the store holds'
