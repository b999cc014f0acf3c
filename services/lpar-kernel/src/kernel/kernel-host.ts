/**
 * The kernel host: finds the kernel of a partition for whoever asks. It keeps no state of partitions but where they
 * are (a partition never changes its frame), and one mutex per partition, `fadump_mutex`.
 */
import {
  hypervisorRoutes,
  partitionSpace,
  Problem,
  type LabEvent,
  type Partition,
  type PartitionState,
} from '@fadump-lab/shared/contracts'
import { createClient } from '@fadump-lab/shared/http'
import { bearer } from '@fadump-lab/shared/identity'
import { KeyedMutex } from '@fadump-lab/shared/runtime'
import { StoreError, toEpoch, type SpaceId } from '@fadump-lab/shared/store'
import { StreamWindows } from '../capture-memory/stream-windows.ts'
import { defaultSettings } from '../config.ts'
import type { LparKernelDeps } from '../deps.ts'
import {
  FirmwareClient,
  type BootIdentity,
  type HypervisorClient,
} from '../firmware/firmware-client.ts'
import { lastKernelRecord, loadKernelRecord, type LoadedKernel } from './kernel-record.ts'
import { RunningKernel } from './running-kernel.ts'

/** Partitions whose frame is remembered; the oldest is forgotten first. */
const framesMax = 4096
/** States in which a partition runs a kernel that answers. */
const kernelStates: readonly PartitionState[] = ['running', 'capturing']

export class KernelHost {
  readonly deps: LparKernelDeps
  readonly hypervisor: HypervisorClient
  /** Serialises what changes a partition's fadump state (C138). */
  readonly fadumpMutex = new KeyedMutex()
  /** Crashes of one partition come one after the other; the first one wins. */
  readonly crashMutex = new KeyedMutex()
  /** The end of a capture comes once. */
  readonly captureMutex = new KeyedMutex()
  /** What streams of this process hold of the capture kernels' memory. */
  readonly windows = new StreamWindows()
  /** `logbuf_lock`: one writer of a partition's log at a time. */
  readonly #logMutex = new KeyedMutex()
  readonly #stop = new AbortController()
  readonly #frames = new Map<string, string>()

  constructor(deps: LparKernelDeps) {
    this.deps = deps
    this.hypervisor = createClient(hypervisorRoutes, {
      baseUrl: deps.hypervisorUrl,
      authorize: bearer(deps.identity.secret),
      ...(deps.fetch === undefined ? {} : { fetch: deps.fetch }),
    })
  }

  /** Windows that one vmcore stream reads ahead. */
  get streamWindows(): number {
    return (this.deps.config ?? defaultSettings).streamWindows
  }

  /** Aborts when the host stops: whatever waits for firmware gives up. */
  get stopSignal(): AbortSignal {
    return this.#stop.signal
  }

  stop(): void {
    this.#stop.abort(new Error('the kernel host stops'))
  }

  /** `signal` ends the calls; default: when the host stops. */
  firmware(boot: BootIdentity, signal: AbortSignal = this.stopSignal): FirmwareClient {
    const { hypervisor, deps } = this
    return new FirmwareClient({ hypervisor, clock: deps.clock, signal }, boot)
  }

  /**
   * The kernel of `partition`; with `epoch`, of that boot only. Errors: `not-found`, `wrong-state` when no kernel is
   * up, `stale-boot` when it is the kernel of another boot.
   */
  async running(partition: string, correlationId?: string, epoch?: number): Promise<RunningKernel> {
    const kernel = await this.find(partition, correlationId)
    if (kernel === undefined) throw await this.#notUp(partition)
    const { epoch: now, captureFailureBefore } = kernel.record
    if (epoch === undefined || epoch === now) return kernel
    const detail = `boot ${epoch} of ${partition} is over; boot ${now} is running`
    throw new Problem('stale-boot', withCause(detail, captureFailureBefore))
  }

  /** The kernel of `partition`; `undefined` when none is up. Errors: `not-found`. */
  async find(partition: string, correlationId?: string): Promise<RunningKernel | undefined> {
    const { space, loaded } = await this.#load(partition)
    if (loaded === undefined) return undefined
    const { epoch, isHalted, kexec } = loaded.record
    if (isHalted || kexec !== undefined) return undefined
    const firmware = this.firmware({
      partition,
      epoch: toEpoch(epoch),
      correlationId: correlationId ?? loaded.record.correlationId,
    })
    return this.kernelOf(space, loaded, firmware)
  }

  kernelOf(space: SpaceId, loaded: LoadedKernel, firmware: FirmwareClient): RunningKernel {
    const { store, clock } = this.deps
    return new RunningKernel({ store, clock, space, loaded, firmware, logMutex: this.#logMutex })
  }

  /** A partition may have been deleted and made anew on another frame: then it is looked for once more. */
  async #load(
    partition: string,
  ): Promise<{ readonly space: SpaceId; readonly loaded: LoadedKernel | undefined }> {
    for (;;) {
      const isRemembered = this.#frames.has(partition)
      const space = await this.#spaceOf(partition)
      try {
        return { space, loaded: await loadKernelRecord(this.deps.store, space) }
      } catch (error) {
        if (!(error instanceof StoreError) || error.code !== 'no-such-space') throw error
        this.#frames.delete(partition)
        if (isRemembered) continue
        throw new Problem('not-found', `there is no partition ${partition}`, { cause: error })
      }
    }
  }

  remember(partition: Pick<Partition, 'id' | 'frame'>): void {
    this.#frames.delete(partition.id)
    this.#frames.set(partition.id, partition.frame)
    if (this.#frames.size <= framesMax) return
    const [oldest] = this.#frames.keys()
    if (oldest !== undefined) this.#frames.delete(oldest)
  }

  /** One row of the event stream; that it cannot be written changes nothing about what it tells. */
  async tell(event: Omit<LabEvent, 'time' | 'service'>): Promise<void> {
    const row: LabEvent = { ...event, time: this.deps.clock.iso(), service: 'lpar-kernel' }
    this.deps.logger.info({ event: row }, 'transition')
    try {
      await this.deps.events.append(row)
    } catch (error) {
      this.deps.logger.error({ err: error, event: row }, 'an event could not be appended')
    }
  }

  async #spaceOf(partition: string): Promise<SpaceId> {
    const known = this.#frames.get(partition)
    if (known !== undefined) return partitionSpace(known, partition)
    const found = await this.hypervisor.getPartition({ params: { partition } })
    this.remember(found)
    return partitionSpace(found.frame, partition)
  }

  async #notUp(partition: string): Promise<Problem> {
    const { state, frame, lastFailure } = await this.hypervisor.getPartition({
      params: { partition },
    })
    const last = await lastKernelRecord(this.deps.store, partitionSpace(frame, partition))
    const cause = state === 'error' ? lastFailure : last?.capture?.failure
    const detail = kernelStates.includes(state)
      ? `partition ${partition} is ${state}, but its kernel has halted or the next one is on its way; restart it`
      : `partition ${partition} is ${state}: no kernel answers there; it must be ${kernelStates.join(' or ')}`
    const extensions = { state, allowedStates: kernelStates }
    return new Problem('wrong-state', withCause(detail, cause), { extensions })
  }
}

/** Who asks for a kernel that is gone wants to know why: a capture kernel without memory has left a sentence. */
function withCause(detail: string, cause: string | undefined): string {
  return cause === undefined ? detail : `${detail}. The last one there: ${cause}`
}
