/** Bounded repetition with a pause that doubles. */
import { invariant } from '../units/index.ts'
import type { Clock } from './clock.ts'

export interface Backoff {
  /** Pause before the second attempt; doubles with each further one. */
  readonly backoffMs: number
  readonly backoffMsMax: number
}

export interface RetryOptions extends Backoff {
  readonly clock: Clock
  readonly attemptsMax: number
  /** Whether another attempt makes sense after `error`; always, when absent. */
  readonly shouldRetry?: (error: unknown, attempt: number) => boolean
  /** Ends the pauses: no attempt starts after it aborts. */
  readonly signal?: AbortSignal
}

/** The pause in milliseconds after attempt number `attempt` (1 for the first) has failed. */
export function backoffDelayMs(backoff: Backoff, attempt: number): number {
  return Math.min(backoff.backoffMs * 2 ** (attempt - 1), backoff.backoffMsMax)
}

/** The first outcome of `task` that is not an error, or its last error. `attempt` is 1 for the first run. */
export async function retry<T>(
  task: (attempt: number) => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  invariant(options.attemptsMax >= 1, `attemptsMax must be at least 1, not ${options.attemptsMax}`)
  for (let attempt = 1; ; attempt++) {
    options.signal?.throwIfAborted()
    try {
      return await task(attempt)
    } catch (error) {
      const again = attempt < options.attemptsMax && (options.shouldRetry?.(error, attempt) ?? true)
      if (!again) throw error
      await options.clock.sleep(backoffDelayMs(options, attempt), options.signal)
    }
  }
}
