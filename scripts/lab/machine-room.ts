/**
 * The embedded machine room: the four services in one process, talking to each other over loopback HTTP exactly as
 * they do between containers. Only the adapters under them (store, queues, events) are chosen by the caller.
 */
import {
  buildDumpCollector,
  defaultSettings,
  withCollectorFaults,
  type CollectorSettings,
} from '@fadump-lab/dump-collector'
import { buildHmcApi, processesBehind, Sessions, Users, usersInMemory } from '@fadump-lab/hmc-api'
import { buildHypervisor } from '@fadump-lab/hypervisor'
import { buildLparKernel } from '@fadump-lab/lpar-kernel'
import {
  collectorRoutes,
  hypervisorRoutes,
  lparKernelRoutes,
  type Role,
  type ServiceName,
} from '@fadump-lab/shared/contracts'
import { tellingPlan, withFaults, type FaultTools } from '@fadump-lab/shared/faults'
import { createClient, systemFetch, type Service } from '@fadump-lab/shared/http'
import { bearer, newRoomKeys, type RoomKeys } from '@fadump-lab/shared/identity'
import type { EventLog, JobQueues } from '@fadump-lab/shared/queue'
import type { Clock, Random } from '@fadump-lab/shared/runtime'
import type { MemoryStore } from '@fadump-lab/shared/store'
import { createLogger, createMetrics, type LogLevel } from '@fadump-lab/shared/telemetry'
import { EmbeddedService } from './embedded-service.ts'

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
  /** Whether faults can be armed; default: no. */
  readonly faults?: boolean
  /** What the collector has otherwise than by default. */
  readonly collector?: Partial<CollectorSettings>
}

export interface MachineRoom extends AsyncDisposable {
  /** Base URLs, for tests and for people. */
  readonly urls: Readonly<Record<'console' | 'hypervisor' | 'kernel' | 'collector', string>>
  /** Made for this room, kept in this process only. */
  readonly keys: RoomKeys
  /** A token of the console for somebody of this role; it is good as long as the room. */
  tokenFor(role: Role): string
}

const loopback = '127.0.0.1'
const jobTimeoutMs = 3_600_000
/** A year: nobody has the password to log on again with. */
const sessionTtlMs = 365 * 24 * 3_600_000
/** All clients share this process; there is nobody to protect it from. */
const limits = { requestsPerMinute: 100_000_000, logonsPerMinute: 30 }

/** Starts everything in the order of dependence; disposing stops it in reverse and leaves the adapters open. */
export async function startMachineRoom(options: MachineRoomOptions): Promise<MachineRoom> {
  await using started = new AsyncDisposableStack()
  const { store, queues, clock, random } = options
  const keys = newRoomKeys(random.fork('keys'))
  const { dumpKey } = keys
  const sessions = new Sessions({ clock, random: random.fork('sessions'), ttlMs: sessionTtlMs })
  const common = (service: ServiceName) => commonParts(service, options, keys)
  const up = async (service: ServiceName, build: Build, port = 0): Promise<string> =>
    started.use(await startService(options, common(service), { service, build, port })).url
  const hypervisor = await up('hypervisor', (tools) => {
    const deps = { ...common('hypervisor'), store, queues }
    return buildHypervisor(tools === undefined ? deps : withFaults(deps, tools))
  })
  const kernel = await up('lpar-kernel', (tools) => {
    const deps = { ...common('lpar-kernel'), store, queues, dumpKey, hypervisorUrl: hypervisor }
    return buildLparKernel(tools === undefined ? deps : withFaults(deps, tools))
  })
  const collector = await up('dump-collector', (tools) => {
    const deps = {
      ...common('dump-collector'),
      queues,
      dumpKey,
      root: options.dumpRoot,
      settings: { ...defaultSettings, ...options.collector },
    }
    return buildDumpCollector(tools === undefined ? deps : withCollectorFaults(deps, tools))
  })
  const authorize = bearer(keys.secrets['hmc-api'])
  const urls = { hypervisor, 'lpar-kernel': kernel, 'dump-collector': collector }
  const users = await Users.open(usersInMemory(), random.fork('users'))
  const console = await up(
    'hmc-api',
    (tools) => {
      const plain = { ...common('hmc-api'), fetch: systemFetch }
      const deps = tools === undefined ? plain : withFaults(plain, tools)
      const peer = (baseUrl: string) => ({ baseUrl, authorize, fetch: deps.fetch })
      return buildHmcApi({
        ...deps,
        users,
        sessions,
        limits,
        hypervisor: createClient(hypervisorRoutes, peer(hypervisor)),
        kernel: createClient(lparKernelRoutes, peer(kernel)),
        collector: createClient(collectorRoutes, peer(collector)),
        processes: processesBehind(urls, { authorize }),
        jobTimeoutMs,
      })
    },
    options.port,
  )
  const running = started.move()
  return {
    urls: { console, hypervisor, kernel, collector },
    keys,
    tokenFor: (role) => sessions.open({ name: `local-${role}`, role }).token,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

type Build = (tools: FaultTools | undefined) => Service | Promise<Service>

function commonParts(service: ServiceName, options: MachineRoomOptions, keys: RoomKeys) {
  const { clock, random, events, logLevel } = options
  return {
    identity: keys.identityOf(service),
    clock,
    random,
    events,
    logger: createLogger({ service, level: logLevel }),
    metrics: createMetrics({ processMetrics: false }),
  }
}

function startService(
  { clock, events, faults }: MachineRoomOptions,
  { logger }: Pick<ReturnType<typeof commonParts>, 'logger'>,
  {
    service,
    build,
    port,
  }: {
    readonly service: ServiceName
    readonly build: Build
    readonly port: number
  },
): Promise<EmbeddedService> {
  return EmbeddedService.start({
    host: loopback,
    port,
    build,
    clock,
    plan: faults === true ? tellingPlan({ service, events, clock }) : undefined,
    onLost: (error) => logger.fatal({ err: error }, 'the service could not be started again'),
  })
}
