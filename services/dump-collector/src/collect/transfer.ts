/** Step `transferring`: the flattened stream into the sparse file, from the last durable offset on. */
import { toHostLength } from '@fadump-lab/shared/units'
import { isGone } from '../kernel/capture-kernel.ts'
import type { OpenFile } from '../store/files.ts'
import { receive, type Received } from '../transfer/receive.ts'
import type { Capture, Outcome } from './capture.ts'
import { describeError } from './failure.ts'

/** Streams in one run that may end early without having brought anything new. */
export const idleCutsMax = 3
/** Streams in one run that may end early at all; then the queue's back-off has its turn. */
export const cutsMax = 100

/** Errors: `AdmissionRefusedError`; `Problem` when the kernel cannot be asked; the last cut when there were too many; of the file. */
export async function transferVmcore(capture: Capture): Promise<Outcome> {
  await using file = await capture.tools.files.open(capture.path('vmcore'), 'update')
  try {
    return capture.progress.isTransferred
      ? await fetchRepairs(capture, file)
      : await fetchRest(capture, file)
  } catch (error) {
    if (!isGone(error)) throw error
    capture.lost = error
    return { event: 'transferred', detail: { gone: error.message } }
  }
}

async function fetchRest(capture: Capture, file: OpenFile): Promise<Outcome> {
  await reserveRoom(capture)
  await prepare(capture, file)
  const from = capture.progress.durableOffset
  const received = await receive(capture, file, {
    from,
    until: capture.dump.sizeBytes,
    onWindow: (offset) => {
      const { receivedBytes } = capture
      return () => capture.checkpoint({ offset, receivedBytes, isTransferred: false })
    },
    onBytes: (length) => {
      capture.received(length)
      capture.tools.metrics.count('fadump_dump_received_bytes_total', {}, length)
    },
  })
  const { receivedBytes } = capture
  if (received.cut === undefined) {
    await capture.checkpoint({ offset: capture.dump.sizeBytes, receivedBytes, isTransferred: true })
    return { event: 'transferred', detail: { bytes: Number(receivedBytes) } }
  }
  await capture.checkpoint({ offset: received.offset, receivedBytes, isTransferred: false })
  return resume(capture, received, received.offset > from)
}

/** Room for all that is still to come, before any of it comes. */
async function reserveRoom(capture: Capture): Promise<void> {
  const { isAdmitted, populatedBytes } = capture.progress
  if (isAdmitted || populatedBytes === undefined) return
  await capture.tools.admission.admitRoom({ place: capture.place, populatedBytes }, (admitted) =>
    capture.saveProgress({ ...capture.progress, isAdmitted: admitted }),
  )
}

/** An empty file of the full size, unless there is one that can be filled further. */
async function prepare(capture: Capture, file: OpenFile): Promise<void> {
  const size = capture.dump.sizeBytes
  const facts = await capture.tools.files.facts(capture.path('vmcore'))
  if (capture.progress.durableOffset > 0n && BigInt(facts?.sizeBytes ?? 0) === size) return
  // Also asks whether this run may still write: nothing else takes bytes away.
  await capture.startOver()
  await file.resize(0)
  await file.resize(toHostLength(size, Number.MAX_SAFE_INTEGER))
}

/** Gives back the room of bytes that will be sent again anyway, so that a full disk can at least take dump.json. */
export async function dropUnsynced(capture: Capture): Promise<void> {
  if (capture.dump.step !== 'transferring' || capture.progress.isTransferred) return
  await using file = await capture.tools.files.open(capture.path('vmcore'), 'update')
  await file.resize(toHostLength(capture.progress.durableOffset, Number.MAX_SAFE_INTEGER))
  await file.resize(toHostLength(capture.dump.sizeBytes, Number.MAX_SAFE_INTEGER))
}

/** What a verification found different is fetched once more, part by part. */
async function fetchRepairs(capture: Capture, file: OpenFile): Promise<Outcome> {
  let fetched = 0
  while (capture.repair.length > 0) {
    const [range, ...rest] = capture.repair
    if (range === undefined) break
    const until = range.offset + range.length
    const received = await receive(capture, file, { from: range.offset, until })
    if (received.cut !== undefined) return resume(capture, received, fetched > 0)
    capture.repair = rest
    fetched++
  }
  return { event: 'transferred', detail: { repairedRanges: fetched } }
}

function resume(capture: Capture, received: Received, hasProgressed: boolean): Outcome {
  const { cuts } = capture
  cuts.all++
  cuts.idle = hasProgressed ? 0 : cuts.idle + 1
  if (cuts.all > cutsMax || cuts.idle >= idleCutsMax) {
    throw new Error(`the vmcore could not be read on from offset ${received.offset}`, {
      cause: received.cut,
    })
  }
  return {
    event: 'resume',
    detail: { offset: Number(received.offset), reason: describeError(received.cut) },
  }
}
