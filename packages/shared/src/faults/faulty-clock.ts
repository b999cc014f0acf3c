/** A clock that is set by somebody else. Timers go on as before: they do not go by the time of day. */
import { isoTime, type Clock } from '../runtime/index.ts'
import type { FaultTools } from './fault-tools.ts'

export function faultyClock(inner: Clock, { plan }: FaultTools): Clock {
  let setByMs = 0
  const now = () => {
    setByMs += plan.strike('clock-jump', { what: 'the time of day' })?.value ?? 0
    return inner.now() + setByMs
  }
  return {
    now,
    iso: () => isoTime(now()),
    sleep: (ms, signal) => inner.sleep(ms, signal),
    schedule: (ms, task) => inner.schedule(ms, task),
  }
}
