/** The report of a soak that is over. */
import type {
  Soak,
  SoakBaseLevel,
  SoakCrash,
  SoakMemorySample,
  SoakReport,
} from '@fadump-lab/shared/contracts'
import { fleetRow } from './crash-row.ts'
import { crashesFor, nightlyCrashes } from './fault-plan.ts'
import type { SoakPlan } from './plan.ts'
import { replayOf } from './replay.ts'
import type { OutsideFaults } from './soak-tools.ts'
import {
  baseReasons,
  fairnessOf,
  faultCountsOf,
  rareFaults,
  silentFaults,
  unarmedFaults,
} from './verdict.ts'

export interface SoakEnd {
  readonly soak: Soak
  readonly plan: SoakPlan
  /** By number. */
  readonly crashes: readonly SoakCrash[]
  readonly base: readonly SoakBaseLevel[]
  readonly memory: readonly SoakMemorySample[]
  readonly completedAt: string
  readonly isStopped: boolean
  readonly outside?: OutsideFaults
}

export function reportOf(end: SoakEnd): SoakReport {
  const { soak, plan, crashes, outside } = end
  const { id, seed, asked, startedAt, failures } = soak
  const own = faultCountsOf(plan.faults, crashes)
  const reasons = [...failures, ...reasonsAtTheEnd(end, own)]
  const notes = typeof asked.faults === 'string' ? unarmed(end, own) : []
  const isRed = reasons.length > 0 || crashes.some((row) => !row.passed)
  const fairness = fairnessOf(crashes)
  return {
    format: 'soak-report-1',
    id,
    seed,
    asked,
    verdict: isRed ? 'failed' : end.isStopped ? 'stopped' : 'passed',
    reasons: reasons.map((reason) => reason.slice(0, 1024)),
    ...(notes.length === 0 ? {} : { notes: [...notes] }),
    startedAt,
    completedAt: end.completedAt,
    crashingSeconds: crashingSeconds(crashes),
    replay: replayOf(seed, asked),
    fleet: plan.fleet.map(fleetRow),
    crashes: [...crashes],
    ...(fairness === undefined ? {} : { fairness }),
    faults: [...own, ...(outside?.counts(crashes) ?? [])],
    base: [...end.base],
    memory: [...end.memory],
  }
}

/** What only the whole tells. A soak that was stopped, or of a few crashes only, has not come to everything. */
function reasonsAtTheEnd(end: SoakEnd, faults: SoakReport['faults']): readonly string[] {
  const { soak, plan, crashes, base, isStopped, outside } = end
  const { asked } = soak
  const isNight = asked.faults === 'nightly' && crashes.length >= nightlyCrashes
  return [
    ...baseReasons(base),
    ...silentFaults(faults),
    ...(typeof asked.faults === 'string' ? [] : unarmed(end, faults)),
    ...(isNight ? rareFaults(plan.faults, faults) : []),
    ...(isStopped || asked.only !== undefined ? [] : (outside?.silent() ?? [])),
  ]
}

function unarmed(
  { soak: { asked }, plan, crashes, isStopped }: SoakEnd,
  faults: SoakReport['faults'],
): readonly string[] {
  if (isStopped || asked.only !== undefined) return []
  const enough = crashesFor(plan.faults, asked.faults)
  return unarmedFaults(faults, { ended: crashes.length, enough })
}

function crashingSeconds(crashes: readonly SoakCrash[]): number {
  if (crashes.length === 0) return 0
  const ends = crashes.map(({ endedAtMs }) => endedAtMs)
  const starts = crashes.flatMap(({ crashedAtMs }) => crashedAtMs ?? [])
  return Math.max(0, Math.max(...ends) - Math.min(...starts, Math.max(...ends))) / 1000
}
