/** One run of a capture job: what it knows, and the one way in which that changes and gets to the disk. */
import {
  captureMachine,
  type CaptureJob,
  type CaptureState,
  type Dump,
} from '@fadump-lab/shared/contracts'
import type { EventLog } from '@fadump-lab/shared/queue'
import type { Clock } from '@fadump-lab/shared/runtime'
import type { Logger, Metrics } from '@fadump-lab/shared/telemetry'
import { byteLength, invariant } from '@fadump-lab/shared/units'
import type { Admission } from '../admission/admission.ts'
import type { CollectorSettings } from '../deps.ts'
import type { CaptureKernel } from '../kernel/capture-kernel.ts'
import type { FileRange } from '../manifest/bounded-ranges.ts'
import { writeDump } from '../store/dump-file.ts'
import type { Files } from '../store/files.ts'
import { fileIn, parentOf, placeOf, type Place } from '../store/layout.ts'
import { readProgress, writeProgress, type Progress } from '../store/progress.ts'

export type CaptureEvent = (typeof captureMachine.events)[number]

/** What a step found out: the event that leads to the next one. */
export interface Outcome {
  readonly event: CaptureEvent
  readonly patch?: DumpPatch
  /** Small facts for the event log. */
  readonly detail?: Readonly<Record<string, string | number | boolean>>
  /** Take `.incomplete` from the name, after the patch is on disk and before the event is told. */
  readonly publish?: boolean
}

/** `undefined` takes the failure, or the time of completion, away. */
export type DumpPatch = Partial<Omit<Dump, 'step' | 'failure' | 'completedAt'>> & {
  readonly failure?: string | undefined
  readonly completedAt?: string | undefined
}

export interface CaptureTools {
  readonly root: string
  readonly files: Files
  readonly events: EventLog
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly settings: CollectorSettings
  readonly admission: Admission
}

/** Somebody else has claimed the dump since: this run must not write any more. */
export class ClaimLostError extends Error {
  override readonly name = 'ClaimLostError'
}

export interface CaptureStart {
  readonly job: CaptureJob
  readonly signal: AbortSignal
  readonly kernel: CaptureKernel
  readonly place: Place
  readonly dump: Dump
  readonly progress: Progress
}

export class Capture {
  readonly tools: CaptureTools
  readonly job: CaptureJob
  readonly signal: AbortSignal
  readonly kernel: CaptureKernel
  readonly claimedAtMs: number
  /** Why the partition's dump cannot be read any more, once that is known. */
  lost: Error | undefined
  /** Parts that differed from the manifest and are to be fetched again. */
  repair: readonly FileRange[] = []
  repairRounds = 0
  /** Streams that were cut in this run; those since the last one that brought anything. */
  readonly cuts = { all: 0, idle: 0 }
  #place: Place
  #dump: Dump
  #progress: Progress
  #receivedBytes: bigint

  constructor(tools: CaptureTools, start: CaptureStart) {
    this.tools = tools
    this.job = start.job
    this.signal = start.signal
    this.kernel = start.kernel
    this.claimedAtMs = tools.clock.now()
    this.#place = start.place
    this.#receivedBytes = start.progress.receivedBytes ?? start.dump.transferredBytes
    this.#dump = { ...start.dump, transferredBytes: byteLength(this.#receivedBytes) }
    this.#progress = start.progress
  }

  get place(): Place {
    return this.#place
  }

