/** What must never be otherwise (design: "What must never happen"), one file each. */
import type { Invariant, World } from '../world.ts'
import { bounded } from './bounded.ts'
import { noLeak } from './no-leak.ts'
import { oneDumpPerCrash } from './one-dump-per-crash.ts'
import { releaseAfterCopy } from './release-after-copy.ts'
import { resetsCarriedOut } from './resets-carried-out.ts'
import { stateTables } from './state-tables.ts'
import { truthfulStatus } from './truthful-status.ts'

export { hasCanary } from './no-leak.ts'

export function invariantsOf(world: World): readonly Invariant[] {
  return [
    truthfulStatus,
    releaseAfterCopy,
    oneDumpPerCrash,
    resetsCarriedOut,
    bounded,
    noLeak,
    stateTables,
  ].map((create) => create(world))
}
