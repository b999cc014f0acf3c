/** What a soak comes to: one JSON document, from which tables, JUnit and pages are made. */
import { z } from 'zod'
import { correlationId, dumpId, partitionId, soakId } from './ids.ts'
import { kernelProfileName } from './partition.ts'
import { newSoak, soakCrashesMax } from './soak.ts'
import { soakScenarioNames } from './soak-scenarios.ts'

/** The parts of a crash, in order, each measured between two events of the machine room. */
export const soakPhases = {
  terminate: { from: 'crash', to: 'terminate', is: 'from the order to ibm,os-term' },
  preserve: { from: 'terminate', to: 'preserved', is: 'firmware preserves memory' },
  reboot: { from: 'preserved', to: 'capturing', is: 'the capture kernel comes up' },
  wait: { from: 'capturing', to: 'claimed', is: 'until a collector claims the dump' },
  open: { from: 'claimed', to: 'transfer', is: 'manifest and admission' },
  transfer: { from: 'transfer', to: 'transferred', is: 'the vmcore crosses the network' },
  verify: {
    from: 'transferred',
    to: 'verified',
    is: 'the collector compares it with the manifest',
  },
  store: { from: 'verified', to: 'stored', is: 'synced and renamed' },
  release: { from: 'stored', to: 'released', is: 'preserved memory is given back' },
  register: { from: 'released', to: 'register', is: 'until the next dump is registered' },
} as const satisfies Readonly<Record<string, SoakPhaseRow>>
interface SoakPhaseRow {
  readonly from: SoakMoment
  readonly to: SoakMoment
  readonly is: string
}

/** What is looked for in the event log; `crash` is the order of the soak itself. */
export const soakMoments = [
  'crash',
  'terminate',
  'preserved',
  'capturing',
  'claimed',
  'transfer',
  'transferred',
  'verified',
  'stored',
  'released',
  'register',
] as const
export type SoakMoment = (typeof soakMoments)[number]
export type SoakPhase = keyof typeof soakPhases
export const soakPhaseNames = Object.keys(soakPhases) as SoakPhase[]

/** One comparison; what was found instead is told when it failed. */
export const soakCheck = z.strictObject({
  name: z.string().max(64),
  passed: z.boolean(),
  detail: z.string().max(1024).optional(),
})
export type SoakCheck = z.output<typeof soakCheck>

export const soakPartition = z.strictObject({
  partition: partitionId,
  profile: kernelProfileName,
  memoryBytes: z.int().min(0),
  processors: z.int().min(1),
  contentSeed: z.int().min(0),
  populatedBytes: z.int().min(0),
})
export type SoakPartition = z.output<typeof soakPartition>

/** `absent`: no dump, and none was to come. `lost`: none, or a wrong one, where one was to come, or one too many. */
export const soakOutcome = z.enum(['dump', 'absent', 'lost'])

export const soakCrash = z.strictObject({
  /** From 1, in the order of the plan. */
  number: z.int().min(1),
  partition: partitionId,
  scenario: z.enum(soakScenarioNames),
  cause: z.string().max(32),
  expected: z.strictObject({
    outcome: z.enum(['dump', 'no dump', 'either']),
    /** Why there is none to come. */
    reason: z.string().max(256).optional(),
  }),
  outcome: soakOutcome,
  passed: z.boolean(),
  dump: dumpId.optional(),
  mechanism: z.enum(['fadump', 'kdump', 'none']),
  /** Milliseconds since the soak began. */
  crashedAtMs: z.number().min(0).optional(),
  endedAtMs: z.number().min(0),
  /** Milliseconds by phase; those that it did not come to are absent. */
  phases: z.partialRecord(z.enum(soakPhaseNames), z.number().min(0)),
  /** From the crash until a collector has claimed the dump. */
  startMs: z.number().min(0).optional(),
  sizeBytes: z.int().min(0).optional(),
  transferredBytes: z.int().min(0).optional(),
  storedBytes: z.int().min(0).optional(),
  /** Runs of the capture job. */
  attempts: z.int().min(0).optional(),
  /** Whether the vmcore was read from end to end. */
  isWhole: z.boolean().optional(),
  /** The fault of the plan that was armed for it. */
  armed: z.string().max(160).optional(),
  /** A process was killed that had it armed, so that nobody knows whether it struck. */
  isForgotten: z.boolean().optional(),
  /** Faults that struck while it was under way, by name. */
  faults: z.array(z.string().max(160)).max(100),
  checks: z.array(soakCheck).max(64),
  correlationId,
})
export type SoakCrash = z.output<typeof soakCrash>

export const soakFaultCount = z.strictObject({
  name: z.string().max(160),
  /** What it does, for people. */
  does: z.string().max(256),
  armed: z.int().min(0),
  /** Of those, forgotten with a process that was killed. */
  forgotten: z.int().min(0).optional(),
  struck: z.int().min(0),
  /** Of the crashes that it struck. */
  dumps: z.int().min(0),
  absent: z.int().min(0),
  lost: z.int().min(0),
})
export type SoakFaultCount = z.output<typeof soakFaultCount>

/** Something that has to be as it was before: queues, memory, descriptors, files. */
export const soakBaseLevel = z.strictObject({
  what: z.string().max(128),
  unit: z.string().max(32),
  before: z.number(),
  peak: z.number().optional(),
  after: z.number(),
  /** The most that `after` may be. */
  allowed: z.number(),
  passed: z.boolean(),
  /** What is there and was not, or the other way round. */
  detail: z.string().max(1024).optional(),
})
export type SoakBaseLevel = z.output<typeof soakBaseLevel>

export const soakMemorySample = z.strictObject({
  atMs: z.number().min(0),
  /** One service, or several that share a process. */
  service: z.string().max(96),
  residentBytes: z.int().min(0),
  /** Absent where only the engine was asked. */
  heapBytes: z.int().min(0).optional(),
})
export type SoakMemorySample = z.output<typeof soakMemorySample>
/** Samples that a report has; a long soak takes them further apart. */
export const soakSamplesMax = 2000

export const soakReport = z.strictObject({
  format: z.literal('soak-report-1'),
  id: soakId,
  seed: z.int().min(0).max(0xffff_ffff),
  asked: newSoak,
  verdict: z.enum(['passed', 'failed', 'stopped']),
  /** Everything that made it red, one sentence each. */
  reasons: z.array(z.string().max(1024)).max(1000),
  /** What is worth knowing and makes nothing red. */
  notes: z.array(z.string().max(1024)).max(100).optional(),
  startedAt: z.iso.datetime(),
  completedAt: z.iso.datetime(),
  /** From the first crash to the last end. */
  crashingSeconds: z.number().min(0),
  /** The same soak again, with all numbers of `only`. */
  replay: z.string().max(16_384),
  fleet: z.array(soakPartition),
  crashes: z.array(soakCrash).max(soakCrashesMax),
  /** Slowest start against the median of starts. */
  fairness: z.number().min(0).optional(),
  faults: z.array(soakFaultCount),
  base: z.array(soakBaseLevel),
  memory: z.array(soakMemorySample).max(soakSamplesMax),
})
export type SoakReport = z.output<typeof soakReport>
