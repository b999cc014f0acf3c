/** Leaves steps out of a failing run for as long as the same thing still fails (ddmin, bounded). */
import type { RunReport } from './simulation.ts'

/** Runs that a minimisation may take. */
export const minimiseRunsMax = 80

export interface Minimised {
  /** Positions of the steps that are left. */
  readonly kept: readonly number[]
  readonly runs: number
}

/** `run` with the steps at `kept` only. The first report is of all `count` steps. */
export async function minimise(
  first: RunReport,
  count: number,
  run: (kept: readonly number[]) => Promise<RunReport>,
): Promise<Minimised> {
  const begun = Math.min(count, first.stepsBegun)
  let kept: readonly number[] = Array.from({ length: begun }, (_, index) => index)
  let runs = 0
  const fails = async (candidate: readonly number[]): Promise<boolean> => {
    runs += 1
    return (await run(candidate)).violation?.invariant === first.violation?.invariant
  }
  for (let parts = 2; kept.length > 1 && runs < minimiseRunsMax;) {
    const size = Math.ceil(kept.length / parts)
    const smaller = await without(kept, size, (candidate) =>
      runs < minimiseRunsMax ? fails(candidate) : Promise.resolve(false),
    )
    if (smaller !== undefined) {
      kept = smaller
      parts = Math.max(2, parts - 1)
    } else if (size === 1) break
    else parts = Math.min(kept.length, parts * 2)
  }
  return { kept, runs }
}

/** `kept` without one of its parts of `size` steps, where that still fails. */
async function without(
  kept: readonly number[],
  size: number,
  fails: (candidate: readonly number[]) => Promise<boolean>,
): Promise<readonly number[] | undefined> {
  for (let start = 0; start < kept.length; start += size) {
    const candidate = [...kept.slice(0, start), ...kept.slice(start + size)]
    if (await fails(candidate)) return candidate
  }
  return undefined
}
