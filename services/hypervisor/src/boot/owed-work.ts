/**
 * What a partition's state owes, so that no step depends on the process that began it: `starting` and
 * `capture-starting` owe an `ipl` job, `dumping` owes the preserve. The same function serves after each change, after a
 * commit whose outcome is unknown, and at start for whatever an earlier process has left.
 */
import { iplQueue, type IplJob, type PartitionState } from '@fadump-lab/shared/contracts'
import type { JobQueue } from '@fadump-lab/shared/queue'
import { retry } from '@fadump-lab/shared/runtime'
import { InvariantError } from '@fadump-lab/shared/units'
import type { Background } from '../background.ts'
import type { HypervisorContext } from '../deps.ts'
import type { Held, Partitions } from '../partition/partitions.ts'

/** Pauses between attempts while the store or the queue does not answer. */
const backoff = { backoffMs: 50, backoffMsMax: 10_000 } as const

const iplStates: readonly PartitionState[] = ['starting', 'capture-starting']

export interface OwedWork {
  /** Looks at the partition in the background and does what its state owes. */
  readonly lookAfter: (id: string) => void
}

export function createOwedWork(given: {
  readonly deps: HypervisorContext
  readonly background: Background
  readonly partitions: Partitions
  /** Carries out the preserve of a partition that is `dumping`. */
  readonly preserve: (id: string) => Promise<void>
}): OwedWork {
  const { deps, background } = given
  const queue = deps.queues.open(iplQueue)
  const lookOnce = async (id: string) => {
    const held = await given.partitions.readOrGone(id)
    if (held === undefined) return
    if (held.record.state === 'dumping') await given.preserve(id)
    else if (iplStates.includes(held.record.state)) await addIplJob(queue, held)
  }
  return {
    lookAfter: (id) =>
      background.start(id, (signal) =>
        retry(() => lookOnce(id), {
          ...backoff,
          clock: deps.clock,
          attemptsMax: Number.MAX_SAFE_INTEGER,
          signal,
          shouldRetry: (error, attempt) => {
            deps.logger.warn({ err: error, partition: id, attempt }, 'owed work failed')
            return !(error instanceof InvariantError)
          },
        }),
      ),
  }
}

/**
 * The id makes a second job of the same boot the same job. Boots count from the start again after a power failure, so the
 * order that began the boot is part of it.
 */
async function addIplJob(queue: JobQueue<IplJob>, held: Held): Promise<void> {
  const { id, frame, correlationId } = held.record
  const { epoch } = held
  await queue.add(`${id}-${epoch}-${correlationId}`, { frame, partition: id, epoch, correlationId })
}
