/** What a run of checks and tests comes to. Pure. */
import type { TestTally } from './run-tests.ts'

export interface Findings {
  readonly tally: TestTally
  readonly checksPassed: number
  /** The names of the checks that failed. */
  readonly checksFailed: readonly string[]
  /** In CI nothing may be left out: each skipped or unfinished test counts as failed. */
  readonly gapsFail: boolean
}

export interface Verdict {
  readonly failed: number
  /** The closing lines; the last is `N passed, N failed`, checks included. */
  readonly lines: readonly string[]
}

export function verdict({ tally, checksPassed, checksFailed, gapsFail }: Findings): Verdict {
  const gaps = tally.unproved
  const failed = tally.failed + checksFailed.length + (gapsFail ? gaps.length : 0)
  const heading = gapsFail ? 'not run, which CI counts as failed' : 'not run on this machine'
  return {
    failed,
    lines: [
      ...(gaps.length === 0 ? [] : [`${heading}: ${gaps.length}`]),
      ...gaps.flatMap(({ title, file, reason }) => [`  ${title}`, `      ${file}: ${reason}`]),
      ...(checksFailed.length === 0 ? [] : [`checks that failed: ${checksFailed.join(', ')}`]),
      `${tally.passed + checksPassed} passed, ${failed} failed`,
    ],
  }
}
