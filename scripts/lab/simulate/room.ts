/**
 * The fifth composition (design: one process, no sockets): the services as they are, on a virtual clock, each process of
 * which can die and be started again on the same store, queues and disk.
 */
import {
  buildDumpCollector,
  defaultSettings,
  withCollectorFaults,
} from '@fadump-lab/dump-collector'
import { buildHmcApi, Sessions, Users, usersInMemory } from '@fadump-lab/hmc-api'
import { buildHypervisor } from '@fadump-lab/hypervisor'
import { buildLparKernel } from '@fadump-lab/lpar-kernel'
import {
  collectorRoutes,
  hmcRoutes,
  hypervisorRoutes,
  lparKernelRoutes,
  type LabEvent,
  type ServiceName,
} from '@fadump-lab/shared/contracts'
import { FaultTools, tellingPlan, withFaults, type FaultPlan } from '@fadump-lab/shared/faults'
import { createClient, type Client, type Fetch, type Service } from '@fadump-lab/shared/http'
import { bearer, newRoomKeys, type RoomKeys } from '@fadump-lab/shared/identity'
import { createHeapEventLog, createInProcessQueues, type EventLog } from '@fadump-lab/shared/queue'
import type { Random, VirtualClock } from '@fadump-lab/shared/runtime'
import { createLogger, createMetrics } from '@fadump-lab/shared/telemetry'
import { servicesOf, type Configuration } from './configuration.ts'
import { Disk } from './disk.ts'
import { SimulatedMemory } from './memory.ts'
import { SimulatedNetwork } from './network.ts'
import { ProcessLife } from './process-life.ts'
import { SimulatedQueues } from './queues.ts'
import type { Trace } from './trace.ts'

export const dumpRoot = '/dumps'
const streamWindows = 4
const jobTimeoutMs = 30_000
/** Nobody waits for the end of a job here; looks at what it waits for would be most of all requests. */
const lookMsMax = 5_000
const sessionTtlMs = 365 * 24 * 3_600_000
const silenceMs = 15_000
/** Between the end of a process that could not start and the next try. */
const restartMs = 1_000
const stopGraceMs = 10_000
const healthMs = 5_000
const healthLooksMax = 200

interface Process {
  readonly life: ProcessLife
  readonly service: Service
}

export interface RoomOptions {
  readonly configuration: Configuration
  readonly random: Random
  readonly clock: VirtualClock
  readonly trace: Trace
  /** Lines that a service logs. */
  readonly onLog: (line: string) => void
  /** Rows that have been appended to the event log. */
  readonly onEvent: (event: LabEvent) => void
}

export class SimulatedRoom {
  readonly clock: VirtualClock
  readonly configuration: Configuration
  readonly disk = new Disk()
  readonly memory = new SimulatedMemory()
  readonly network: SimulatedNetwork
  readonly queues: SimulatedQueues
  readonly events: EventLog
  readonly api: Client<typeof hmcRoutes>
  readonly kernelApi: Client<typeof lparKernelRoutes>
  readonly keys: RoomKeys
  /** As somebody outside. */
  readonly fetch: Fetch
  readonly #options: RoomOptions
  readonly #random: Random
  readonly #sessions: Sessions
  readonly #processes = new Map<string, Process>()
  /** How long the next end of a process lasts. */
  readonly #downMs = new Map<string, number>()
  readonly #generations = new Map<string, number>()
  readonly #plans = new Map<string, FaultPlan>()
  /** Of all processes that there have been. */
  readonly #lives: ProcessLife[] = []
  #isClosing = false

  constructor(options: RoomOptions) {
    const { clock, configuration, random } = options
    this.#options = options
    this.#random = random
    this.clock = clock
    this.configuration = configuration
    const { latencyMsMax } = configuration
    this.network = new SimulatedNetwork(clock, random.fork('network'), { latencyMsMax, silenceMs })
    this.queues = new SimulatedQueues(createInProcessQueues({ clock }))
    this.events = observed(createHeapEventLog(), options.onEvent)
    this.keys = newRoomKeys(random.fork('keys'))
    this.#sessions = new Sessions({ clock, random: random.fork('sessions'), ttlMs: sessionTtlMs })
    const { token } = this.#sessions.open({ name: 'simulator', role: 'administrator' })
    const fetch = this.network.fetchOf('you')
    this.fetch = fetch
    this.api = createClient(hmcRoutes, {
      baseUrl: 'http://console',
      authorize: bearer(token),
      fetch,
    })
    this.kernelApi = createClient(lparKernelRoutes, {
      baseUrl: 'http://kernel',
      authorize: bearer(this.keys.secrets['hmc-api']),
      fetch,
    })
  }

