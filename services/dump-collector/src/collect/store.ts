/** Step `storing`: everything on the disk, a summary for people, then the one rename that makes the dump exist. */
import { byteLength } from '@fadump-lab/shared/units'
import { writeSummary } from '../store/summary.ts'
import type { Capture, DumpPatch, Outcome } from './capture.ts'

export async function storeDump(capture: Capture): Promise<Outcome> {
  const { clock, metrics } = capture.tools
  const patch = {
    status: 'complete',
    completedAt: clock.iso(),
    storedBytes: byteLength(await syncVmcore(capture)),
    missing: [],
    failure: undefined,
  } satisfies DumpPatch
  await writeSummary(capture.tools.files, capture.place, capture.preview(patch))
  metrics.count('fadump_dumps_total', { status: 'complete' })
  metrics.observe('fadump_capture_seconds', (clock.now() - capture.claimedAtMs) / 1000)
  return {
    event: 'stored',
    patch,
    detail: { storedBytes: Number(patch.storedBytes), digest: capture.dump.digest ?? '' },
    publish: true,
  }
}

/** Syncs the vmcore; returns the bytes it takes on disk. */
export async function syncVmcore(capture: Capture): Promise<number> {
  const { files } = capture.tools
  await using file = await files.open(capture.path('vmcore'), 'update')
  await file.sync()
  return (await files.facts(capture.path('vmcore')))?.storedBytes ?? 0
}
