/** What a soak is carried out with, over the REST API of a console that is not always there. */
import type { SoakDeps, SoakTools } from '@fadump-lab/hmc-api'
import type { HmcJob } from '@fadump-lab/shared/contracts'
import type { Clock } from '@fadump-lab/shared/runtime'
import type { Console } from './console.ts'
import type { EventFeed } from './event-feed.ts'
import { storedDumps } from './stored-dumps.ts'

/** Stands for the job of an order that was carried out without an answer. */
const lostJob = 'job-lost'
const gone = { done: 'not-found', otherwise: () => Promise.resolve(undefined) } as const
const written = { done: 'errno', otherwise: () => Promise.resolve(undefined) } as const
const carriedOut = { done: 'wrong-state', otherwise: () => Promise.resolve(undefined) } as const

export function remoteTools(
  console: Console,
  given: { readonly clock: Clock; readonly feed: EventFeed; readonly logger: SoakDeps['logger'] },
): Pick<SoakTools, 'deps' | 'jobs' | 'operations' | 'faults'> {
  const { clock, feed, logger } = given
  return {
    deps: {
      hypervisor: hypervisorOf(console),
      kernel: kernelOf(console),
      collector: storedDumps(console),
      // What a soak says of itself is for the log of the room that runs it; this one runs outside.
      events: { follow: (_after, signal) => feed.follow(signal), append: async () => '' },
      clock,
      logger,
    },
    // A console that was started again knows no jobs of its predecessor, and none ends that waits for lost memory.
    jobs: { ended: () => Promise.resolve(undefined) },
    operations: operationsOf(console, clock),
    faults: {
      arm: (body) => console.ask((routes) => routes.armFault({ body })),
      list: () => console.ask((routes) => routes.listFaults({})),
      disarm: (fault) => console.order((routes) => routes.disarmFault({ params: { fault } }), gone),
    },
  }
}

function hypervisorOf(console: Console): SoakDeps['hypervisor'] {
  const immediately = { immediate: true }
  return {
    createFrame: (request) =>
      console.order((routes) => routes.createFrame(request), {
        done: 'already-exists',
        otherwise: () =>
          console.ask((routes) => routes.getFrame({ params: { frame: request.body.id } })),
      }),
    deleteFrame: (request) => console.order((routes) => routes.deleteFrame(request), gone),
    createPartition: (request) =>
      console.order((routes) => routes.createPartition(request), {
        done: 'already-exists',
        otherwise: () =>
          console.ask((routes) => routes.getPartition({ params: { partition: request.body.id } })),
      }),
    getPartition: (request) => console.ask((routes) => routes.getPartition(request)),
    deletePartition: (request) => console.order((routes) => routes.deletePartition(request), gone),
    changeBootSettings: (request) => console.ask((routes) => routes.changeBootSettings(request)),
    powerOffPartition: (request) =>
      console.order<unknown>(
        (routes) => routes.shutdownPartition({ ...request, body: immediately }),
        carriedOut,
      ),
    systemReset: (request) => console.once((routes) => routes.dumpRestart(request)),
    killPartition: (request) =>
      console.order<unknown>((routes) => routes.killPartition(request), carriedOut),
    migratePartition: (request) =>
      console.order<unknown>((routes) => routes.migratePartition(request), carriedOut),
  }
}

function kernelOf(console: Console): SoakDeps['kernel'] {
  return {
    readFile: (request) => console.ask((routes) => routes.readPartitionFile(request)),
    writeFile: (request) => console.order((routes) => routes.writePartitionFile(request), written),
    readProc: (request) => console.ask((routes) => routes.readPartitionProc(request)),
    runWorkload: (request) => console.ask((routes) => routes.runWorkload(request)),
    rehearse: (request) => console.ask((routes) => routes.rehearse(request)),
    crash: (request) => console.once((routes) => routes.crash(request)),
  }
}

/** A crash is ordered once: whether it has come through without an answer, the partition tells. */
function operationsOf(console: Console, clock: Clock): SoakTools['operations'] {
  const lost = (operation: HmcJob['operation'], partition: string) => ({
    done: 'wrong-state' as const,
    otherwise: async (): Promise<HmcJob> => ({
      id: lostJob,
      operation,
      partition,
      state: 'running',
      step: 'ordered',
      startedAt: clock.iso(),
      correlationId: lostJob,
    }),
  })
  const call = (request: { readonly partition: string; readonly correlationId: string }) => ({
    params: { partition: request.partition },
    correlationId: request.correlationId,
  })
  return {
    activate: (request) =>
      console.order(
        (routes) => routes.activate(call(request)),
        lost('activate', request.partition),
      ),
    restart: (request) =>
      console.order((routes) => routes.restart(call(request)), lost('restart', request.partition)),
    shutdown: ({ immediate, ...request }) =>
      console.order(
        (routes) => routes.shutdownPartition({ ...call(request), body: { immediate } }),
        lost('shutdown', request.partition),
      ),
    crash: ({ crash: body, ...request }) =>
      console.once((routes) => routes.crash({ ...call(request), body })),
    dumpRestart: (request) => console.once((routes) => routes.dumpRestart(call(request))),
  }
}