  /** As it is now, with what has been received since it was last written. */
  get dump(): Dump {
    return { ...this.#dump, transferredBytes: byteLength(this.#receivedBytes) }
  }

  /** Bytes handed to the file since the capture began, in all runs. */
  get receivedBytes(): bigint {
    return this.#receivedBytes
  }

  get progress(): Progress {
    return this.#progress
  }

  path(file: Parameters<typeof fileIn>[1]): string {
    return fileIn(this.#place, file)
  }

  /** Counts bytes that were handed to the file; the next checkpoint makes them durable. */
  received(length: number): void {
    this.#receivedBytes += BigInt(length)
  }

  /** Everything before `offset`, `receivedBytes` in all, is in the synced file. */
  async checkpoint(durable: {
    readonly offset: bigint
    readonly receivedBytes: bigint
    readonly isTransferred: boolean
  }): Promise<void> {
    const facts = await this.tools.files.facts(this.path('vmcore'))
    const storedBytes = byteLength(facts?.storedBytes ?? 0)
    const transferredBytes = byteLength(durable.receivedBytes)
    this.#dump = { ...this.#dump, transferredBytes, storedBytes }
    const { offset, isTransferred } = durable
    const durableOffset = byteLength(offset)
    const receivedBytes = transferredBytes
    await this.saveProgress({ ...this.#progress, durableOffset, receivedBytes, isTransferred })
    await this.#write()
  }

  /** The file is to be filled from its beginning. */
  async startOver(): Promise<void> {
    this.#receivedBytes = 0n
    this.#dump = { ...this.#dump, transferredBytes: byteLength(0), storedBytes: byteLength(0) }
    await this.saveProgress({
      ...this.#progress,
      durableOffset: byteLength(0),
      receivedBytes: byteLength(0),
      isTransferred: false,
    })
  }

  async saveProgress(progress: Progress): Promise<void> {
    await this.#assertOwner()
    await writeProgress(this.tools.files, this.#place, progress)
    this.#progress = progress
  }

  /** The dump as it will be after `patch`. */
  preview(patch: DumpPatch): Dump {
    return patched(this.dump, patch)
  }

  async save(patch: DumpPatch): Promise<void> {
    this.#dump = patched(this.#dump, patch)
    await this.#assertOwner()
    await this.#write()
  }

  /** The only way from one step to another: table, disk, rename, event. */
  async transition(outcome: Outcome): Promise<void> {
    const from = this.#dump.step
    const to = captureMachine.next(from, outcome.event)
    invariant(
      to !== undefined,
      `capture ${this.#dump.id}: ${from} does not accept ${outcome.event}`,
    )
    this.#dump = { ...this.#dump, step: to }
    await this.save(outcome.patch ?? {})
    if (outcome.publish === true) await this.publish()
    await this.tell(outcome.event, { from, to }, outcome.detail)
  }

  /** Takes `.incomplete` from the directory's name: from then on the dump is what its dump.json says. */
  async publish(): Promise<void> {
    const { files, root } = this.tools
    if (this.#place.kind === 'final') return
    const final = placeOf(root, this.#place, 'final')
    await files.syncDirectory(this.#place.directory)
    await files.rename(this.#place.directory, final.directory)
    await files.syncDirectory(parentOf(root, final))
    this.#place = final
  }

  async tell(
    event: string,
    states: { readonly from?: CaptureState; readonly to?: CaptureState },
    detail?: Outcome['detail'],
  ): Promise<void> {
    const { clock, events, logger } = this.tools
    logger.info({ dump: this.#dump.id, captureEvent: event, ...states, ...detail }, 'capture')
    await events.append({
      time: clock.iso(),
      service: 'dump-collector',
      aggregate: 'dump',
      subject: this.#dump.id,
      event,
      ...states,
      correlationId: this.#dump.correlationId,
      ...(detail === undefined ? {} : { detail }),
    })
  }

  async #write(): Promise<void> {
    await writeDump(this.tools.files, this.#place, this.#dump)
  }

  /** Leases can be lost without notice: the token on disk decides who may write. */
  async #assertOwner(): Promise<void> {
    const onDisk = await readProgress(this.tools.files, this.#place)
    if (onDisk?.owner === this.#progress.owner) return
    throw new ClaimLostError(`dump ${this.#dump.id} is collected by somebody else now`)
  }
}

function patched(dump: Dump, patch: DumpPatch): Dump {
  const { failure, completedAt, ...rest } = { ...dump, ...patch }
  return {
    ...rest,
    ...(failure === undefined ? {} : { failure }),
    ...(completedAt === undefined ? {} : { completedAt }),
  }
}
