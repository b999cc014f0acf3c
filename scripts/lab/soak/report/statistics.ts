/** Figures of a report: percentiles, what happened second by second. */
import { soakPhaseNames, type SoakPhase, type SoakReport } from '@fadump-lab/shared/contracts'

export interface PhaseFigures {
  readonly phase: SoakPhase
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}

/** The value below which `share` of the sorted values lie; `undefined` without any. */
export function percentile(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1))]
}

export function phaseFigures({ crashes }: Pick<SoakReport, 'crashes'>): PhaseFigures[] {
  return soakPhaseNames.flatMap((phase) => {
    const sorted = crashes.flatMap(({ phases }) => phases[phase] ?? []).toSorted((a, b) => a - b)
    const at = (share: number) => percentile(sorted, share) ?? 0
    if (sorted.length === 0) return []
    return [{ phase, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) }]
  })
}

/** Buckets of a run, at most this many. */
const bucketsMax = 120

export interface Bucket {
  /** Seconds since the soak began. */
  readonly second: number
  readonly begun: number
  readonly dumps: number
  readonly absent: number
  readonly lost: number
  /** Of vmcore, a second. */
  readonly bytesPerSecond: number
}

export function buckets({ crashes }: Pick<SoakReport, 'crashes'>): Bucket[] {
  const last = crashes.reduce((max, { endedAtMs }) => Math.max(max, endedAtMs), 0) / 1000
  const width = Math.max(1, Math.ceil(last / bucketsMax))
  const count = Math.floor(last / width) + 1
  const rows = Array.from({ length: count }, (_, index) => ({
    second: index * width,
    begun: 0,
    dumps: 0,
    absent: 0,
    lost: 0,
    bytesPerSecond: 0,
  }))
  for (const { crashedAtMs, endedAtMs, outcome, transferredBytes = 0 } of crashes) {
    const begun = rows[Math.floor((crashedAtMs ?? endedAtMs) / 1000 / width)]
    if (begun !== undefined) begun.begun += 1
    const ended = rows[Math.floor(endedAtMs / 1000 / width)]
    if (ended === undefined) continue
    ended.bytesPerSecond += transferredBytes / width
    if (outcome === 'dump') ended.dumps += 1
    else if (outcome === 'absent') ended.absent += 1
    else ended.lost += 1
  }
  return rows
}
