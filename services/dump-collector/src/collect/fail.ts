/**
 * What becomes of a dump that cannot be had completely: `partial` with the exact ranges that are missing when any
 * entry of the manifest is verified, else `failed`. Its cause is stated either way, and preserved memory is not released.
 */
import { byteLength } from '@fadump-lab/shared/units'
import { writeSummary } from '../store/summary.ts'
import type { Capture, DumpPatch } from './capture.ts'
import { describeError, type CaptureFailure } from './failure.ts'
import { syncVmcore } from './store.ts'
import type { Verification } from '../manifest/verify-file.ts'
import { verifyEntries } from './verify.ts'

/**
 * Ends the capture in `failed`; a `partial` dump is published, of a `failed` one `.incomplete` is kept. One of which
 * nothing is missing has failed for another reason, and `partial` would be a lie.
 */
export async function failCapture(capture: Capture, cause: Error): Promise<void> {
  const found = foundBy(cause) ?? (await verifyWhatIsThere(capture))
  if (found === undefined || found.good === 0 || found.bad.length === 0) await fail(capture, cause)
  else await keepPartial(capture, { cause, found })
}

/** As `failCapture`, without another look at the disk: for a disk that is the cause. */
export async function fail(capture: Capture, cause: Error): Promise<void> {
  capture.tools.metrics.count('fadump_dumps_total', { status: 'failed' })
  const failure = describeError(cause)
  await capture.transition({
    event: 'fail',
    patch: { status: 'failed', failure, completedAt: capture.tools.clock.iso() },
    detail: { status: 'failed', failure },
  })
}

async function keepPartial(
  capture: Capture,
  { cause, found }: { readonly cause: Error; readonly found: Verification },
): Promise<void> {
  const { files, clock, metrics } = capture.tools
  const failure = describeError(cause)
  const patch = {
    status: 'partial',
    failure,
    missing: [...found.bad],
    completedAt: clock.iso(),
    storedBytes: byteLength(await syncVmcore(capture)),
  } satisfies DumpPatch
  await writeSummary(files, capture.place, capture.preview(patch))
  metrics.count('fadump_dumps_total', { status: 'partial' })
  const missingBytes = found.bad.reduce((sum, range) => sum + range.length, 0n)
  await capture.transition({
    event: 'fail',
    patch,
    detail: { status: 'partial', failure, missingBytes: Number(missingBytes) },
    publish: true,
  })
}

function foundBy(cause: Error): Verification | undefined {
  return 'found' in cause ? (cause as CaptureFailure).found : undefined
}

/** `undefined` when the manifest never came. */
async function verifyWhatIsThere(capture: Capture): Promise<Verification | undefined> {
  return capture.dump.step === 'claimed' ? undefined : verifyEntries(capture)
}
