/** A collector on a directory of its own, with queues and events in this process. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  captureQueue,
  collectorRoutes,
  type CaptureJob,
  type Dump,
  type LabEvent,
} from '@fadump-lab/shared/contracts'
import {
  createClient,
  listen,
  type Client,
  type Fetch,
  type Service,
} from '@fadump-lab/shared/http'
import { asDeclared, signedCaptureJob } from '@fadump-lab/shared/identity'
import { createHeapEventLog, createInProcessQueues, type JobQueues } from '@fadump-lab/shared/queue'
import { seededRandom, systemClock, VirtualClock, type Clock } from '@fadump-lab/shared/runtime'
import { createLogger, createMetrics, type Metrics } from '@fadump-lab/shared/telemetry'
import { eventually } from '../../../test/support/eventually.ts'
import { testKeys } from '../../../test/support/keys.ts'
import { buildDumpCollector, defaultSettings, type CollectorSettings } from '../src/index.ts'
import type { Files } from '../src/store/files.ts'
import { nodeFiles } from '../src/store/files.ts'

/** Lets a request in that is made without the client. */
export const consoleHeaders = asDeclared(testKeys)(collectorRoutes.downloadVmcore)

export interface RoomOptions {
  readonly files?: Files
  readonly settings?: Partial<CollectorSettings>
  /** Of the collector; the queue has a virtual one, so that a retry follows when the test says so. */
  readonly clock?: Clock
  readonly fetch?: Fetch
  /** Instead of the room's. */
  readonly queues?: JobQueues
}

export interface Collector extends AsyncDisposable {
  readonly url: string
  readonly client: Client<typeof collectorRoutes>
  readonly metrics: Metrics
}

export interface Room extends AsyncDisposable {
  readonly root: string
  /** Starts a collector on the room's root; several may run. */
  startCollector(options?: RoomOptions): Promise<Collector>
  /** As a kernel host does it, whatever the test has changed in the job. */
  announce(job: CaptureJob): Promise<void>
  events(): Promise<readonly LabEvent[]>
  /** The events of a dump as `event>to`. */
  story(dump: string): Promise<readonly string[]>
  path(...parts: string[]): string
  /** No job waits or runs; those that wait for their next run are left. */
  paused(): Promise<void>
  /** No job is left: pauses between runs are skipped. */
  idle(): Promise<void>
}

export async function openRoom(): Promise<Room> {
  const root = await mkdtemp(join(tmpdir(), 'dump-collector-'))
  const queueClock = new VirtualClock()
  const queues = createInProcessQueues({ clock: queueClock })
  const events = createHeapEventLog()
  const queue = queues.open(captureQueue)
  const opened = new AsyncDisposableStack()
  opened.defer(() => rm(root, { recursive: true, force: true }))
  opened.use(events)
  opened.use(queues)
  const paused = () =>
    eventually('no job waits or runs', async () => {
      const { waiting, active } = await queue.counts()
      return waiting + active === 0
    })
  const rows = async () => (await events.read(undefined, 10_000)).map((row) => row.event)
  return {
    root,
    path: (...parts) => join(root, ...parts),
    announce: (job) => queue.add(job.dump, signedCaptureJob(testKeys.dumpKey, job)),
    events: rows,
    story: async (dump) =>
      (await rows())
        .filter((event) => event.subject === dump)
        .map((event) => `${event.event}>${event.to ?? ''}`),
    paused,
    idle: async () => {
      await paused()
      while ((await queue.counts()).delayed > 0) {
        await queueClock.advanceToNext()
        await paused()
      }
    },
    startCollector: async (options = {}) => {
      const metrics = createMetrics({ processMetrics: false })
      const service = buildDumpCollector({
        identity: testKeys.identityOf('dump-collector'),
        dumpKey: testKeys.dumpKey,
        root,
        queues: options.queues ?? queues,
        events,
        clock: options.clock ?? systemClock,
        random: seededRandom(BigInt(await rows().then((all) => all.length + 1))),
        logger: createLogger({ service: 'dump-collector', level: 'silent' }),
        metrics,
        files: options.files ?? nodeFiles,
        ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
        settings: { ...defaultSettings, ...options.settings },
      })
      return started(service, metrics)
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

async function started(service: Service, metrics: Metrics): Promise<Collector> {
  const url = await listen(service.app, { host: '127.0.0.1', port: 0 })
  try {
    await service.start(url)
  } catch (error) {
    await service[Symbol.asyncDispose]()
    throw error
  }
  return {
    url,
    metrics,
    client: createClient(collectorRoutes, { baseUrl: url, authorize: asDeclared(testKeys) }),
    [Symbol.asyncDispose]: async () => service[Symbol.asyncDispose](),
  }
}

/** The dump when the collector has said what became of it: giving up follows the end of the job. */
export async function settledDump({ client }: Collector, id: string): Promise<Dump> {
  const params = { dump: id }
  await eventually(`${id} has settled`, async () => {
    return (await client.getDump({ params })).status !== 'capturing'
  })
  return client.getDump({ params })
}

export async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, 'utf8'))
}
