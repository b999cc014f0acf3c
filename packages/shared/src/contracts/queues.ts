/** The queues between services: name, payload, bounds. */
import { z } from 'zod'
import { correlationId, dumpId, frameId, partitionId } from './ids.ts'

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

const iplJob = z.strictObject({
  frame: frameId,
  partition: partitionId,
  /** The boot generation this job is for; a job of an earlier one is dropped. */
  epoch: z.int().min(0),
  correlationId,
})
export type IplJob = z.output<typeof iplJob>

/** The hypervisor asks a kernel host to boot a partition (first kernel or capture kernel: its device tree tells). */
export const iplQueue: QueueDefinition<IplJob> = {
  name: 'ipl',
  payload: iplJob,
  attemptsMax: 20,
  backoffMs: 250,
  backoffMsMax: 30_000,
  leaseMs: 15_000,
}

const captureJob = z.strictObject({
  frame: frameId,
  partition: partitionId,
  epoch: z.int().min(0),
  dump: dumpId,
  /** Base URL of the partition on the kernel host that booted it: `/proc/vmcore` and sysfs lie below. */
  partitionUrl: z.url(),
  correlationId,
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
  attemptsMax: 20,
  backoffMs: 500,
  backoffMsMax: 60_000,
  leaseMs: 15_000,
}
