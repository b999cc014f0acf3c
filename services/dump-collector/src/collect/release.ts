/** Step `releasing`: only now, with a verified and durable copy, may the partition give its preserved memory back. */
import { isProblem, type Problem } from '@fadump-lab/shared/contracts'
import { isGone } from '../kernel/capture-kernel.ts'
import { fileIn } from '../store/layout.ts'
import type { Capture, Outcome } from './capture.ts'

/** A partition that does not answer at all is asked again by the next run. */
export const releaseTimeoutMs = 60_000

/** Errors: `Problem` when the answer says nothing about the dump: then the job has to run again. */
export async function releaseDump(capture: Capture): Promise<Outcome> {
  try {
    await writeRelease(capture)
    return {
      event: 'released',
      patch: { released: true, releasedEpoch: capture.job.epoch, failure: undefined },
    }
  } catch (error) {
    capture.signal.throwIfAborted()
    if (!isGone(error) && !isReleasedAlready(error)) throw error
    const released = capture.dump.released || isReleasedAlready(error)
    return {
      event: 'releaseRefused',
      patch: { released, releasedEpoch: capture.job.epoch, failure: undefined },
      detail: { reason: error.message },
    }
  }
}

/** No more work for anybody: the dump is stored and its partition is free or gone. */
export async function endCapture(capture: Capture): Promise<void> {
  await capture.tools.files.remove(fileIn(capture.place, 'progress'))
}

async function writeRelease(capture: Capture): Promise<void> {
  const { clock } = capture.tools
  const late = new AbortController()
  using _timer = clock.schedule(releaseTimeoutMs, () =>
    late.abort(new Error(`the release was not answered within ${releaseTimeoutMs} ms`)),
  )
  await capture.kernel.release(AbortSignal.any([capture.signal, late.signal]))
}

/**
 * Without an active dump `fadump_release_memory_store` returns -EPERM and the file is absent (spec §10.1, C117): an
 * earlier run, or an operator, has released.
 */
function isReleasedAlready(error: unknown): error is Problem {
  if (!isProblem(error, 'errno')) return false
  return ['EPERM', 'ENOENT'].includes(String(error.extensions['errno']))
}
