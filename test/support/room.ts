/** A whole machine room in the test's process, and what a client of its REST API does again and again. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  hmcRoutes,
  type Dump,
  type HmcJob,
  type NewPartition,
  type Partition,
} from '@fadump-lab/shared/contracts'
import { createClient, type Client } from '@fadump-lab/shared/http'
import { bearer, type Authorize } from '@fadump-lab/shared/identity'
import {
  createHeapEventLog,
  createInProcessQueues,
  type EventLog,
  type JobQueues,
} from '@fadump-lab/shared/queue'
import { seededRandom, systemClock } from '@fadump-lab/shared/runtime'
import { createHeapMemoryStore, type MemoryStore } from '@fadump-lab/shared/store'
import {
  startMachineRoom,
  type MachineRoom,
  type MachineRoomOptions,
} from '../../scripts/lab/machine-room.ts'

export interface Room extends AsyncDisposable {
  readonly api: RoomClient
  readonly urls: MachineRoom['urls']
  readonly keys: MachineRoom['keys']
  readonly tokenFor: MachineRoom['tokenFor']
  /** What lets a request of any user in. */
  readonly headers: { readonly authorization: string }
  readonly store: MemoryStore
  readonly events: EventLog
  readonly dumpRoot: string
}

export interface Adapters {
  readonly store: MemoryStore
  readonly queues: JobQueues
  readonly events: EventLog
}

/** Starts the four services on `adapters` (heap and in-process when absent) with a dump directory of their own. */
export async function startRoom(
  adapters?: Adapters,
  options: Pick<MachineRoomOptions, 'faults' | 'collector'> = {},
): Promise<Room> {
  await using stack = new AsyncDisposableStack()
  const dumpRoot = await mkdtemp(join(tmpdir(), 'fadump-room-'))
  stack.defer(() => rm(dumpRoot, { recursive: true, force: true }))
  const own = adapters ?? {
    store: stack.use(createHeapMemoryStore()),
    queues: stack.use(createInProcessQueues({ clock: systemClock })),
    events: stack.use(createHeapEventLog()),
  }
  const room = stack.use(
    await startMachineRoom({
      ...own,
      ...options,
      clock: systemClock,
      random: seededRandom(1),
      dumpRoot,
      logLevel: 'silent',
      port: 0,
    }),
  )
  const kept = stack.move()
  const token = room.tokenFor('administrator')
  return {
    api: new RoomClient(room.urls.console, bearer(token)),
    urls: room.urls,
    keys: room.keys,
    tokenFor: (role) => room.tokenFor(role),
    headers: { authorization: `Bearer ${token}` },
    store: own.store,
    events: own.events,
    dumpRoot,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

type PartitionForm = {
  readonly id: string
  readonly memoryBytes: number
  readonly processors: number
} & Partial<
  Pick<
    NewPartition,
    | 'profile'
    | 'bootArguments'
    | 'image'
    | 'prstatusPids'
    | 'captureTarget'
    | 'capture'
    | 'dumpService'
  >
> & {
    readonly content?: { readonly seed: number; readonly populatedBytes: number }
    readonly offlineCpus?: number[]
    readonly rmaBytes?: number
  }

const pollMs = 10

/** The console's client, with jobs awaited. */
export class RoomClient {
  readonly routes: Client<typeof hmcRoutes>
  constructor(baseUrl: string, authorize: Authorize) {
    this.routes = createClient(hmcRoutes, { baseUrl, authorize })
  }

  /** Creates and activates; resolves when the partition is up. */
  async boot(form: PartitionForm): Promise<Partition> {
    const { offlineCpus, ...rest } = form
    await this.routes.createPartition({
      body: { ...rest, ...(offlineCpus === undefined ? {} : { offlineCpus }) },
    })
    await this.done(await this.routes.activate({ params: { partition: form.id } }))
    return this.partition(form.id)
  }

  partition(partition: string): Promise<Partition> {
    return this.routes.getPartition({ params: { partition } })
  }

  /** Crashes and resolves with the stored dump. */
  async crash(
    partition: string,
    body: {
      cause?: 'sysrq' | 'null-dereference' | 'bug' | 'panic' | 'hard-lockup'
      cpu?: number
    } = {},
  ): Promise<Dump> {
    const job = await this.done(await this.routes.crash({ params: { partition }, body }))
    return this.routes.getDump({ params: { dump: job.dump ?? 'no-dump' } })
  }

  /** The ended job; throws with its failure. */
  async done(job: HmcJob): Promise<HmcJob> {
    const ended = await this.ended(job)
    if (ended.state === 'failed') throw new Error(`${ended.operation}: ${ended.failure}`)
    return ended
  }

  /** The ended job, succeeded or failed. */
  async ended(job: HmcJob): Promise<HmcJob> {
    for (let now = job; ; now = await this.routes.getJob({ params: { job: job.id } })) {
      if (now.state !== 'running') return now
      await systemClock.sleep(pollMs)
    }
  }
}
