/** Time, as a parameter: nothing outside this room reads the machine's clock or starts a timer. */
import { invariant } from '../units/index.ts'

/** The longest delay that one timer of the platform takes (2³¹−1 ms, 24.8 days). */
export const delayMsMax = 2 ** 31 - 1

export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number
  /** `now()` as ISO 8601, UTC. */
  iso(): string
  /** Resolves after `ms`; rejects with the reason of `signal` when that aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Runs `task` once after `ms`, unless the returned timer is disposed before. Keeps the process alive meanwhile. */
  schedule(ms: number, task: () => void): Disposable
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  iso: () => new Date().toISOString(),
  sleep: (ms, signal) => sleepOn(systemClock, ms, signal),
  schedule(ms, task) {
    const timer = setTimeout(task, checkedDelay(ms))
    return { [Symbol.dispose]: () => clearTimeout(timer) }
  },
}

/** Milliseconds since 1970-01-01T00:00:00Z as ISO 8601, UTC. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}

/** The moment that an ISO 8601 text names, in milliseconds as of `Clock.now`. */
export function momentOf(iso: string): number {
  return Date.parse(iso)
}

/** `sleep` in terms of `schedule`: the same for every clock. */
export function sleepOn(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return Promise.reject(reasonOf(signal))
  return new Promise((resolve, reject) => {
    const timer = clock.schedule(ms, () => {
      signal?.removeEventListener('abort', cancel)
      resolve()
    })
    const cancel = () => {
      timer[Symbol.dispose]()
      reject(signal === undefined ? new Error('sleep was cancelled') : reasonOf(signal))
    }
    signal?.addEventListener('abort', cancel, { once: true })
  })
}

/** Refuses what the platform would silently turn into 1 ms. */
export function checkedDelay(ms: number): number {
  invariant(
    ms >= 0 && ms <= delayMsMax,
    `a delay of ${ms} ms is not between 0 and ${delayMsMax} ms`,
  )
  return ms
}

function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason
  return reason instanceof Error
    ? reason
    : new Error('the operation was aborted', { cause: reason })
}
