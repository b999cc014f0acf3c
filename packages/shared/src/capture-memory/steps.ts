/** The allocations of a capture boot one after the other, for a kernel that executes them page by page. */
import { allocate } from './allocate.ts'
import { consumers } from './consumers.ts'
import { phases, type Phase } from './phases.ts'
import type { CaptureSystem } from './capture-system.ts'

export interface AllocationStep {
  readonly phase: Phase
  readonly consumer: string
  /** Pages taken; negative: given back. */
  readonly pages: number
}

/**
 * What happens, in order: at the start of a phase some give back, then others take. When memory does not suffice the
 * steps end with the phase that fails; the first step after which fewer pages are free than `allocate(…).reservePages`
 * is the one that fails.
 */
export function allocationSteps(system: CaptureSystem): readonly AllocationStep[] {
  const { amounts, used } = allocate(system)
  return phases.slice(0, used.length).flatMap(({ name }, phase) => {
    const before = phases[phase - 1]?.name
    const step = (sign: 1 | -1) => (index: number) => ({
      phase: name,
      consumer: consumers[index]?.name ?? '',
      pages: sign * (amounts[index] ?? 0),
    })
    const given = indicesWhere((index) => {
      const until = consumers[index]?.until
      return until !== undefined && until === before
    })
    const taken = indicesWhere((index) => consumers[index]?.phase === name)
    return [...given.map(step(-1)), ...taken.map(step(1))].filter(({ pages }) => pages !== 0)
  })
}

function indicesWhere(fits: (index: number) => boolean): readonly number[] {
  return consumers.flatMap((_, index) => (fits(index) ? [index] : []))
}
