/** What is told of a capture kernel's memory: the verdict of a rehearsal, an estimate, and the life as it went. */
import { z } from 'zod'
import { failures, phaseNames } from '../capture-memory/index.ts'
import { captureEnvironment, systemDescription } from './capture-environment.ts'

const phase = z.enum(phaseNames)
const consumerUse = z.strictObject({ consumer: z.string(), MiB: z.number() })
const verdict = z.enum(['pass', 'warn', 'fail'])
const failureKind = z.enum(Object.keys(failures) as (keyof typeof failures)[])
const fix = z.strictObject({ setting: z.string(), costMiB: z.number(), isComfortable: z.boolean() })

/** What would be different from the partition as it is. */
export const rehearsalRequest = z.strictObject({
  bootMemoryMiB: z.number().optional(),
  captureTarget: z.enum(['network', 'local']).optional(),
  /** Boot arguments that the capture kernel would find behind its own (`bootargs_append`). */
  appendedArguments: z.string().max(2047).optional(),
  capture: captureEnvironment.optional(),
})
export type RehearsalRequest = z.output<typeof rehearsalRequest>

/** The answer to: does a dump of this system fit? */
export const rehearsal = z.strictObject({
  /** The sentence that tells it all; the same that log, event and API carry when it happens. */
  explanation: z.string(),
  verdict,
  peakPhase: phase,
  needMiB: z.number(),
  availableMiB: z.number(),
  marginMiB: z.number(),
  failure: z
    .strictObject({
      kind: failureKind,
      phase,
      consumer: z.string(),
      victim: z.string().optional(),
      order: z.int().optional(),
    })
    .optional(),
  warnings: z.array(z.strictObject({ kind: z.string(), text: z.string() })),
  topConsumers: z.array(consumerUse),
  minimumMiB: z.number().optional(),
  shortfallMiB: z.number().optional(),
  fix: fix.optional(),
  fixes: z.array(fix),
  phases: z.array(z.strictObject({ phase, usedMiB: z.number(), consumers: z.array(consumerUse) })),
  /** Every setting of the system that was judged. */
  system: systemDescription,
})
export type RehearsalReply = z.output<typeof rehearsal>

export const estimate = z.strictObject({
  minimumMiB: z.number().optional(),
  recommendedMiB: z.number().optional(),
  peakPhase: phase,
  topConsumers: z.array(consumerUse),
  comparisons: z.array(
    z.strictObject({ rule: z.string(), reservedMiB: z.number(), verdict: verdict.optional() }),
  ),
  system: systemDescription,
})
export type EstimateReply = z.output<typeof estimate>

/** A phase that the capture kernel has entered, in its own pages. */
export const enteredPhase = z.strictObject({
  phase,
  usedPages: z.int(),
  freePages: z.int(),
  /** ISO 8601. */
  enteredAt: z.iso.datetime(),
})
export type EnteredPhase = z.output<typeof enteredPhase>

/** The memory of the capture kernel that is up, or that has ended. */
export const captureMemory = z.strictObject({
  pageBytes: z.int(),
  bootPages: z.int(),
  /** What must stay free. */
  reservePages: z.int(),
  freePages: z.int(),
  /** Pages by owner. */
  owners: z.array(z.strictObject({ owner: z.string(), pages: z.int() })),
  /** What vmcore streams of the answering host hold, and the most they have held. */
  windows: z.strictObject({ inFlightBytes: z.int(), peakBytes: z.int() }),
  timeline: z.array(enteredPhase),
  /** Why the capture has failed, in the sentence of a rehearsal; absent while it lives. */
  failure: z.string().optional(),
  /** Boots in a row that have ended so. */
  failedBoots: z.int(),
  system: systemDescription,
})
export type CaptureMemoryReply = z.output<typeof captureMemory>
