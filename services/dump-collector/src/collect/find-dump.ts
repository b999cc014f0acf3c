/** What an earlier run of a capture job, here or elsewhere, has left of the dump. */
import type { Dump } from '@fadump-lab/shared/contracts'
import { readDump } from '../store/dump-file.ts'
import { parentOf, placeOf, type DumpName, type Place } from '../store/layout.ts'
import type { CaptureTools } from './capture.ts'

type FindTools = Pick<CaptureTools, 'files' | 'root'>

export interface Found {
  readonly place: Place
  readonly dump: Dump
}

/** Another collector may publish a dump between the looks at its two places; it must not be begun anew beside that. */
const looksMax = 2

/** The dump where it lies at present; a partial one is brought back to `.incomplete`. `undefined`: it is not there. */
export async function findDump(tools: FindTools, job: DumpName): Promise<Found | undefined> {
  const final = placeOf(tools.root, job, 'final')
  const incomplete = placeOf(tools.root, job, 'incomplete')
  for (let look = 1; look <= looksMax; look += 1) {
    const stored = await readDump(tools.files, final)
    if (stored?.status === 'complete') return { place: final, dump: stored }
    if (stored !== undefined) await reopen(tools, { final, incomplete })
    const dump = await readDump(tools.files, incomplete)
    if (dump !== undefined) return { place: incomplete, dump }
  }
  return undefined
}

/** A partial dump whose partition presents it again can still become complete. */
async function reopen(
  { files, root }: FindTools,
  { final, incomplete }: { readonly final: Place; readonly incomplete: Place },
): Promise<void> {
  await files.remove(incomplete.directory)
  await files.rename(final.directory, incomplete.directory)
  await files.syncDirectory(parentOf(root, final))
}
