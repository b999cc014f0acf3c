/**
 * One capture boot as a sequence of allocations in whole pages, until the last phase or until memory ends. Everything
 * that judges a system goes through here: verdicts, minimum boot memory, sweeps, and the steps that a kernel executes.
 */
import { consumerIndex, consumers, type ConsumerRow, type FormulaInput } from './consumers.ts'
import { phases } from './phases.ts'
import { presetNumbers } from './presets/presets.ts'
import type { Numbers } from './presets/preset.ts'
import type { CaptureSystem } from './capture-system.ts'
import { targetRow } from './targets.ts'

/** What a boot has taken. Indices are those of the tables of phases and of consumers. */
export interface Allocation {
  readonly bootPages: number
  /** What must stay free: below it the OOM killer runs. */
  readonly reservePages: number
  /** Pages of each consumer; 0 for those that never began. In the phase of a shortage, what they would take. */
  readonly amounts: readonly number[]
  /** Pages in use at the end of each phase that was entered; at a shortage, what the phase would need. */
  readonly used: readonly number[]
  /** Pages that the root file system may take, and those that its files would fill. */
  readonly rootfsBound: number
  readonly rootfsWanted: number
  readonly shortage: Shortage | undefined
}

export interface Shortage {
  readonly phase: number
  readonly consumer: number
  /** The root file system was full before memory was. */
  readonly isRootfsFull: boolean
}

interface Step {
  readonly row: ConsumerRow
  readonly index: number
}

/** The consumers that begin in each phase, and those whose last phase was the one before. */
const starting: readonly (readonly Step[])[] = phases.map(({ name }) =>
  stepsWhere(({ phase }) => phase === name),
)
const ending: readonly (readonly Step[])[] = phases.map((_, index) => {
  const before = phases[index - 1]?.name
  return stepsWhere(({ until }) => until !== undefined && until === before)
})
/** What is gone when the root file system is mounted: all that MemTotal leaves out, and the image. */
const goneAtMount: readonly Step[] = stepsWhere(
  (row) => row.isReserved === true || row === consumers[consumerIndex('initramfs image')],
)

function stepsWhere(fits: (row: ConsumerRow) => boolean): readonly Step[] {
  return consumers.flatMap((row, index) => (fits(row) ? [{ row, index }] : []))
}

/** Runs the phases. */
export function allocate(system: CaptureSystem): Allocation {
  const run = begin(system)
  for (let phase = 0; phase < phases.length && run.shortage === undefined; phase += 1) {
    enter(run, phase)
  }
  return run
}

/** A boot under way. */
interface Run extends Allocation {
  readonly pagesPerMiB: number
  readonly rootfsPercent: number
  readonly input: { -readonly [K in keyof FormulaInput]: FormulaInput[K] }
  readonly amounts: number[]
  readonly used: number[]
  inUse: number
  rootfsBound: number
  rootfsWanted: number
  shortage: Shortage | undefined
}

function begin(system: CaptureSystem): Run {
  const numbers = presetNumbers[system.preset]
  const pagesPerMiB = 1024 / system.pageKiB
  const reservePages = Math.round(reserveMiB(system, numbers) * pagesPerMiB)
  const reserve = reservePages / pagesPerMiB
  const target = targetRow(system.target)
  return {
    bootPages: system.bootMemoryMiB * pagesPerMiB,
    reservePages,
    pagesPerMiB,
    rootfsPercent: system.rootfsPercent,
    input: { system, numbers, target, freeMiB: 0, reserveMiB: reserve },
    amounts: consumers.map(() => 0),
    used: [],
    inUse: 0,
    rootfsBound: 0,
    rootfsWanted: 0,
    shortage: undefined,
  }
}

/** Takes what the phase wants, to the end of the phase, so that its whole need is known; the first shortage counts. */
function enter(run: Run, phase: number): void {
  for (const { index } of ending[phase] ?? []) run.inUse -= run.amounts[index] ?? 0
  for (const { row, index } of starting[phase] ?? []) {
    run.input.freeMiB = (run.bootPages - run.inUse - run.reservePages) / run.pagesPerMiB
    const pages = Math.round(row.amountMiB(run.input) * run.pagesPerMiB)
    const taken = row.isRootfs === true ? fillRootfs(run, pages) : pages
    run.amounts[index] = taken
    run.inUse += taken
    const isOut = run.inUse + run.reservePages > run.bootPages
    if (isOut || taken < pages) {
      run.shortage ??= { phase, consumer: index, isRootfsFull: !isOut }
    }
  }
  run.used[phase] = run.inUse
}

/**
 * Writes files into the root file system until its limit: a share of what was neither reserved nor the image when it was
 * mounted (`shmem_default_max_blocks`). Answers with the pages that were written.
 */
function fillRootfs(run: Run, wanted: number): number {
  let mounted = run.bootPages
  for (const { index } of goneAtMount) mounted -= run.amounts[index] ?? 0
  // 100 percent is ramfs, which has no limit.
  const bound = run.rootfsPercent === 100 ? wanted : (mounted * run.rootfsPercent) / 100
  run.rootfsBound = Math.max(0, Math.floor(bound))
  run.rootfsWanted = wanted
  return Math.min(wanted, run.rootfsBound)
}

/** init_per_zone_wmark_min: 4 × √(KiB of memory) KiB, and what the watermarks keep on top. */
function reserveMiB({ bootMemoryMiB }: CaptureSystem, numbers: Numbers): number {
  const minimum = Math.sqrt(bootMemoryMiB * 1024 * 16) / 1024
  return Math.max(numbers.minimumFree, minimum) + numbers.minimumFreeShare * bootMemoryMiB
}

/** MemTotal of the capture kernel, MiB: boot memory less what is taken before the kernel counts. */
export function memTotalMiB(system: CaptureSystem): number {
  const { amounts, bootPages } = allocate(system)
  const reserved = consumers.reduce(
    (sum, row, index) => sum + (row.isReserved === true ? (amounts[index] ?? 0) : 0),
    0,
  )
  return Math.max(0, ((bootPages - reserved) * system.pageKiB) / 1024)
}
