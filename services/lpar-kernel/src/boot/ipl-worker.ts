/**
 * Takes `ipl` jobs: boots the kernel that the partition's device tree asks for, reports it, and does what user space
 * does then. Every step can be run again: a job whose host has died is another host's job.
 */
import {
  captureJobId,
  captureQueue,
  iplQueue,
  partitionSpace,
  Problem,
  type IplJob,
  type Partition,
} from '@fadump-lab/shared/contracts'
import type { CaptureJob } from '@fadump-lab/shared/contracts'
import type { DumpMemoryStructure } from '@fadump-lab/shared/fadump'
import type { ClaimedJob, JobQueue } from '@fadump-lab/shared/queue'
import { StoreError, toEpoch } from '@fadump-lab/shared/store'
import type { Background } from '../background.ts'
import { defaultSettings } from '../config.ts'
import { runDumpService } from '../fadump/dump-service.ts'
import { registerFadump } from '../fadump/register.ts'
import { releaseDump } from '../fadump/release.ts'
import type { KernelHost } from '../kernel/kernel-host.ts'
import { loadKernelRecord, profileOf } from '../kernel/kernel-record.ts'
import type { RunningKernel } from '../kernel/running-kernel.ts'
import { PartitionMemory } from '../memory/partition-memory.ts'
import { BootFailure, bootProfile, type BootContext } from './boot-context.ts'
import { bootCaptureKernel } from './capture-boot.ts'
import { bootFirstKernel } from './first-boot.ts'
import { bootFromImage } from './image-boot.ts'
import { readSystemFacts } from './system-facts.ts'

export class IplWorker implements AsyncDisposable {
  readonly #host: KernelHost
  readonly #background: Background
  readonly #capture: JobQueue<CaptureJob>
  readonly #baseUrl: string
  #worker: AsyncDisposable | undefined

  constructor(given: {
    readonly host: KernelHost
    readonly background: Background
    readonly baseUrl: string
  }) {
    const { host } = given
    this.#host = host
    this.#background = given.background
    this.#baseUrl = given.baseUrl
    this.#capture = host.deps.queues.open(captureQueue)
  }

  async start(): Promise<void> {
    const { queues, config = defaultSettings, logger } = this.#host.deps
    const handler = (job: ClaimedJob<IplJob>) => this.run(job.payload, job.signal)
    this.#worker = await queues.open(iplQueue).work(handler, {
      concurrency: config.bootConcurrency,
      onFailed: ({ id, payload }, cause) => {
        logger.error({ err: cause, job: id }, 'a boot was given up')
        this.#background.run(`giving up ${id}`, () => this.#givenUp(payload, cause))
      },
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.[Symbol.asyncDispose]()
  }

