/** Waiting for a partition or a dump to reach a state, through the interfaces everybody else uses. */
import { type Dump, isProblem, type Partition } from '@fadump-lab/shared/contracts'
import { untraced } from '@fadump-lab/shared/telemetry'
import type { HmcApiDeps } from '../deps.ts'
import { patient } from '../patience.ts'
import type { JobContext } from './job-runner.ts'

const pollMs = 20
const pollMsMaxDefault = 500

type Watched<Value> = {
  readonly read: () => Promise<Value>
  /** What was waited for, or `undefined` to look again. May throw to give up. */
  readonly until: (value: Value) => Value | undefined
}

/** Jobs that may look as often as they like; of twice as many each looks half as often. */
const crowdMax = 50

function crowding({ crowd }: JobContext): number {
  return Math.max(1, crowd() / crowdMax)
}

/**
 * Looks again and again, ever more slowly, until the condition holds or the job's signal aborts. A service that restarts is
 * worth waiting for.
 */
async function watch<Value>(
  deps: HmcApiDeps,
  job: JobContext,
  { read, until }: Watched<Value>,
): Promise<Value> {
  const { lookMsMax = pollMsMaxDefault } = deps
  for (let pause = pollMs; ; pause = Math.min(pause * 1.5, lookMsMax * crowding(job))) {
    job.signal.throwIfAborted()
    const value = await untraced(() => patient(read))
    const found = value === undefined ? undefined : until(value)
    if (found !== undefined) return found
    await deps.clock.sleep(pause, job.signal)
  }
}

/** Waits until `until` accepts the partition; its every state becomes the job's step. */
export function watchPartition(
  deps: HmcApiDeps,
  job: JobContext,
  options: { readonly partition: string; readonly until: (partition: Partition) => boolean },
): Promise<Partition> {
  return watch(deps, job, {
    read: () =>
      deps.hypervisor.getPartition({
        params: { partition: options.partition },
        signal: job.signal,
        correlationId: job.correlationId,
      }),
    until: (partition) => {
      job.step(`partition ${partition.state}, registration ${partition.registration}`)
      return options.until(partition) ? partition : undefined
    },
  })
}

/**
 * Waits until the collector has ended the capture of `dump`, in whatever way. `refuse` sees the partition at every
 * look and throws when no dump can come any more.
 */
export async function watchDump(
  deps: HmcApiDeps,
  job: JobContext,
  options: {
    readonly dump: string
    readonly partition: string
    readonly refuse: (partition: Partition) => void
  },
): Promise<Dump> {
  const { signal, correlationId } = job
  const found = await watch(deps, job, {
    // The partition first: when it has let go of the dump, the collector has had it, or nobody ever will.
    read: async (): Promise<Capture> => {
      const params = { partition: options.partition }
      const partition = await deps.hypervisor.getPartition({ params, signal, correlationId })
      return { partition, dump: await findDump(deps, job, options.dump) }
    },
    until: ({ dump, partition }) => {
      if (dump === undefined || dump.status === 'capturing') options.refuse(partition)
      if (dump === undefined && partition.pendingDump !== options.dump) {
        throw new Error(
          `dump ${options.dump} was invalidated before anything of it was stored; the events of ${partition.id} tell why`,
        )
      }
      job.step(captureStep(dump, partition))
      const ended = dump !== undefined && dump.status !== 'capturing' && dump.step !== 'releasing'
      return ended ? { dump, partition } : undefined
    },
  })
  return found.dump as Dump
}

interface Capture {
  readonly dump: Dump | undefined
  readonly partition: Partition
}

function captureStep(dump: Dump | undefined, partition: Partition): string {
  if (dump === undefined) return `partition ${partition.state}`
  const transferred = Number(dump.transferredBytes / 1_048_576n)
  return `dump ${dump.step}, ${transferred} MiB`
}

async function findDump(
  deps: HmcApiDeps,
  job: JobContext,
  dump: string,
): Promise<Dump | undefined> {
  try {
    return await deps.collector.getDump({ params: { dump }, signal: job.signal })
  } catch (error) {
    if (isProblem(error, 'not-found')) return undefined
    throw error
  }
}
