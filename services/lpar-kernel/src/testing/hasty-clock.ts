/** The machine's clock for those who cannot wait: every pause, however long, is 1 ms. */
import { systemClock, type Clock } from '@fadump-lab/shared/runtime'

export const hastyClock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 1), signal),
  schedule: (ms, task) => systemClock.schedule(Math.min(ms, 1), task),
}
