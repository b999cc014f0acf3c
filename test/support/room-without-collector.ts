/** Hypervisor and kernel host alone: a partition that has crashed stays in its capture kernel. */
import { buildHypervisor } from '@fadump-lab/hypervisor'
import { buildLparKernel } from '@fadump-lab/lpar-kernel'
import {
  hypervisorRoutes,
  lparKernelRoutes,
  type NewPartition,
  type Partition,
  type ServiceName,
} from '@fadump-lab/shared/contracts'
import { createClient, listen, type Client } from '@fadump-lab/shared/http'
import { asDeclared } from '@fadump-lab/shared/identity'
import { createHeapEventLog, createInProcessQueues, type EventLog } from '@fadump-lab/shared/queue'
import { seededRandom, systemClock } from '@fadump-lab/shared/runtime'
import { createHeapMemoryStore, type MemoryStore } from '@fadump-lab/shared/store'
import { createLogger, createMetrics } from '@fadump-lab/shared/telemetry'
import { eventually } from './eventually.ts'
import { testKeys } from './keys.ts'

export interface PartialRoom extends AsyncDisposable {
  readonly hypervisor: Client<typeof hypervisorRoutes>
  readonly kernel: Client<typeof lparKernelRoutes>
  readonly store: MemoryStore
  readonly events: EventLog
  readonly urls: Readonly<Record<'hypervisor' | 'kernel', string>>
  /** Creates and activates; resolves when the partition is up and, if its firmware can, registered. */
  boot(
    form: Pick<NewPartition, 'id' | 'processors'> & {
      readonly memoryBytes: number
      readonly profile?: NewPartition['profile']
      readonly dumpOption?: boolean
    },
  ): Promise<void>
  /** Crashes; resolves when the capture kernel is up. */
  crash(partition: string): Promise<void>
}

const loopback = { host: '127.0.0.1', port: 0 }

export async function startRoomWithoutCollector(): Promise<PartialRoom> {
  await using stack = new AsyncDisposableStack()
  const common = (service: ServiceName) => ({
    identity: testKeys.identityOf(service),
    clock: systemClock,
    random: seededRandom(1),
    logger: createLogger({ service, level: 'silent' }),
    metrics: createMetrics({ processMetrics: false }),
  })
  const store = stack.use(createHeapMemoryStore())
  const queues = stack.use(createInProcessQueues({ clock: systemClock }))
  const events = stack.use(createHeapEventLog())
  const shared = { store, queues, events }
  const { dumpKey } = testKeys
  const authorize = asDeclared(testKeys)
  const firmware = stack.use(buildHypervisor({ ...common('hypervisor'), ...shared }))
  const hypervisorUrl = await listen(firmware.app, loopback)
  await firmware.start(hypervisorUrl)
  const host = stack.use(
    buildLparKernel({ ...common('lpar-kernel'), ...shared, dumpKey, hypervisorUrl }),
  )
  const kernelUrl = await listen(host.app, loopback)
  await host.start(kernelUrl)
  const hypervisor = createClient(hypervisorRoutes, { baseUrl: hypervisorUrl, authorize })
  const kernel = createClient(lparKernelRoutes, { baseUrl: kernelUrl, authorize })
  const until = (id: string, what: string, holds: (partition: Partition) => boolean) =>
    eventually(`${id} ${what}`, async () =>
      holds(await hypervisor.getPartition({ params: { partition: id } })),
    )
  const kept = stack.move()
  return {
    hypervisor,
    kernel,
    store,
    events,
    urls: { hypervisor: hypervisorUrl, kernel: kernelUrl },
    boot: async (form) => {
      await hypervisor.createPartition({ body: form })
      await hypervisor.activatePartition({ params: { partition: form.id } })
      const registration = form.dumpOption === false ? 'idle' : 'registered'
      await until(
        form.id,
        `is running and ${registration}`,
        (now) => now.state === 'running' && now.registration === registration,
      )
    },
    crash: async (partition) => {
      await kernel.crash({ params: { partition }, body: {} })
      await until(partition, 'captures', ({ state }) => state === 'capturing')
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}
