/** Waiting for somebody else, but not for ever. */
import type { Clock } from './clock.ts'
import { UnavailableError } from './exit-codes.ts'

export interface Deadline {
  readonly clock: Clock
  readonly timeoutMs: number
  /** What is awaited, for the message: `the control Redis`. */
  readonly what: string
}

/** The outcome of `work`, or an `UnavailableError` when it has not settled after `timeoutMs`. `work` itself goes on. */
export async function withinDeadline<T>(work: Promise<T>, deadline: Deadline): Promise<T> {
  const late = Promise.withResolvers<never>()
  using _timer = deadline.clock.schedule(deadline.timeoutMs, () => {
    late.reject(
      new UnavailableError(`${deadline.what} did not answer within ${deadline.timeoutMs} ms`),
    )
  })
  return await Promise.race([work, late.promise])
}
