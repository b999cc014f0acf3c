/**
 * The embedded machine room: the four services in one process, talking to each other over loopback HTTP exactly as
 * they do between containers. Only the adapters under them (store, queues, events) are chosen by the caller.
 */
import { buildDumpCollector } from '@fadump-lab/dump-collector'
import { buildHmcApi } from '@fadump-lab/hmc-api'
import { buildHypervisor } from '@fadump-lab/hypervisor'
import { buildLparKernel } from '@fadump-lab/lpar-kernel'
import { collectorRoutes, hypervisorRoutes, lparKernelRoutes } from '@fadump-lab/shared/contracts'
import { createClient, listen, type Service } from '@fadump-lab/shared/http'
import type { EventLog, JobQueues } from '@fadump-lab/shared/queue'
import type { Clock, Random } from '@fadump-lab/shared/runtime'
import type { MemoryStore } from '@fadump-lab/shared/store'
import { createLogger, createMetrics, type LogLevel } from '@fadump-lab/shared/telemetry'

export interface MachineRoomOptions {
  readonly store: MemoryStore
  readonly queues: JobQueues
  readonly events: EventLog
  readonly clock: Clock
  readonly random: Random
  /** Where the collector keeps dumps. */
  readonly dumpRoot: string
  readonly logLevel: LogLevel
  /** Port of the console on 127.0.0.1; 0 takes a free one. */
  readonly port: number
}

export interface MachineRoom extends AsyncDisposable {
  /** Base URLs, for tests and for people. */
  readonly urls: Readonly<Record<'console' | 'hypervisor' | 'kernel' | 'collector', string>>
}

const loopback = '127.0.0.1'
const jobTimeoutMs = 3_600_000

/** Starts everything in the order of dependence; disposing stops it in reverse and leaves the adapters open. */
export async function startMachineRoom(options: MachineRoomOptions): Promise<MachineRoom> {
  await using started = new AsyncDisposableStack()
  const up = async (service: Service, port = 0): Promise<string> => {
    started.use(service)
    const url = await listen(service.app, { host: loopback, port })
    await service.start(url)
    return url
  }
  const { store, queues, events, clock, random } = options
  const common = (service: string) => ({
    clock,
    random,
    events,
    logger: createLogger({ service, level: options.logLevel }),
    metrics: createMetrics({ processMetrics: false }),
  })
  const hypervisor = await up(buildHypervisor({ ...common('hypervisor'), store, queues }))
  const kernel = await up(
    buildLparKernel({ ...common('lpar-kernel'), store, queues, hypervisorUrl: hypervisor }),
  )
  const collector = await up(
    buildDumpCollector({ ...common('dump-collector'), queues, root: options.dumpRoot }),
  )
  const console = await up(
    await buildHmcApi({
      ...common('hmc-api'),
      hypervisor: createClient(hypervisorRoutes, { baseUrl: hypervisor }),
      kernel: createClient(lparKernelRoutes, { baseUrl: kernel }),
      collector: createClient(collectorRoutes, { baseUrl: collector }),
      jobTimeoutMs,
    }),
    options.port,
  )
  const running = started.move()
  return {
    urls: { console, hypervisor, kernel, collector },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
