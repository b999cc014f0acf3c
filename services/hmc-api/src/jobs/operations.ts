/** The console's long operations, each told as its steps. All of them only use what other services offer over HTTP. */
import {
  Problem,
  type CrashRequest,
  type HmcJob,
  type Partition,
} from '@fadump-lab/shared/contracts'
import { invariant } from '@fadump-lab/shared/units'
import type { HmcApiDeps } from '../deps.ts'
import type { JobContext, JobRunner, NewJob } from './job-runner.ts'
import { watchDump, watchPartition } from './watch.ts'

export interface Operations {
  activate(request: OperationRequest): Promise<HmcJob>
  shutdown(request: OperationRequest & { readonly immediate: boolean }): Promise<HmcJob>
  restart(request: OperationRequest): Promise<HmcJob>
  crash(request: OperationRequest & { readonly crash: CrashRequest }): Promise<HmcJob>
  dumpRestart(request: OperationRequest): Promise<HmcJob>
}

interface OperationRequest {
  readonly partition: string
  readonly correlationId: string
}

/**
 * The first call of every operation is made before the 202, so that an unknown partition or a wrong state is refused
 * at once; the waiting is the job.
 */
export function createOperations(deps: HmcApiDeps, jobs: JobRunner): Operations {
  const call = (request: OperationRequest) => ({
    params: { partition: request.partition },
    correlationId: request.correlationId,
  })
  const start = (
    operation: HmcJob['operation'],
    request: OperationRequest,
    run: NewJob['run'],
  ): HmcJob => jobs.start({ operation, ...pick(request), run })
  return {
    async activate(request) {
      await deps.hypervisor.activatePartition(call(request))
      return start('activate', request, (job) => untilUp(deps, job, request.partition))
    },
    async restart(request) {
      await deps.hypervisor.restartPartition(call(request))
      return start('restart', request, (job) => untilUp(deps, job, request.partition))
    },
    async shutdown(request) {
      if (request.immediate) await deps.hypervisor.powerOffPartition(call(request))
      else await deps.kernel.shutdown({ ...call(request), body: { action: 'power-off' } })
      return start('shutdown', request, async (job) => {
        await watchPartition(deps, job, {
          partition: request.partition,
          until: ({ state }) => state === 'not-activated',
        })
      })
    },
    async crash(request) {
      const before = await deps.hypervisor.getPartition(call(request))
      await deps.kernel.crash({ ...call(request), body: request.crash })
      return start('crash', request, (job) => untilDumped(deps, job, before))
    },
    async dumpRestart(request) {
      const before = await deps.hypervisor.getPartition(call(request))
      await deps.hypervisor.systemReset(call(request))
      return start('dump-restart', request, (job) => untilDumped(deps, job, before))
    },
  }
}

function pick({ partition, correlationId }: OperationRequest): OperationRequest {
  return { partition, correlationId }
}

/** Running: its kernel is up and user space has registered a dump, if it is to. */
async function untilUp(deps: HmcApiDeps, job: JobContext, partition: string): Promise<void> {
  await watchPartition(deps, job, { partition, until: isUp })
}

function isUp(partition: Partition): boolean {
  refuseError(partition)
  return partition.state === 'running'
}

/** After a crash: the dump is stored (or there was none to take) and the partition is up again. */
async function untilDumped(deps: HmcApiDeps, job: JobContext, before: Partition): Promise<void> {
  const partition = before.id
  const registered = before.registration === 'registered'
  if (!registered) {
    job.step('no dump was registered: waiting for the restart')
    await watchPartition(deps, job, {
      partition,
      until: (now) => now.epoch > before.epoch && now.state === 'running',
    })
    return
  }
  const crashed = await watchPartition(deps, job, {
    partition,
    until: (now) => {
      refuseError(now)
      return now.lastDump !== before.lastDump || isUpWithoutDump(before, now)
    },
  })
  if (crashed.lastDump === before.lastDump) {
    throw new Error(
      `${partition} was registered and is up again, but no dump was taken: ${crashed.lastFailure ?? 'the registration was gone at the crash'}; its events tell more`,
    )
  }
  const dumpId = crashed.lastDump
  invariant(dumpId !== undefined, `the last dump of ${partition} has changed, so there is one`)
  job.dump(dumpId)
  const dump = await watchDump(deps, job, { dump: dumpId, partition, refuse: refuseError })
  if (dump.status === 'failed')
    throw new Error(`dump ${dumpId} failed: ${dump.failure ?? 'no cause recorded'}`)
  if (dump.status === 'partial')
    throw new Error(`dump ${dumpId} is partial: ${dump.failure ?? 'see missing ranges'}`)
  await untilUp(deps, job, partition)
}

/** A later boot runs, and firmware has preserved nothing on the way: no dump will come any more. */
function isUpWithoutDump(before: Partition, now: Partition): boolean {
  return now.epoch > before.epoch && now.state === 'running'
}

/** A partition that stopped for good ends the job with the reason the firmware has. */
function refuseError(partition: Partition): void {
  if (partition.state !== 'error' && partition.state !== 'terminated') return
  throw new Problem(
    'wrong-state',
    `partition ${partition.id} is in state ${partition.state}: ${partition.lastFailure ?? 'no cause recorded'}`,
  )
}
