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
import { signedCaptureJob } from '@fadump-lab/shared/identity'
import type { ClaimedJob, JobQueue } from '@fadump-lab/shared/queue'
import { toEpoch, type SpaceId } from '@fadump-lab/shared/store'
import { MiB } from '@fadump-lab/shared/units'
import type { Background } from '../background.ts'
import { endCapture } from '../capture-memory/end-capture.ts'
import { tellWarnings } from '../capture-memory/tell-warnings.ts'
import { windowBytes } from '../capture-memory/transfer.ts'
import { defaultSettings } from '../config.ts'
import { runDumpService } from '../fadump/dump-service.ts'
import { registerFadump } from '../fadump/register.ts'
import { releaseDump } from '../fadump/release.ts'
import type { FirmwareClient } from '../firmware/firmware-client.ts'
import { registerNmiHandlers } from '../firmware/nmi.ts'
import { openAdapters, setUpIommu } from '../iommu/index.ts'
import type { KernelHost } from '../kernel/kernel-host.ts'
import { lastKernelRecord, loadKernelRecord, profileOf } from '../kernel/kernel-record.ts'
import type { RunningKernel } from '../kernel/running-kernel.ts'
import { isStaleBoot } from '../kernel/stale-boot.ts'
import { PartitionMemory } from '../memory/partition-memory.ts'
import { bootBefore, BootFailure, bootProfile, type BootContext } from './boot-context.ts'
import { bootCaptureKernel } from './capture-boot.ts'
import { bootFirstKernel } from './first-boot.ts'
import { bootFromImage } from './image-boot.ts'
import { requireRealMemory } from './memory-life.ts'
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
      if (!isStaleBoot(error)) throw error
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
    if (isBooting(partition)) return this.#start({ partition, firmware, space, signal, kexecs: 0 })
    if (up === undefined || !isUp(partition)) return
    const { kexec, kexecs } = up.record
    if (kexec !== undefined) {
      return this.#start({ partition, firmware, space, signal, kexecs: kexecs + 1, ...kexec })
    }
    const kernel = this.#host.kernelOf(space, up, firmware)
    await this.#host.fadumpMutex.run(partition.id, () => runDumpService(kernel))
    await this.#announceDump(kernel, partition)
  }

  /** Starts a kernel: firmware's boot, or with `bootArguments` the next kernel of a kexec. */
  async #start(given: {
    readonly partition: Partition
    readonly firmware: FirmwareClient
    readonly space: SpaceId
    readonly signal: AbortSignal
    readonly kexecs: number
    readonly bootArguments?: string
  }): Promise<void> {
    const { partition, firmware, space, kexecs, bootArguments } = given
    const { store, clock } = this.#host.deps
    const image =
      partition.image === undefined ? undefined : await firmware.imageNotes(partition.image)
    const profile = bootProfile(partition, image)
    const { epoch } = firmware.boot
    try {
      const facts = readSystemFacts(await firmware.deviceTree(), profile, partition.rmaBytes)
      await this.#bootKernel({
        store,
        clock,
        signal: given.signal,
        space,
        epoch,
        memory: new PartitionMemory(store, space, epoch),
        firmware,
        partition,
        profile,
        facts: bootArguments === undefined ? facts : { ...facts, bootArguments },
        image,
        before: bootBefore(await lastKernelRecord(store, space), epoch),
        kexecs,
      })
    } catch (error) {
      if (!(error instanceof BootFailure)) throw error
      // Firmware has started no boot that could fail: the partition runs, and nobody answers.
      if (kexecs === 0) await this.#failed(partition, error, firmware)
      else this.#host.deps.logger.warn({ partition: partition.id, err: error }, 'a kexec failed')
    }
  }

  async #bootKernel(found: BootContext): Promise<void> {
    const { facts, image, firmware } = found
    const isFwnmiActive = await registerNmiHandlers(firmware, facts.rtas)
    const context: BootContext = { ...found, isFwnmiActive }
    const dump = facts.firmwareDump.dump
    await setUpIommu(context)
    if (dump === undefined) {
      const loaded =
        image === undefined ? await bootFirstKernel(context) : await bootFromImage(context, image)
      const kernel = this.#host.kernelOf(context.space, loaded, firmware)
      if (profileOf(kernel.record).registersAtBoot && kernel.record.fadump.isEnabled) {
        await this.#host.fadumpMutex.run(kernel.record.partition, () => registerFadump(kernel))
      }
      await openAdapters(context, kernel.record)
      await this.#booted(context, kernel)
      return
    }
    await this.#bootCapture(context, dump)
  }

  async #bootCapture(context: BootContext, dump: DumpMemoryStructure): Promise<void> {
    const { firmware, partition } = context
    const windowMiB = (this.#host.streamWindows * windowBytes) / Number(MiB)
    const boot = await bootCaptureKernel(context, dump, windowMiB)
    const kernel = this.#host.kernelOf(context.space, boot.loaded, firmware)
    if (boot.outcome === 'out of memory') {
      if ((await endCapture(this.#host, kernel, partition)) === 'ended') return
    }
    if (boot.outcome === 'accepted') {
      await requireRealMemory(this.#host, kernel)
      await tellWarnings(this.#host, kernel)
    }
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
    await this.#booted(context, kernel, boot.reason)
    await openAdapters(context, kernel.record)
    if (boot.outcome === 'no vmcore') await this.#giveUpDump(kernel, boot.reason ?? 'unknown')
  }

  /**
   * Up means that user space has run: whoever waits for it may count on the registration it made. Firmware knows
   * nothing of a kexec.
   */
  async #booted(
    { partition, kexecs }: BootContext,
    kernel: RunningKernel,
    detail?: string,
  ): Promise<void> {
    await this.#host.fadumpMutex.run(partition.id, () => runDumpService(kernel))
    if (kexecs > 0) return this.#announceDump(kernel, partition)
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
    const { dump } = vmcore
    const job = { frame, partition: id, epoch, dump, partitionUrl, correlationId }
    await this.#capture.add(
      captureJobId({ dump, epoch }),
      signedCaptureJob(this.#host.deps.dumpKey, job),
    )
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
