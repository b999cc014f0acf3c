/** A crash as a row of the report. */
import type { SoakCrash, SoakPartition } from '@fadump-lab/shared/contracts'
import type { PlannedPartition } from './plan.ts'
import type { ScenarioSteps, Stage } from './stage.ts'
import type { Verified } from './verify.ts'

/** Of a row. */
const faultsMax = 100

export interface CrashEnd {
  readonly stage: Stage
  readonly steps: ScenarioSteps
  readonly verified: Verified
  readonly crashedAtMs: number | undefined
}

export function isPassed({ stage, verified }: Pick<CrashEnd, 'stage' | 'verified'>): boolean {
  return verified.outcome !== 'lost' && stage.checks.every((check) => check.passed)
}

export function crashRow(end: CrashEnd, endedAtMs: number): SoakCrash {
  const { stage, verified } = end
  const { crash, story, expected, hands } = stage
  const startMs = story.between('crash', 'claimed')
  return {
    number: crash.number,
    partition: crash.partition.id,
    scenario: crash.scenario,
    cause: crash.cause,
    expected: {
      outcome: expected.outcome,
      ...(expected.reason === undefined ? {} : { reason: expected.reason }),
    },
    ...verified,
    passed: isPassed(end),
    ...(end.crashedAtMs === undefined ? {} : { crashedAtMs: end.crashedAtMs }),
    endedAtMs,
    phases: story.phases(),
    ...(startMs === undefined ? {} : { startMs }),
    ...faultFacts(stage),
    checks: stage.checks,
    correlationId: hands.correlationId,
  }
}

function faultFacts({
  fault,
  disturbances,
}: Stage): Pick<SoakCrash, 'faults' | 'armed' | 'isForgotten'> {
  if (fault === undefined) return { faults: disturbances }
  const own = fault.struck > 0 ? [fault.label] : []
  return {
    faults: [...own, ...disturbances].slice(0, faultsMax),
    armed: fault.label,
    ...(fault.struck === 0 && fault.isForgotten ? { isForgotten: true } : {}),
  }
}

export function fleetRow(planned: PlannedPartition): SoakPartition {
  return {
    partition: planned.id,
    profile: planned.profile,
    memoryBytes: planned.memoryBytes,
    processors: planned.processors,
    contentSeed: planned.contentSeed,
    populatedBytes: planned.pages * 65_536,
  }
}
