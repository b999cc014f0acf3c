/** The queues between services: name, payload, bounds. */
import { z } from 'zod'
import { correlationId, dumpId, frameId, partitionId } from './ids.ts'
import { interruptedCpus } from './partition.ts'

/** One queue, declared once. */
export interface QueueDefinition<Payload> {
  readonly name: string
  readonly payload: z.ZodType<Payload>
  /** Runs of one job before it is given up and counted as failed. */
  readonly attemptsMax: number
  /** Pause before the second attempt; doubles with each further one. */
  readonly backoffMs: number
  readonly backoffMsMax: number
  /** A claimed job that gives no sign of life for this long is handed to somebody else. */
  readonly leaseMs: number
}

/**
 * Whatever was in the way is nearly always another service that starts again: when it is back, nobody waits longer than
 * `backoffMsMax`. All attempts together last 12 minutes.
 */
const bounds = {
  attemptsMax: 40,
  backoffMs: 250,
  backoffMsMax: 20_000,
  leaseMs: 15_000,
} as const

/** What every job is about. */
const jobOfPartition = z.strictObject({
  frame: frameId,
  partition: partitionId,
  /** The boot generation this job is for; a job of an earlier one is dropped. */
  epoch: z.int().min(0),
  correlationId,
})

const iplJob = jobOfPartition
export type IplJob = z.output<typeof iplJob>

/** The hypervisor asks a kernel host to boot a partition (first kernel or capture kernel: its device tree tells). */
export const iplQueue: QueueDefinition<IplJob> = {
  name: 'ipl',
  payload: iplJob,
  ...bounds,
}

const systemResetJob = jobOfPartition.extend({
  /** Default: all that are online. */
  cpus: interruptedCpus.optional(),
})
export type SystemResetJob = z.output<typeof systemResetJob>

/** A kernel host has said that a kernel takes its system reset: whatever becomes of that host, some host carries it out. */
export const systemResetQueue: QueueDefinition<SystemResetJob> = {
  name: 'system-reset',
  payload: systemResetJob,
  ...bounds,
}

const captureJob = jobOfPartition.extend({
  dump: dumpId,
  /** Base URL of the partition on the kernel host that booted it: `/proc/vmcore` and sysfs lie below. */
  partitionUrl: z.url(),
  /** Made with the dump key over all the above: a kernel host, and nobody else on the queue, has written this job. */
  proof: z.string().regex(/^[0-9a-f]{64}$/),
})
export type CaptureJob = z.output<typeof captureJob>

/**
 * One job per presentation of a dump: a partition that restarts while its dump waits announces it again, whatever
 * became of the job of the boot before.
 */
export function captureJobId(job: Pick<CaptureJob, 'dump' | 'epoch'>): string {
  return `${job.dump}-${job.epoch}`
}

/** A capture kernel announces a dump to the collectors. */
export const captureQueue: QueueDefinition<CaptureJob> = {
  name: 'capture',
  payload: captureJob,
  ...bounds,
  backoffMs: 500,
}

/** Every queue there is. */
export const queueNames: readonly string[] = [iplQueue, systemResetQueue, captureQueue].map(
  ({ name }) => name,
)
