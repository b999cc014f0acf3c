/** A hypervisor on a heap store, reached over HTTP, for tests of this service. */
import { hypervisorRoutes } from '@fadump-lab/shared/contracts'
import { createClient, listen, type Client, type Fetch } from '@fadump-lab/shared/http'
import { asDeclared } from '@fadump-lab/shared/identity'
import {
  createHeapEventLog,
  createInProcessQueues,
  type EventLog,
  type JobQueues,
} from '@fadump-lab/shared/queue'
import { seededRandom, systemClock, type Clock } from '@fadump-lab/shared/runtime'
import { createHeapMemoryStore, type MemoryStore } from '@fadump-lab/shared/store'
import { createLogger, createMetrics, type Metrics } from '@fadump-lab/shared/telemetry'
import { testKeys } from '../../../../test/support/keys.ts'
import { buildHypervisor, defaultSettings, type HypervisorSettings } from '../index.ts'

export interface StartedHypervisor extends AsyncDisposable {
  readonly url: string
  readonly client: Client<typeof hypervisorRoutes>
  readonly store: MemoryStore
  readonly queues: JobQueues
  readonly events: EventLog
  readonly metrics: Metrics
  /** Ends the service alone; store, queues and events stay for a successor. */
  stop(): Promise<void>
}

export interface HypervisorOptions {
  readonly store?: MemoryStore
  readonly queues?: JobQueues
  readonly events?: EventLog
  readonly clock?: Clock
  readonly fetch?: Fetch
  readonly config?: Partial<HypervisorSettings>
}

export async function startHypervisor(options: HypervisorOptions = {}): Promise<StartedHypervisor> {
  const clock = options.clock ?? systemClock
  const store = options.store ?? createHeapMemoryStore()
  const queues = options.queues ?? createInProcessQueues({ clock })
  const events = options.events ?? createHeapEventLog()
  const metrics = createMetrics({ processMetrics: false })
  const service = buildHypervisor({
    identity: testKeys.identityOf('hypervisor'),
    store,
    queues,
    events,
    clock,
    metrics,
    random: seededRandom(1),
    logger: createLogger({ service: 'hypervisor', level: 'silent' }),
    config: { ...defaultSettings, ...options.config },
    ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
  })
  const url = await listen(service.app, { host: '127.0.0.1', port: 0 })
  await service.start(url)
  return {
    url,
    store,
    queues,
    events,
    metrics,
    client: createClient(hypervisorRoutes, { baseUrl: url, authorize: asDeclared(testKeys) }),
    stop: async () => service[Symbol.asyncDispose](),
    [Symbol.asyncDispose]: async () => {
      await service[Symbol.asyncDispose]()
    },
  }
}
