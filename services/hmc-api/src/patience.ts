/** Refusals that pass by themselves. */
import { Problem } from '@fadump-lab/shared/contracts'

/** Nobody answers for the moment, or somebody else was faster. */
export function isAway(error: unknown): boolean {
  return (
    error instanceof Problem &&
    (error.slug === 'dependency-unavailable' || error.slug === 'conflict')
  )
}

/** A service that is away for the moment is worth another look: `undefined`. */
export async function patient<Value>(read: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await read()
  } catch (error) {
    if (isAway(error)) return undefined
    throw error
  }
}

/** Or is not ready for it yet, or its process ended with the request in its hands. */
function isBusy(error: unknown): boolean {
  if (!(error instanceof Problem)) return false
  return ['wrong-state', 'dependency-unavailable', 'internal-error'].includes(error.slug)
}

/** For `retry`: a minute for what may be answered otherwise a moment later. */
export const whileBusy = {
  attemptsMax: 120,
  backoffMs: 50,
  backoffMsMax: 500,
  shouldRetry: isBusy,
} as const
