/** Notices silence: aborts when nothing has happened for a whole period. */
import type { Clock } from '@fadump-lab/shared/runtime'

export interface Watchdog extends Disposable {
  readonly signal: AbortSignal
  /** Something happened. */
  touch(): void
}

/** Silence is noticed after one to two periods of `idleTimeoutMs`. One timer, however often it is touched. */
export function createWatchdog(clock: Clock, idleTimeoutMs: number): Watchdog {
  const silent = new AbortController()
  let touched = false
  let timer = clock.schedule(idleTimeoutMs, check)
  function check(): void {
    if (touched) {
      touched = false
      timer = clock.schedule(idleTimeoutMs, check)
    } else {
      silent.abort(new Error(`nothing came for ${idleTimeoutMs} ms`))
    }
  }
  return {
    signal: silent.signal,
    touch: () => void (touched = true),
    [Symbol.dispose]: () => timer[Symbol.dispose](),
  }
}

/** `source`, each chunk of which the watchdog takes as a sign of life. */
export async function* watched(
  source: AsyncIterable<Uint8Array>,
  watchdog: Watchdog,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    watchdog.touch()
    yield chunk
  }
}
