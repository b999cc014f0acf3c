/** Refusals that pass by themselves. */
import { isProblem } from '@fadump-lab/shared/contracts'

/** Nobody answers for the moment, or somebody else was faster. */
export function isAway(error: unknown): boolean {
  return isProblem(error, 'dependency-unavailable', 'conflict')
}

/** As `isAway`, or a process ended with the request in its hands. */
export function isAwayOrEnded(error: unknown): boolean {
  return isAway(error) || isProblem(error, 'internal-error')
}

/** Nobody answers for the moment, a process ended with the request in its hands, or it is too early. */
function isBusy(error: unknown): boolean {
  return isProblem(error, 'dependency-unavailable', 'internal-error', 'wrong-state')
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

/** For `retry`: a minute for what may be answered otherwise a moment later. */
export const whileBusy = {
  attemptsMax: 120,
  backoffMs: 50,
  backoffMsMax: 500,
  shouldRetry: isBusy,
} as const