  /** One job, until `signal` aborts. A job of an earlier boot is dropped. */
  async run(job: IplJob, signal: AbortSignal): Promise<void> {
    try {
      await this.#boot(job, AbortSignal.any([signal, this.#host.stopSignal]))
    } catch (error) {
      if (!isStale(error)) throw error
      this.#host.deps.logger.info(
        { partition: job.partition, epoch: job.epoch },
        'stale boot dropped',
      )
    }
  }

  async #boot(job: IplJob, signal: AbortSignal): Promise<void> {
    const { deps } = this.#host
    const epoch = toEpoch(job.epoch)
    const { partition: id, correlationId } = job
    const firmware = this.#host.firmware({ partition: id, epoch, correlationId }, signal)
    const partition = await firmware.partition()
    if (partition.epoch !== epoch) throw new Problem('stale-boot', `boot ${epoch} of ${id} is over`)
    this.#host.remember(partition)
    const space = partitionSpace(partition.frame, id)
    const up = await loadKernelRecord(deps.store, space)
    if (!isBooting(partition)) {
      if (up === undefined || !isUp(partition)) return
      const kernel = this.#host.kernelOf(space, up, firmware)
      await this.#host.fadumpMutex.run(partition.id, () => runDumpService(kernel))
      await this.#announceDump(kernel, partition)
      return
    }
    const image =
      partition.image === undefined ? undefined : await firmware.imageNotes(partition.image)
    const profile = bootProfile(partition, image)
    try {
      const facts = readSystemFacts(await firmware.deviceTree(), profile, partition.rmaBytes)
      const memory = new PartitionMemory(deps.store, space, epoch)
      const { store, clock } = deps
      await this.#bootKernel({
        store,
        clock,
        signal,
        space,
        epoch,
        memory,
        firmware,
        partition,
        profile,
        facts,
        image,
      })
    } catch (error) {
      if (!(error instanceof BootFailure)) throw error
      await this.#failed(partition, error, firmware)
    }
  }

  async #bootKernel(context: BootContext): Promise<void> {
    const { facts, image, firmware, partition } = context
    const dump = facts.firmwareDump.dump
    if (dump === undefined) {
      const loaded =
        image === undefined ? await bootFirstKernel(context) : await bootFromImage(context, image)
      const kernel = this.#host.kernelOf(context.space, loaded, firmware)
      if (profileOf(kernel.record).registersAtBoot && kernel.record.fadump.isEnabled) {
        await registerFadump(kernel)
      }
      await this.#booted(kernel, partition)
      return
    }
    await this.#bootCapture(context, dump)
  }

  async #bootCapture(context: BootContext, dump: DumpMemoryStructure): Promise<void> {
    const { firmware, partition } = context
    const boot = await bootCaptureKernel(context, dump)
    const kernel = this.#host.kernelOf(context.space, boot.loaded, firmware)
    if (boot.outcome === 'not reserved') await this.#dumpLost(kernel, boot.reason ?? 'unknown')
    if (boot.outcome === 'rejected') {
      await this.#host.tell({
        aggregate: 'kernel',
        subject: partition.id,
        event: 'dumpRejected',
        correlationId: firmware.boot.correlationId,
        detail: { reason: boot.reason ?? 'unknown' },
      })
      await releaseDump(kernel)
      await kernel.updateFadump({ isDumpActive: false, hasReleaseFile: false, dump: undefined })
    }
    await this.#booted(kernel, partition, boot.reason)
    if (boot.outcome === 'no vmcore') await this.#giveUpDump(kernel, boot.reason ?? 'unknown')
  }

  /** Up means that user space has run: whoever waits for it may count on the registration it made. */
  async #booted(kernel: RunningKernel, partition: Partition, detail?: string): Promise<void> {
    await this.#host.fadumpMutex.run(partition.id, () => runDumpService(kernel))
    const partitionUrl = `${this.#baseUrl}/partitions/${partition.id}`
    const booted = await kernel.firmware.reportBootProgress({
      event: 'booted',
      partitionUrl,
      ...(detail === undefined ? {} : { detail }),
    })
    this.#host.deps.metrics.count('fadump_boots_total', {
      kind: kernel.record.boot,
      outcome: 'booted',
    })
    await this.#announceDump(kernel, booted)
  }

  /** Tells the collectors that a dump waits, if one does. */
  async #announceDump(kernel: RunningKernel, partition: Partition): Promise<void> {
    const { vmcore } = kernel.record
    if (vmcore === undefined) return
    const { frame, id, epoch } = partition
    const partitionUrl = partition.partitionUrl ?? `${this.#baseUrl}/partitions/${id}`
    const { correlationId } = kernel.firmware.boot
    await this.#capture.add(captureJobId({ dump: vmcore.dump, epoch }), {
      frame,
      partition: id,
      epoch,
      dump: vmcore.dump,
      partitionUrl,
      correlationId,
    })
  }

  /** The kernel says nothing about it: only the event stream tells why no vmcore comes. */
  #dumpLost(kernel: RunningKernel, reason: string): Promise<void> {
    return this.#host.tell({
      aggregate: 'kernel',
      subject: kernel.record.partition,
      event: 'dumpLost',
      correlationId: kernel.firmware.boot.correlationId,
      detail: { reason },
    })
  }

  /** There is nothing to save: what kdump's service does then is to free the memory and register again. */
  async #giveUpDump(kernel: RunningKernel, reason: string): Promise<void> {
    await this.#host.tell({
      aggregate: 'kernel',
      subject: kernel.record.partition,
      event: 'dumpUnreadable',
      correlationId: kernel.firmware.boot.correlationId,
      detail: { reason },
    })
    await this.#host.fadumpMutex.run(kernel.record.partition, async () => {
      await releaseDump(kernel)
      await runDumpService(kernel)
    })
  }

  /** The last word about a boot whose every attempt has failed, so that nobody waits for it. */
  async #givenUp(payload: unknown, cause: Error): Promise<void> {
    const { partition, epoch, correlationId } = iplQueue.payload.parse(payload)
    const firmware = this.#host.firmware({ partition, epoch: toEpoch(epoch), correlationId })
    const why = `the kernel hosts gave the boot up after ${iplQueue.attemptsMax} attempts: ${cause.message}`
    await firmware.reportBootProgress({
      event: 'bootFailed',
      detail: why.slice(0, detailCharactersMax),
    })
  }

  async #failed(
    partition: Partition,
    failure: BootFailure,
    firmware: BootContext['firmware'],
  ): Promise<void> {
    const kind = partition.state === 'capture-starting' ? 'capture' : 'first'
    const detail = failure.message.slice(0, detailCharactersMax)
    await firmware.reportBootProgress({ event: 'bootFailed', detail })
    this.#host.deps.metrics.count('fadump_boots_total', { kind, outcome: 'failed' })
    this.#host.deps.logger.warn({ partition: partition.id, failure: detail }, 'a boot failed')
  }
}

/** Bound of `detail` in a boot report. */
const detailCharactersMax = 1024

function isBooting(partition: Partition): boolean {
  return partition.state === 'starting' || partition.state === 'capture-starting'
}

function isUp(partition: Partition): boolean {
  return partition.state === 'running' || partition.state === 'capturing'
}

function isStale(error: unknown): boolean {
  if (error instanceof Problem) return error.slug === 'stale-boot' || error.slug === 'not-found'
  return (
    error instanceof StoreError && (error.code === 'stale-epoch' || error.code === 'no-such-space')
  )
}
