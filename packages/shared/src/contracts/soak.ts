/**
 * A soak: a fleet of partitions that crash again and again, each crash compared with what memory was. Here are what is
 * asked for and what is told while it runs; what comes out in the end is in `soak-report.ts`.
 */
import { z } from 'zod'
import { machine } from '../units/index.ts'
import { serviceNames } from './access.ts'
import { faultName } from './faults.ts'
import { correlationId, soakId } from './ids.ts'
import { crashCause, kernelProfileName } from './partition.ts'
import { soakScenarioNames } from './soak-scenarios.ts'

/** Partitions of one soak. */
export const soakPartitionsMax = 2000
/** Crashes of one soak: its report has a row for each. */
export const soakCrashesMax = 20_000
/** A week. */
const soakSecondsMax = 604_800
const faultsMax = 200
/** Each may be a crash more. */
const faultTimesMax = 20
const mebibytesMax = 1_048_576

/**
 * `steady`: the next one begins when one is done. `storm`: all partitions within one second, again and again. `waves`: a
 * quarter of the fleet at a time. `crash-loop`: a tenth of the fleet crashes as soon as it is up, the rest as in `steady`.
 */
export const soakArrivals = ['steady', 'storm', 'waves', 'crash-loop'] as const
export type SoakArrival = (typeof soakArrivals)[number]

/** A fault of the plan: armed for one crash at a time and for its partition, where the fault can have one. */
export const soakFault = z.strictObject({
  name: faultName,
  /** As for `POST /v1/faults`. */
  value: z.int().optional(),
  at: z.string().max(96).optional(),
  service: z.enum(serviceNames).optional(),
  /** How often it strikes at one crash. Default: once. */
  times: z.int().min(1).max(faultTimesMax).optional(),
})
export type SoakFault = z.output<typeof soakFault>

export const newSoak = z
  .strictObject({
    partitions: z.int().min(1).max(soakPartitionsMax).default(20),
    /** Crashes of all partitions together; it ends with whichever of `crashes` and `seconds` comes first. */
    crashes: z.int().min(1).max(soakCrashesMax).optional(),
    seconds: z.int().min(1).max(soakSecondsMax).optional(),
    /** Everything that is drawn follows from it. Default: drawn, and told. */
    seed: z.int().min(0).max(0xffff_ffff).optional(),
    arrival: z.enum(soakArrivals).default('steady'),
    /** Weights of the causes that ordinary crashes are drawn from. Default: all alike. */
    causes: z.partialRecord(crashCause, z.int().min(0).max(1000)).optional(),
    /** Default: all that suit the partition's kernel. */
    scenarios: z.array(z.enum(soakScenarioNames)).min(1).optional(),
    /** `default`: the plan, on every second crash. `nightly`: every fault of the registry in turn, on every crash. */
    faults: z
      .union([z.enum(['default', 'nightly', 'none']), z.array(soakFault).max(faultsMax)])
      .default('none'),
    /** Sizes that partitions are drawn from, MiB. */
    memoryMiB: z.array(z.int().min(512).max(mebibytesMax)).min(1).max(16).default([1024, 2048]),
    /** What each partition holds, MiB. */
    populatedMiB: z.int().min(1).max(mebibytesMax).default(1),
    profiles: z.array(kernelProfileName).min(1).default(['v5', 'modern']),
    /** Of a hundred vmcores so many are read from end to end; of the others what is populated. */
    wholePercent: z.int().min(0).max(100).default(2),
    /** Crashes under way at the same time; a storm has them all. */
    concurrency: z.int().min(1).max(256).default(8),
    /** Only these crashes of the plan, to see one again. */
    only: z.array(z.int().min(1).max(soakCrashesMax)).min(1).max(1000).optional(),
    /** Leave the dumps of failed crashes in the store. */
    keepFailed: z.boolean().default(true),
  })
  .refine(
    ({ crashes, seconds, only }) =>
      crashes !== undefined || seconds !== undefined || only !== undefined,
    {
      message: 'a soak ends after `crashes` or after `seconds`: give one of them',
    },
  )
export type NewSoak = z.output<typeof newSoak>

export const soakMachine = machine('soak', {
  preparing: { prepared: 'crashing', settle: 'settling' },
  crashing: { settle: 'settling' },
  settling: { pass: 'passed', fail: 'failed', stop: 'stopped' },
  passed: {},
  failed: {},
  stopped: {},
})
export type SoakState = (typeof soakMachine.states)[number]

export const soakProgress = z.strictObject({
  /** Absent: as many as fit into `seconds`. */
  planned: z.int().min(0).optional(),
  /** Partitions that are there and have been up. */
  partitions: z.int().min(0),
  begun: z.int().min(0),
  ended: z.int().min(0),
  /** With a dump that is what memory was. */
  dumps: z.int().min(0),
  /** Without a dump, as expected. */
  absent: z.int().min(0),
  failed: z.int().min(0),
  /** Of vmcore, holes not counted. */
  transferredBytes: z.int().min(0),
  /** Ended crashes a second, of the last ten seconds. */
  perSecond: z.number().min(0),
})
export type SoakProgress = z.output<typeof soakProgress>

export const soak = z.strictObject({
  id: soakId,
  state: z.enum(soakMachine.states),
  seed: z.int().min(0).max(0xffff_ffff),
  asked: newSoak,
  startedAt: z.iso.datetime(),
  completedAt: z.iso.datetime().optional(),
  progress: soakProgress,
  /** Why it is red, the first of them. */
  failures: z.array(z.string().max(1024)).max(20),
  correlationId,
})
export type Soak = z.output<typeof soak>