  get names(): readonly string[] {
    return servicesOf(this.configuration)
  }

  isUp(name: string): boolean {
    return this.#processes.get(name)?.life.isOver === false
  }

  /** In the order of dependence. */
  async start(): Promise<void> {
    for (const name of this.names.toReversed()) await this.#startOnce(name)
    await this.allUp()
  }

  /** Resolves when every process runs. */
  async allUp(): Promise<void> {
    while (!this.names.every((name) => this.isUp(name))) await this.clock.sleep(restartMs)
  }

  /** As kill -9, after so many operations of its ports; the next process comes up `downMs` later. */
  kill(name: string, downMs: number, afterOperations = 0): void {
    this.#downMs.set(name, downMs)
    const life = this.#processes.get(name)?.life
    if (afterOperations > 0) life?.endAfter(afterOperations)
    else life?.end()
  }

  /** In order: what runs is handed back. Its end is awaited for a while, as a container's is. */
  async stop(name: string, downMs: number): Promise<void> {
    const process = this.#processes.get(name)
    if (process === undefined || process.life.isOver) return
    const ended = Promise.resolve(process.service[Symbol.asyncDispose]()).catch(() => undefined)
    await Promise.race([ended, this.clock.sleep(stopGraceMs)])
    this.#downMs.set(name, downMs)
    process.life.end()
  }

  /** Ends everything for good. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.network.onMessage = () => undefined
    for (const { life } of this.#processes.values()) life.end()
    for (const life of this.#lives) life.bury()
    await this.events[Symbol.asyncDispose]()
    this.memory.lose()
    this.disk.erase()
  }

  /** What is to break in a process, and in those that come after it. */
  faultsOf(name: string): FaultPlan {
    const plan =
      this.#plans.get(name) ??
      tellingPlan({ service: serviceOf(name), events: this.events, clock: this.clock })
    this.#plans.set(name, plan)
    return plan
  }

