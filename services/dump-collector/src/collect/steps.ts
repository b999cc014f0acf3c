/** The capture as its state machine says it (contracts/lifecycle.ts): one function per state, run until it ends. */
import type { CaptureState } from '@fadump-lab/shared/contracts'
import { traced } from '@fadump-lab/shared/telemetry'
import type { Capture, Outcome } from './capture.ts'
import { fetchManifest } from './manifest.ts'
import { endCapture, releaseDump } from './release.ts'
import { storeDump } from './store.ts'
import { transferVmcore } from './transfer.ts'
import { verifyVmcore } from './verify.ts'

type Step = (capture: Capture) => Promise<Outcome>

const steps: Readonly<Record<Exclude<CaptureState, 'complete' | 'failed'>, Step>> = {
  claimed: fetchManifest,
  transferring: transferVmcore,
  verifying: verifyVmcore,
  storing: storeDump,
  releasing: releaseDump,
}

/** Errors: `CaptureFailure` when no further run can succeed; anything else when another run may. */
export async function runCapture(capture: Capture): Promise<void> {
  if (capture.dump.step === 'complete') await releaseAgain(capture)
  for (;;) {
    capture.signal.throwIfAborted()
    const { step } = capture.dump
    if (step === 'failed') return
    if (step === 'complete') return endCapture(capture)
    await capture.transition(await tracedStep(capture, step))
  }
}

/** Bytes are those of this step in this run, holes not counted. */
function tracedStep(capture: Capture, step: keyof typeof steps): Promise<Outcome> {
  const { id, partition } = capture.dump
  const attributes = () => ({ 'fadump.dump': id, 'fadump.partition': partition })
  return traced({ name: `capture ${step}`, kind: 'internal', attributes }, async (span) => {
    const before = capture.receivedBytes
    try {
      return await steps[step](capture)
    } finally {
      // A transfer that begins anew counts from nothing.
      const received = capture.receivedBytes - (capture.receivedBytes < before ? 0n : before)
      if (step === 'transferring') {
        span.setAttribute('fadump.received_bytes', Number(received))
        span.setAttribute('fadump.cuts', capture.cuts.all)
      }
    }
  })
}

/** The dump has long been complete, but its partition announces it: it still has the memory. */
async function releaseAgain(capture: Capture): Promise<void> {
  const { event, patch = {}, detail } = await releaseDump(capture)
  await capture.save(patch)
  await capture.tell(event, { from: 'complete', to: 'complete' }, detail)
}
