/** The machine's clock, except that sleeping takes no time: what was asked for is kept. */
import { systemClock, type Clock } from '@fadump-lab/shared/runtime'

export interface RecordingClock extends Clock {
  /** Milliseconds of every sleep of 1 ms or more, in order. */
  readonly sleeps: number[]
}

export function createRecordingClock(): RecordingClock {
  const sleeps: number[] = []
  return {
    ...systemClock,
    sleeps,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted()
      if (ms >= 1) sleeps.push(ms)
      await systemClock.sleep(0, signal)
    },
  }
}
