/** The ports of a service, each with the faults that can strike it. The service itself knows nothing of faults. */
import { systemFetch, type Fetch } from '../http/index.ts'
import type { EventLog, JobQueues } from '../queue/index.ts'
import type { Clock } from '../runtime/index.ts'
import type { MemoryStore } from '../store/index.ts'
import type { FaultPlan } from './fault-plan.ts'
import type { FaultTools } from './fault-tools.ts'
import { faultyClock } from './faulty-clock.ts'
import { faultyEvents } from './faulty-events.ts'
import { faultyFetch } from './faulty-fetch.ts'
import { faultyQueues } from './faulty-queues.ts'
import { faultyStore } from './faulty-store.ts'
import { outageOf } from './outage.ts'

export interface FaultyPorts {
  readonly clock: Clock
  readonly events: EventLog
  readonly fetch?: Fetch
  readonly queues?: JobQueues
  readonly store?: MemoryStore
}

/** `deps` with decorated ports; absent ones stay absent, but `fetch` becomes the machine's network with its faults. */
export function withFaults<Deps extends FaultyPorts>(
  deps: Deps,
  tools: FaultTools,
): Deps & { readonly fetch: Fetch; readonly faults: FaultPlan } {
  const { clock, events, queues, store } = deps
  const isAway = outageOf('redis-control-restart', tools)
  return {
    ...deps,
    faults: tools.plan,
    fetch: faultyFetch(deps.fetch ?? systemFetch, tools),
    clock: faultyClock(clock, tools),
    events: faultyEvents(events, tools, isAway),
    ...(queues === undefined ? {} : { queues: faultyQueues(queues, tools, isAway) }),
    ...(store === undefined ? {} : { store: faultyStore(store, tools) }),
  }
}