  disarmAll(): void {
    for (const plan of this.#plans.values()) plan.disarmAll()
  }

  /** Looks at the health of the hypervisor, as a container runtime does, until it is well. */
  async healthy(): Promise<string> {
    const { fetch } = this
    for (let look = 0; look < healthLooksMax; look++) {
      const { status } = await fetch('http://hypervisor/readyz').catch(() => ({ status: 0 }))
      if (status === 200) return 'healthy'
      await this.clock.sleep(healthMs)
    }
    return 'not healthy'
  }

  /** One process, unless one runs. When it ends, whatever the reason, the next one is started after a while. */
  async #startOnce(name: string): Promise<void> {
    if (this.isUp(name) || this.#isClosing) return
    const generation = (this.#generations.get(name) ?? 0) + 1
    this.#generations.set(name, generation)
    const life = new ProcessLife(name, this.#delays(`${name} ${generation}`))
    this.#lives.push(life)
    const ended = Promise.withResolvers<'died'>()
    life.onEnd(() => {
      ended.resolve('died')
      this.#ended(name)
    })
    const service = await this.#build(name, life, this.#random.fork(`${name} ${generation}`))
    this.#processes.set(name, { life, service })
    this.network.attach([...new Set([name, name.replace(/-\d+$/, '')])], service, life)
    const started = service.start(`http://${name}`).then(
      () => 'started',
      (error: unknown) =>
        `did not start: ${error instanceof Error ? error.message : String(error)}`,
    )
    const outcome = await Promise.race([started, ended.promise])
    if (outcome === 'died') return
    this.#options.trace.tell({ who: name, subject: 'process', event: outcome })
    if (outcome !== 'started') life.end()
  }

  #ended(name: string): void {
    if (this.#isClosing) return
    const downMs = this.#downMs.get(name) ?? restartMs
    this.#downMs.delete(name)
    this.#options.trace.tell({ who: name, subject: 'process', event: `died for ${downMs} ms` })
    this.clock.schedule(downMs, () => void this.#startOnce(name))
  }

  /** Some operations take time, drawn for each process. */
  #delays(label: string): () => Promise<void> | undefined {
    const { slowPermille, operationMsMax } = this.configuration
    const random = this.#random.fork(`delays ${label}`)
    return () => {
      if (slowPermille === 0 || random.int(1000) >= slowPermille) return undefined
      return this.clock.sleep(random.int(operationMsMax + 1))
    }
  }

  async #build(name: string, life: ProcessLife, random: Random): Promise<Service> {
    const clock = life.clockOf(this.clock)
    const { dumpKey } = this.keys
    const tools = new FaultTools({ plan: this.faultsOf(name), clock, abort: () => life.end() })
    const destination = { write: this.#options.onLog }
    const service = serviceOf(name)
    const common = {
      identity: this.keys.identityOf(service),
      clock,
      random,
      fetch: this.network.fetchOf(name, life),
      store: life.portOf('store', this.memory.port),
      queues: this.queues.of(life),
      events: life.portOf('events', this.events),
      logger: createLogger({ service, level: 'warn', destination }),
      metrics: createMetrics({ processMetrics: false }),
    }
    switch (service) {
      case 'hypervisor':
        return buildHypervisor(withFaults(common, tools))
      case 'lpar-kernel':
        return buildLparKernel({
          ...withFaults(common, tools),
          dumpKey,
          hypervisorUrl: 'http://hypervisor',
          config: { streamWindows, bootConcurrency: this.configuration.bootConcurrency },
        })
      case 'dump-collector':
        return buildDumpCollector(
          withCollectorFaults(
            {
              ...common,
              dumpKey,
              root: dumpRoot,
              files: this.#filesOf(life),
              settings: this.#collectorSettings(),
            },
            tools,
          ),
        )
      case 'hmc-api':
        return this.#buildConsole(withFaults(common, tools))
    }
  }

  async #buildConsole(
    common: Pick<
      Parameters<typeof buildHmcApi>[0],
      'identity' | 'events' | 'clock' | 'random' | 'logger' | 'metrics'
    > & { readonly fetch: Fetch },
  ): Promise<Service> {
    const { fetch } = common
    const authorize = bearer(this.keys.secrets['hmc-api'])
    const to = (host: string) => ({ baseUrl: `http://${host}`, authorize, fetch })
    return buildHmcApi({
      ...common,
      users: await Users.open(usersInMemory(), common.random),
      sessions: this.#sessions,
      limits: { requestsPerMinute: 100_000_000, logonsPerMinute: 30 },
      hypervisor: createClient(hypervisorRoutes, to('hypervisor')),
      kernel: createClient(lparKernelRoutes, to('kernel')),
      collector: createClient(collectorRoutes, to('collector')),
      jobTimeoutMs,
      lookMsMax,
      isPublic: false,
    })
  }

  #filesOf(life: ProcessLife): Disk['files'] {
    const files = life.portOf('files', this.disk.files)
    return new Proxy(files, {
      get: (target, key) =>
        key === 'open'
          ? async (path: string, mode: 'read' | 'update' | 'replace') =>
              life.portOf('file', await target.open(path, mode))
          : (Reflect.get(target, key, target) as unknown),
    })
  }

  #collectorSettings() {
    const { configuration } = this
    return {
      ...defaultSettings,
      concurrency: configuration.captureConcurrency,
      windowBytes: configuration.windowBytes,
      idleTimeoutMs: configuration.idleTimeoutMs,
      housekeepingMs: configuration.housekeepingMs,
      capturesPerHourMax: configuration.capturesPerHour,
      scrubIntervalMs: configuration.scrubIntervalMs,
      reserveBytes: 1024 * 1024,
      retention: {
        ...defaultSettings.retention,
        dumpsPerPartitionMax: configuration.retentionDumps,
        graceMs: 10_000,
      },
    }
  }
}

const services: Readonly<Record<string, ServiceName>> = {
  hypervisor: 'hypervisor',
  kernel: 'lpar-kernel',
  collector: 'dump-collector',
  console: 'hmc-api',
}

/** The service that the process of that name runs. */
function serviceOf(name: string): ServiceName {
  return services[name.replace(/-\d+$/, '')] ?? 'hmc-api'
}

function observed(log: EventLog, onEvent: (event: LabEvent) => void): EventLog {
  return {
    append: async (event) => {
      const id = await log.append(event)
      onEvent(event)
      return id
    },
    read: (after, limit) => log.read(after, limit),
    follow: (after, signal) => log.follow(after, signal),
    [Symbol.asyncDispose]: () => log[Symbol.asyncDispose](),
  }
}
