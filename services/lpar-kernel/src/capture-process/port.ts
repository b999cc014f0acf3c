/**
 * The capture work of a partition as a process of its own under a real memory limit: what it is given, and how it ended.
 * Optional: without it, the memory of a capture kernel is an account only.
 */
import { z } from 'zod'

/** Bound on the allocations of one capture. */
const stepsMax = 256

export const captureWork = z.strictObject({
  /** The limit to run under: boot memory. */
  limitMiB: z.int().min(1),
  /** What must stay free: held from the start. */
  reserveBytes: z.int().min(0),
  /** In order; negative bytes are given back. */
  steps: z
    .array(z.strictObject({ phase: z.string(), consumer: z.string(), bytes: z.int() }))
    .max(stepsMax),
})
export type CaptureWork = z.output<typeof captureWork>
export type CaptureStep = CaptureWork['steps'][number]

export const captureOutcome = z.discriminatedUnion('end', [
  z.strictObject({
    end: z.literal('survived'),
    /** In use before the first allocation: the processes of the container themselves. */
    ownBytes: z.int(),
    peakBytes: z.int(),
  }),
  z.strictObject({
    end: z.literal('killed'),
    ownBytes: z.int(),
    /** In use before the allocation that was fatal. */
    usedBytes: z.int(),
    phase: z.string(),
    consumer: z.string(),
  }),
])
export type CaptureOutcome = z.output<typeof captureOutcome>

export interface CaptureProcess {
  /** `undefined`: nothing here runs under that limit, or it does not answer. */
  run(work: CaptureWork): Promise<CaptureOutcome | undefined>
}
