/** The beginning of a run: a new dump, or one that an earlier run of the job, here or elsewhere, has left. */
import type { CaptureJob, Dump } from '@fadump-lab/shared/contracts'
import type { Fetch } from '@fadump-lab/shared/http'
import { byteLength } from '@fadump-lab/shared/units'
import { captureKernel } from '../kernel/capture-kernel.ts'
import { writeDump } from '../store/dump-file.ts'
import { parentOf, placeOf } from '../store/layout.ts'
import { readProgress, writeProgress, type Progress } from '../store/progress.ts'
import { Capture, type CaptureTools, type DumpPatch } from './capture.ts'
import { findDump, type Found } from './find-dump.ts'

export interface ClaimTools extends CaptureTools {
  readonly fetch?: Fetch
  /** The collector's own credential, and what the tokens of dumps are made with. */
  readonly secret: string
  readonly dumpKey: string
  /** A token no other run has. */
  readonly newOwner: () => string
}

/**
 * The dump as this run is to go on with it; `undefined` when it is complete and this boot was told so. A complete dump
 * that another boot announces is still in its partition's memory (firmware refused to let go, or the partition was
 * restarted first): it is released again, for that boot.
 */
export async function claim(
  tools: ClaimTools,
  job: CaptureJob,
  signal: AbortSignal,
): Promise<Capture | undefined> {
  const found = await findDump(tools, job)
  if (found !== undefined && isReleasedFor(found.dump, job)) return undefined
  if (found !== undefined) return goOn(tools, { found, job, signal })
  const capture = await takeOver(tools, { found: await beginDump(tools, job), job, signal })
  await capture.tell('claimed', { to: capture.dump.step })
  return capture
}

function isReleasedFor({ step, released, releasedEpoch }: Dump, { epoch }: CaptureJob): boolean {
  return step === 'complete' && released && releasedEpoch === epoch
}

/** Puts this run's token on the dump: from now on an earlier run cannot write any more. */
export async function takeOver(
  tools: ClaimTools,
  { found, job, signal }: { found: Found; job: CaptureJob; signal: AbortSignal },
): Promise<Capture> {
  const { place, dump } = found
  const before = await readProgress(tools.files, place)
  const owner = tools.newOwner()
  const progress: Progress = { ...(before ?? nothingReceived), job, owner, isAdmitted: false }
  await writeProgress(tools.files, place, progress)
  const kernel = captureKernel(job, tools)
  return new Capture(tools, { job, signal, kernel, place, dump, progress })
}

const nothingReceived = { durableOffset: byteLength(0), isTransferred: false }

async function beginDump(tools: ClaimTools, job: CaptureJob): Promise<Found> {
  const { files, root, clock } = tools
  const place = placeOf(root, job, 'incomplete')
  await files.makeDirectory(place.directory)
  await files.syncDirectory(parentOf(root, job))
  await files.syncDirectory(root)
  const dump: Dump = {
    id: job.dump,
    partition: job.partition,
    frame: job.frame,
    status: 'capturing',
    step: 'claimed',
    sizeBytes: byteLength(0),
    transferredBytes: byteLength(0),
    storedBytes: byteLength(0),
    missing: [],
    attempts: 1,
    released: false,
    pinned: false,
    startedAt: clock.iso(),
    correlationId: job.correlationId,
  }
  await writeDump(files, place, dump)
  return { place, dump }
}

const reopened = {
  status: 'capturing',
  missing: [],
  failure: undefined,
  completedAt: undefined,
} satisfies DumpPatch

/** Brings what was found to a step from which this run can go on. */
async function goOn(
  tools: ClaimTools,
  start: { readonly found: Found; readonly job: CaptureJob; readonly signal: AbortSignal },
): Promise<Capture> {
  const capture = await takeOver(tools, start)
  const { step, attempts } = capture.dump
  await capture.save({ attempts: attempts + 1 })
  await capture.tell('claimedAgain', { from: step, to: step }, { attempt: attempts + 1 })
  if (step === 'releasing' || step === 'complete') await capture.publish()
  const isOtherBoot = capture.progress.manifestEpoch !== capture.job.epoch
  if (isOtherBoot && (step === 'transferring' || step === 'verifying')) {
    const reason = `boot ${capture.job.epoch} presents the dump again`
    await capture.transition({ event: 'fail', detail: { reason } })
  }
  if (capture.dump.step === 'failed') await capture.transition({ event: 'retry', patch: reopened })
  // From here on the dump counts as unfinished, so that it need not be known any more what it waited for.
  const { waitsFor: _met, ...progress } = capture.progress
  if (_met !== undefined) await capture.saveProgress(progress)
  return capture
}
