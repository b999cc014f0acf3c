/** What is wrong with a dump that gets through all the same: little to spare, fewer threads, a process killed. */
import type { Allocation } from './allocate.ts'
import { consumerIndex, fittingThreads } from './consumers.ts'
import { phaseNames } from './phases.ts'
import { presetNumbers } from './presets/presets.ts'
import type { CaptureSystem } from './capture-system.ts'
import { targetRow } from './targets.ts'

export type WarningKind = 'small margin' | 'threads reduced' | 'other process killed'

export interface Warning {
  readonly kind: WarningKind
  readonly text: string
}

/** A pass with less than this share of boot memory to spare is a warning. */
export const marginShareMin = 0.05

const [transferPhase, collectorPhase] = [
  phaseNames.indexOf('transfer'),
  phaseNames.indexOf('collector process'),
]
const [pageCache, threads] = [consumerIndex('page cache'), consumerIndex('collector threads')]

export function warningsOf(system: CaptureSystem, allocation: Allocation): readonly Warning[] {
  return [
    ...marginWarning(system, allocation),
    ...threadsWarning(system, allocation),
    ...(otherProcess(system, allocation).isKilled
      ? [
          {
            kind: 'other process killed',
            text: 'the OOM killer takes another process, the dump goes on',
          } as const,
        ]
      : []),
  ]
}

/** The same as a yes or no, for sweeps. */
export function isWarned(system: CaptureSystem, allocation: Allocation): boolean {
  if (marginPages(allocation) < marginShareMin * allocation.bootPages) return true
  if (threadsStarted(system, allocation) < threadsWanted(system)) return true
  return otherProcess(system, allocation).isKilled
}

/** Index of the phase with the most in use. */
export function peakPhase({ used }: Allocation): number {
  let best = 0
  for (let phase = 1; phase < used.length; phase += 1) {
    if ((used[phase] ?? 0) > (used[best] ?? 0)) best = phase
  }
  return best
}

function marginPages(allocation: Allocation): number {
  const { bootPages, reservePages, used } = allocation
  return bootPages - reservePages - (used[peakPhase(allocation)] ?? 0)
}

function marginWarning(system: CaptureSystem, allocation: Allocation): readonly Warning[] {
  const margin = marginPages(allocation)
  if (margin >= marginShareMin * allocation.bootPages) return []
  const MiB = ((margin * system.pageKiB) / 1024).toFixed(1)
  const percent = ((margin / allocation.bootPages) * 100).toFixed(1)
  return [
    {
      kind: 'small margin',
      text: `a margin of ${MiB} MiB, ${percent} percent, is less than 5 percent`,
    },
  ]
}

function threadsWarning(system: CaptureSystem, allocation: Allocation): readonly Warning[] {
  const wanted = threadsWanted(system)
  const started = threadsStarted(system, allocation)
  if (started >= wanted) return []
  return [{ kind: 'threads reduced', text: `makedumpfile starts ${started} of ${wanted} threads` }]
}

function threadsWanted({ threads: wanted, target }: CaptureSystem): number {
  return targetRow(target).filters ? wanted : 0
}

function threadsStarted(system: CaptureSystem, allocation: Allocation): number {
  if (system.threads === 0) return 0
  const { bootPages, reservePages, used, amounts } = allocation
  const before = (used[collectorPhase] ?? 0) - (amounts[threads] ?? 0)
  const numbers = presetNumbers[system.preset]
  const freeMiB = ((bootPages - reservePages - before) * system.pageKiB) / 1024
  const target = targetRow(system.target)
  return fittingThreads({ system, numbers, target, freeMiB, reserveMiB: 0 })
}

/** Another process grows while the dump is under way; the page cache gives way to it, the rest does not. */
export function otherProcess(
  system: CaptureSystem,
  { used, amounts, reservePages, bootPages }: Allocation,
): { readonly isKilled: boolean; readonly needPages: number } {
  if (system.otherProcessMiB === 0) return { isKilled: false, needPages: 0 }
  const pages = Math.ceil((system.otherProcessMiB * 1024) / system.pageKiB)
  const needPages = (used[transferPhase] ?? 0) - (amounts[pageCache] ?? 0) + pages + reservePages
  return { isKilled: needPages > bootPages, needPages }
}
