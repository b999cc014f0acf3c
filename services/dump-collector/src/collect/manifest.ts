/** Step `claimed`: the manifest first, so that every byte that follows has a digest to answer to. */
import { byteLength } from '@fadump-lab/shared/units'
import { isGone } from '../kernel/capture-kernel.ts'
import type { ManifestSummary } from '../manifest/manifest-check.ts'
import { storeManifest } from '../manifest/manifest-file.ts'
import { replaceDurably } from '../store/durable.ts'
import { createWatchdog, watched } from '../transfer/watchdog.ts'
import type { Capture, Outcome } from './capture.ts'
import { CaptureFailure } from './failure.ts'

/** Errors: `CaptureFailure` when the dump is gone; `AdmissionRefusedError`, `ManifestError`, `Problem`, of the file. */
export async function fetchManifest(capture: Capture): Promise<Outcome> {
  const { files, admission } = capture.tools
  await admission.admitRate(capture.place)
  const path = capture.path('manifest')
  const next = `${path}.new`
  const summary = await receiveManifest(capture, next)
  if (!isSame(capture, summary)) await capture.startOver()
  await replaceDurably(files, next, path)
  const { sizeBytes, digest, entries, populatedBytes } = summary
  await capture.saveProgress({
    ...capture.progress,
    manifestEpoch: capture.job.epoch,
    populatedBytes: byteLength(populatedBytes),
  })
  return {
    event: 'transfer',
    patch: { sizeBytes: byteLength(sizeBytes), digest, failure: undefined },
    detail: {
      sizeBytes: Number(sizeBytes),
      populatedBytes: Number(populatedBytes),
      entries,
      fromOffset: Number(capture.progress.durableOffset),
    },
  }
}

async function receiveManifest(capture: Capture, path: string): Promise<ManifestSummary> {
  const { files, clock, settings } = capture.tools
  using watchdog = createWatchdog(clock, settings.idleTimeoutMs)
  const signal = AbortSignal.any([capture.signal, watchdog.signal])
  try {
    const body = await capture.kernel.readManifest(signal)
    await using file = await files.open(path, 'replace')
    return await storeManifest(watched(body, watchdog), file)
  } catch (error) {
    capture.signal.throwIfAborted()
    if (isGone(error)) {
      throw new CaptureFailure('the dump was gone before its manifest was read', { cause: error })
    }
    throw error
  }
}

/** The dump that was begun before: what is in the file can stay. */
function isSame({ dump }: Capture, { sizeBytes, digest }: ManifestSummary): boolean {
  return dump.digest === digest && dump.sizeBytes === sizeBytes
}
