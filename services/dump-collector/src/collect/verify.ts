/** Step `verifying`: what has been written is read again and every entry of the manifest compared. */
import { verifyFile, type Verification } from '../manifest/verify-file.ts'
import type { Capture, Outcome } from './capture.ts'
import { CaptureFailure } from './failure.ts'

/** Times that differing parts are fetched again before the capture fails. */
export const repairRoundsMax = 3

/** Errors: `CaptureFailure` when parts differ and cannot be fetched again. */
export async function verifyVmcore(capture: Capture): Promise<Outcome> {
  const found = await verifyEntries(capture)
  if (found.bad.length === 0) return { event: 'verified', detail: { entries: found.entries } }
  const differing = found.entries - found.good
  if (capture.lost !== undefined) {
    const message = `the dump was gone before all of it was read: ${differing} of ${found.entries} entries are missing`
    throw new CaptureFailure(message, { cause: capture.lost, found })
  }
  if (capture.repairRounds >= repairRoundsMax) {
    const message = `${differing} of ${found.entries} entries differ from the manifest, also after ${repairRoundsMax} further transfers`
    throw new CaptureFailure(message, { found })
  }
  capture.repairRounds++
  capture.repair = found.bad
  return {
    event: 'mismatch',
    detail: { entries: differing, offset: Number(found.bad[0]?.offset ?? 0n) },
  }
}

/** Reads every entry of the stored manifest back from the stored vmcore; what was never received counts as bad. */
export async function verifyEntries(capture: Capture): Promise<Verification> {
  const { isTransferred, durableOffset } = capture.progress
  const { sizeBytes } = capture.dump
  return verifyFile({
    files: capture.tools.files,
    vmcore: capture.path('vmcore'),
    manifest: capture.path('manifest'),
    sizeBytes,
    receivedEnd: isTransferred ? sizeBytes : durableOffset,
    signal: capture.signal,
  })
}
