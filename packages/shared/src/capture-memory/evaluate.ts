/** The verdict on one system: does its capture kernel get to the end of the dump, and if not, how does it fail? */
import { allocate, type Allocation } from './allocate.ts'
import { consumers } from './consumers.ts'
import { failureOf, isPresent, type Failure } from './failure.ts'
import { phases, type Phase } from './phases.ts'
import type { CaptureSystem } from './capture-system.ts'
import { isWarned, otherProcess, peakPhase, warningsOf, type Warning } from './warnings.ts'

export interface ConsumerUse {
  readonly consumer: string
  readonly MiB: number
}

/** What is in use at the end of a phase, and by whom; consumers that take nothing are left out. */
export interface PhaseAccount {
  readonly phase: Phase
  readonly usedMiB: number
  readonly consumers: readonly ConsumerUse[]
}

export type Verdict = 'pass' | 'warn' | 'fail'

export interface Evaluation {
  readonly verdict: Verdict
  readonly account: readonly PhaseAccount[]
  /** The phase with the most in use, or the one that failed. */
  readonly peakPhase: Phase
  /** In use at the peak with what must stay free, MiB; of a failure, what it needed. */
  readonly needMiB: number
  /** Boot memory, MiB; of a full root file system, its limit. */
  readonly availableMiB: number
  /** What was left at the peak; negative for a failure. */
  readonly marginMiB: number
  readonly failure?: Failure
  readonly warnings: readonly Warning[]
}

/** Judges `system` with a full account. Pure. */
export function evaluate(system: CaptureSystem): Evaluation {
  const allocation = allocate(system)
  const account = accountOf(system, allocation)
  const failure = failureOf(system, allocation)
  if (failure !== undefined) {
    const { phase, needMiB, availableMiB } = failure
    const marginMiB = availableMiB - needMiB
    const warnings: readonly Warning[] = []
    const figures = { peakPhase: phase, needMiB, availableMiB, marginMiB }
    return { verdict: 'fail', account, ...figures, failure, warnings }
  }
  const warnings = warningsOf(system, allocation)
  const verdict = warnings.length > 0 ? 'warn' : 'pass'
  return { verdict, account, ...peakFigures(system, allocation), warnings }
}

/** The verdict alone, for sweeps and searches: no account, no words. */
export function judge(system: CaptureSystem): { readonly verdict: Verdict; readonly phase: Phase } {
  const allocation = allocate(system)
  const phase = phases[allocation.shortage?.phase ?? peakPhase(allocation)]?.name ?? 'done'
  if (allocation.shortage !== undefined) return { verdict: 'fail', phase }
  if (panics(system, allocation)) return { verdict: 'fail', phase: 'transfer' }
  return { verdict: isWarned(system, allocation) ? 'warn' : 'pass', phase }
}

/** Whether a dump gets through; warnings count as getting through. */
export function fits(system: CaptureSystem): boolean {
  const allocation = allocate(system)
  return allocation.shortage === undefined && !panics(system, allocation)
}

function panics(system: CaptureSystem, allocation: Allocation): boolean {
  return system.panicOnOom && otherProcess(system, allocation).isKilled
}

function peakFigures(system: CaptureSystem, allocation: Allocation) {
  const peak = peakPhase(allocation)
  const needPages = (allocation.used[peak] ?? 0) + allocation.reservePages
  const needMiB = (needPages * system.pageKiB) / 1024
  const availableMiB = system.bootMemoryMiB
  const name: Phase = phases[peak]?.name ?? 'done'
  return { peakPhase: name, needMiB, availableMiB, marginMiB: availableMiB - needMiB }
}

function accountOf(system: CaptureSystem, { amounts, used }: Allocation): readonly PhaseAccount[] {
  return used.map((pages, phase) => ({
    phase: phases[phase]?.name ?? 'done',
    usedMiB: (pages * system.pageKiB) / 1024,
    consumers: consumers.flatMap((row, index) => {
      const MiB = ((amounts[index] ?? 0) * system.pageKiB) / 1024
      return MiB > 0 && isPresent(index, phase) ? [{ consumer: row.name, MiB }] : []
    }),
  }))
}
