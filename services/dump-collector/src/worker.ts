/** Capture jobs of the queue, run one after the other per dump, and what is told when one ends badly. */
import { captureQueue, type CaptureJob } from '@fadump-lab/shared/contracts'
import { isProven } from '@fadump-lab/shared/identity'
import { UnrecoverableJobError, type ClaimedJob } from '@fadump-lab/shared/queue'
import { KeyedMutex } from '@fadump-lab/shared/runtime'
import { AdmissionRefusedError, type WaitingReason } from './admission/admission.ts'
import type { Capture } from './collect/capture.ts'
import { claim, takeOver, type ClaimTools } from './collect/claim.ts'
import { fail, failCapture } from './collect/fail.ts'
import { CaptureFailure, describeError } from './collect/failure.ts'
import { runCapture } from './collect/steps.ts'
import { dropUnsynced } from './collect/transfer.ts'
import type { DumpIndex } from './store/dump-index.ts'
import { errorCode } from './store/files.ts'

const diskFullCodes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

export class CaptureWorker implements AsyncDisposable {
  readonly #tools: ClaimTools
  readonly #index: DumpIndex
  readonly #oneAtATime = new KeyedMutex()
  readonly #ending = new Set<Promise<void>>()
  readonly #stopped = new AbortController()

  constructor(tools: ClaimTools, index: DumpIndex) {
    this.#tools = tools
    this.#index = index
  }

  /** The handler of the capture queue. */
  async run({ payload, signal }: ClaimedJob<CaptureJob>): Promise<void> {
    if (!isProven(this.#tools.dumpKey, payload)) return this.#refuse(payload)
    await this.#oneAtATime.run(payload.dump, async () => {
      signal.throwIfAborted()
      const capture = await this.#claim(payload, signal)
      if (capture === undefined) return
      using _shown = this.#index.show(capture)
      await this.#collect(capture)
    })
  }

  /** The job names an address that is to be shown a credential: one that no kernel host has written goes no further. */
  async #refuse({ dump, partition, correlationId }: CaptureJob): Promise<void> {
    const { clock, events, logger } = this.#tools
    const reason = 'no kernel host has written this capture job'
    logger.warn({ dump, partition }, reason)
    await events.append({
      time: clock.iso(),
      service: 'dump-collector',
      aggregate: 'access',
      subject: 'capture job',
      event: 'refused',
      correlationId,
      detail: { partition, dump, reason },
    })
  }

  /** Told by the queue when it gives a job up: the dump must say so too. */
  givenUp(payload: unknown, cause: Error): void {
    const job = captureQueue.payload.safeParse(payload)
    if (!job.success || !isProven(this.#tools.dumpKey, job.data)) return
    const ending = this.#giveUp(job.data, cause).catch((error: unknown) =>
      this.#tools.logger.error({ err: error, dump: job.data.dump }, 'giving up failed'),
    )
    this.#ending.add(ending)
    void ending.finally(() => this.#ending.delete(ending))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort(new Error('the collector is stopping'))
    await Promise.all(this.#ending)
  }

  async #claim(job: CaptureJob, signal: AbortSignal): Promise<Capture | undefined> {
    try {
      return await claim(this.#tools, job, signal)
    } catch (error) {
      this.#tools.logger.warn({ err: error, dump: job.dump }, 'the dump could not be claimed')
      throw error
    }
  }

  async #collect(capture: Capture): Promise<void> {
    try {
      await runCapture(capture)
    } catch (error) {
      capture.signal.throwIfAborted()
      if (error instanceof CaptureFailure) {
        await failCapture(capture, error)
        throw new UnrecoverableJobError(describeError(error), { cause: error })
      }
      await this.#note(capture, error)
      throw error
    }
  }

  /** Between two runs the dump tells why it waits; when the disk cannot take even that, event and log tell it. */
  async #note(capture: Capture, error: unknown): Promise<void> {
    const { logger } = this.#tools
    const failure = describeError(error)
    const { id, step } = capture.dump
    logger.warn({ err: error, dump: id, step }, 'capture is interrupted')
    try {
      await capture.tell('interrupted', { from: step, to: step }, { reason: failure })
      if (isDiskFull(error)) await dropUnsynced(capture)
      await noteWaiting(capture, error)
      await capture.save({ failure })
    } catch (cause) {
      logger.warn({ err: cause, dump: id }, 'the cause could not be stored')
    }
  }

  async #giveUp(job: CaptureJob, cause: Error): Promise<void> {
    await this.#oneAtATime.run(job.dump, async () => {
      const found = await this.#index.find(job.dump)
      if (found === undefined) return this.#tellUnrecorded(job, cause)
      if (isSettled(found.dump)) return
      const signal = this.#stopped.signal
      const capture = await takeOver(this.#tools, { found, job, signal })
      using _shown = this.#index.show(capture)
      if (capture.dump.step === 'releasing') await giveUpRelease(capture, cause)
      else if (await isWaiting(capture, cause)) await fail(capture, cause)
      else await failCapture(capture, cause)
    })
  }

  /** Not even a directory could be made: the event is then the only record of the dump. */
  async #tellUnrecorded(job: CaptureJob, cause: Error): Promise<void> {
    const { clock, events, metrics } = this.#tools
    metrics.count('fadump_dumps_total', { status: 'failed' })
    await events.append({
      time: clock.iso(),
      service: 'dump-collector',
      aggregate: 'dump',
      subject: job.dump,
      event: 'fail',
      to: 'failed',
      correlationId: job.correlationId,
      detail: { status: 'failed', failure: describeError(cause) },
    })
  }
}

/** The bytes are safe; the partition keeps its memory until somebody releases it. */
async function giveUpRelease(capture: Capture, cause: Error): Promise<void> {
  const failure = `not released: ${describeError(cause)}`.slice(0, 1024)
  await capture.transition({
    event: 'releaseRefused',
    patch: { failure },
    detail: { reason: failure },
  })
}

/** What the capture waits for is kept on disk: the housekeeper looks for it. */
async function noteWaiting(capture: Capture, error: unknown): Promise<void> {
  const { waitsFor: _before, ...progress } = capture.progress
  const reason = waitsFor(error)
  const waiting = reason === undefined ? {} : { waitsFor: reason, isAdmitted: false }
  await capture.saveProgress({ ...progress, ...waiting })
}

/** Another look at the disk would be in vain: the dump fails for now, with its cause, and goes on when it can. */
async function isWaiting(capture: Capture, cause: Error): Promise<boolean> {
  if (waitsFor(cause) !== undefined) await noteWaiting(capture, cause)
  return capture.progress.waitsFor !== undefined
}

function waitsFor(error: unknown): WaitingReason | undefined {
  if (error instanceof AdmissionRefusedError) return error.reason
  return isDiskFull(error) ? 'room' : undefined
}

function isSettled({ status, step }: Capture['dump']): boolean {
  return status !== 'capturing' && step !== 'releasing'
}

function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return diskFullCodes.has(errorCode(error) ?? '') || isDiskFull(error.cause)
}
