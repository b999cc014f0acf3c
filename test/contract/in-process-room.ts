/** Hypervisor, kernel host and collector that can be asked both ways: over HTTP, and within the process. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildDumpCollector } from '@fadump-lab/dump-collector'
import { buildHypervisor } from '@fadump-lab/hypervisor'
import { buildLparKernel } from '@fadump-lab/lpar-kernel'
import {
  captureQueue,
  collectorRoutes,
  hypervisorRoutes,
  iplQueue,
  lparKernelRoutes,
  systemResetQueue,
  type Routes,
  type ServiceName,
} from '@fadump-lab/shared/contracts'
import { createInProcessNetwork, listen, type Fetch, type Service } from '@fadump-lab/shared/http'
import { createHeapEventLog, createInProcessQueues } from '@fadump-lab/shared/queue'
import { seededRandom, systemClock, type Clock } from '@fadump-lab/shared/runtime'
import { createHeapMemoryStore } from '@fadump-lab/shared/store'
import { createLogger, createMetrics } from '@fadump-lab/shared/telemetry'
import { testKeys } from '../support/keys.ts'

export type Host = 'hypervisor' | 'kernel' | 'collector'

export const routesOf = {
  hypervisor: hypervisorRoutes,
  kernel: lparKernelRoutes,
  collector: collectorRoutes,
} as const satisfies Readonly<Record<Host, Routes>>

export interface InProcessRoom extends AsyncDisposable {
  readonly services: Readonly<Record<Host, Service>>
  readonly urls: Readonly<Record<Host, string>>
  /** Reaches `http://<host>`. */
  readonly fetch: Fetch
  /** Makes the collector take up its work: until then dumps wait. */
  collect(): Promise<void>
  /** Resolves when no boot and, once the collector works, no capture is waited for. */
  settle(): Promise<void>
}

/** It is always the same time; pauses take none. */
const stoppedClock: Clock = {
  ...systemClock,
  now: () => Date.UTC(2011, 10, 15),
  iso: () => '2011-11-15T00:00:00.000Z',
  sleep: (_ms, signal) => systemClock.sleep(0, signal),
}

/** Rooms are alike: what one answers to the same requests, another answers too. */
export async function openInProcessRoom(): Promise<InProcessRoom> {
  await using stack = new AsyncDisposableStack()
  const root = await mkdtemp(join(tmpdir(), 'fadump-in-process-'))
  stack.defer(() => rm(root, { recursive: true, force: true }))
  const network = createInProcessNetwork()
  const store = stack.use(createHeapMemoryStore())
  const queues = stack.use(createInProcessQueues({ clock: systemClock }))
  const common = (service: ServiceName) => ({
    identity: testKeys.identityOf(service),
    dumpKey: testKeys.dumpKey,
    clock: stoppedClock,
    random: seededRandom(1),
    store,
    queues,
    events: createHeapEventLog(),
    fetch: network.fetch,
    logger: createLogger({ service, level: 'silent' }),
    metrics: createMetrics({ processMetrics: false }),
  })
  const hypervisorUrl = 'http://hypervisor'
  const services = {
    hypervisor: stack.use(buildHypervisor(common('hypervisor'))),
    kernel: stack.use(buildLparKernel({ ...common('lpar-kernel'), hypervisorUrl })),
    collector: stack.use(buildDumpCollector({ ...common('dump-collector'), root })),
  }
  const urls: Record<Host, string> = { hypervisor: '', kernel: '', collector: '' }
  for (const host of ['hypervisor', 'kernel', 'collector'] as const) {
    network.attach(host, services[host])
    urls[host] = await listen(services[host].app, { host: '127.0.0.1', port: 0 })
    if (host !== 'collector') await services[host].start(`http://${host}`)
  }
  const awaited: { counts(): Promise<{ waiting: number; active: number }> }[] = [
    queues.open(iplQueue),
    queues.open(systemResetQueue),
  ]
  const kept = stack.move()
  return {
    services,
    urls,
    fetch: network.fetch,
    collect: async () => {
      await services.collector.start('http://collector')
      awaited.push(queues.open(captureQueue))
    },
    settle: async () => {
      for (const queue of awaited) {
        for (let left = 1; left > 0;) {
          await systemClock.sleep(1)
          const { waiting, active } = await queue.counts()
          left = waiting + active
        }
      }
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}
