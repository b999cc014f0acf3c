/** What every operation of the hypervisor goes through. */
import { Problem } from '@fadump-lab/shared/contracts'
import { refusing } from '@fadump-lab/shared/http'

type AnyHandler = (...given: never[]) => Promise<unknown>

/**
 * The same handlers, with store errors turned into refusals. Before `isTakenUp` holds nobody knows which partitions
 * there are: every request is refused as `dependency-unavailable`.
 */
export function guarded<H extends Readonly<Record<string, AnyHandler>>>(
  handlers: H,
  isTakenUp: () => boolean,
): H {
  const wrapped = Object.entries(refusing(handlers)).map(([name, handler]) => [
    name,
    async (...given: never[]) => {
      if (!isTakenUp()) throw new Problem('dependency-unavailable', startingText)
      return handler(...given)
    },
  ])
  return Object.fromEntries(wrapped) as H
}

export const startingText = 'the hypervisor still takes up what the store holds'
