/** A rehearsal: what would become of the dump of a system, without crashing it; and an estimate of what to reserve. */
import { evaluate, type Evaluation } from './evaluate.ts'
import { explain, shortfallMiB, topConsumers } from './explain.ts'
import type { ConsumerUse } from './evaluate.ts'
import { fixesFor, type Fix } from './fixes.ts'
import { minimumBootMemoryMiB, recommendedBootMemoryMiB } from './minimum.ts'
import {
  linuxDefaultMiB,
  redHatMiB,
  suseFormulaMiB,
  suseSuggestionMiB,
  type ReservedSystem,
} from './reservations.ts'
import type { CaptureSystem } from './capture-system.ts'
import { targetRow } from './targets.ts'

export interface Rehearsal extends Evaluation {
  readonly system: CaptureSystem
  /** The sentence that tells it all. */
  readonly explanation: string
  /** The three largest consumers at the peak, or in the phase that fails. */
  readonly topConsumers: readonly ConsumerUse[]
  /** The least boot memory that suffices, MiB; absent when none does. */
  readonly minimumMiB?: number
  /** What boot memory lacks, MiB; 0 for a pass, absent when no boot memory suffices. */
  readonly shortfallMiB?: number
  /** The cheapest of `fixes`; absent for a pass and when no single setting helps. */
  readonly fix?: Fix
  readonly fixes: readonly Fix[]
}

export function rehearse(system: CaptureSystem): Rehearsal {
  const evaluation = evaluate(system)
  const minimumMiB = minimumBootMemoryMiB(system)
  const fixes = evaluation.verdict === 'fail' ? fixesFor(system) : []
  const explained = { system, evaluation, minimumMiB, fixes }
  const shortfall = evaluation.verdict === 'fail' ? shortfallMiB(explained) : 0
  const [fix] = fixes
  return {
    ...evaluation,
    system,
    explanation: explain(explained),
    topConsumers: topConsumers(evaluation),
    fixes,
    ...(minimumMiB === undefined ? {} : { minimumMiB }),
    ...(shortfall === undefined ? {} : { shortfallMiB: shortfall }),
    ...(fix === undefined ? {} : { fix }),
  }
}

/** What a rule of somebody else would reserve, and what this model says of it. */
export interface Comparison {
  readonly rule: string
  /** MiB; 0 when the rule reserves nothing. */
  readonly reservedMiB: number
  /** Absent when nothing is reserved, or as much as there is memory. */
  readonly verdict?: Evaluation['verdict']
}

export interface Estimate {
  readonly system: CaptureSystem
  /** The least boot memory that suffices, MiB; absent when none does. */
  readonly minimumMiB?: number
  readonly recommendedMiB?: number
  /** The three largest consumers at the peak with the minimum. */
  readonly topConsumers: readonly ConsumerUse[]
  readonly peakPhase: Evaluation['peakPhase']
  readonly comparisons: readonly Comparison[]
}

/** Minimum and recommendation for `system`, whatever boot memory it has, next to what others would reserve. */
export function estimate(system: CaptureSystem): Estimate {
  const minimumMiB = minimumBootMemoryMiB(system)
  const recommendedMiB = recommendedBootMemoryMiB(system)
  const evaluation = evaluate({ ...system, bootMemoryMiB: minimumMiB ?? system.bootMemoryMiB })
  return {
    system,
    topConsumers: topConsumers(evaluation),
    peakPhase: evaluation.peakPhase,
    comparisons: comparisons(system),
    ...(minimumMiB === undefined ? {} : { minimumMiB }),
    ...(recommendedMiB === undefined ? {} : { recommendedMiB }),
  }
}

function comparisons(system: CaptureSystem): readonly Comparison[] {
  const seen: ReservedSystem = { ...system, needsNetwork: targetRow(system.target).needsNetwork }
  const rows =
    system.mechanism === 'fadump'
      ? [
          ['Linux: 5 percent, at least 320 MiB', linuxDefaultMiB(system.memoryMiB)] as const,
          ['RHEL and Fedora, fadump table', redHatMiB(seen)] as const,
          ['SUSE, 5 percent for fadump', suseSuggestionMiB(system.memoryMiB)] as const,
          ['SUSE, formula for kdump', suseFormulaMiB(seen)] as const,
        ]
      : [
          ['RHEL and Fedora, kdump table', redHatMiB(seen)] as const,
          ['SUSE, formula for kdump', suseFormulaMiB(seen)] as const,
        ]
  return rows.map(([rule, reserved]) => comparison(system, rule, reserved))
}

function comparison(system: CaptureSystem, rule: string, reservedMiB: number): Comparison {
  if (reservedMiB === 0 || reservedMiB >= system.memLimitMiB) return { rule, reservedMiB }
  return { rule, reservedMiB, verdict: evaluate({ ...system, bootMemoryMiB: reservedMiB }).verdict }
}
