/**
 * The partitions of this hypervisor: which there are, and the one way to change one.
 *
 * What a partition *is* lies in the store; here is only what never changes about it, for finding it and for counting
 * what a frame has left. `update` is one atomic step: requests to one partition queue up behind a mutex, and the
 * store's version guards against everybody else (the kernel commits its own record to the same space).
 */
import {
  isProblem,
  type Partition,
  partitionSpace,
  Problem,
  records,
} from '@fadump-lab/shared/contracts'
import { KeyedMutex } from '@fadump-lab/shared/runtime'
import {
  StoreError,
  type Epoch,
  type MemoryChange,
  type SpaceId,
  type Version,
} from '@fadump-lab/shared/store'
import type { ByteLength } from '@fadump-lab/shared/units'
import type { HypervisorContext } from '../deps.ts'
import { appendTransitions } from '../events.ts'
import {
  decodeFirmwareRecord,
  encodeFirmwareRecord,
  partitionOf,
  type FirmwareRecord,
} from './firmware-record.ts'
import type { Transition } from './lifecycle.ts'

/** Times that one change is worked out anew because somebody else committed to the space meanwhile. */
const commitAttemptsMax = 16

/** What never changes about a partition. */
export interface PartitionEntry {
  readonly id: string
  readonly frame: string
  readonly memoryBytes: ByteLength
  readonly processors: number
  readonly image: string | undefined
}

/** A partition as it was at one version of its space. */
export interface Held {
  readonly space: SpaceId
  readonly record: FirmwareRecord
  readonly epoch: Epoch
  readonly version: Version
}

/** What one step does to a partition, all of it or nothing. */
export interface Step<Result> {
  readonly result: Result
  /** Absent: nothing is committed. */
  readonly record?: FirmwareRecord
  readonly memory?: Pick<MemoryChange, 'cloneFrom' | 'clears' | 'copies' | 'writes' | 'nextEpoch'>
  /** The record `vcpus`; `null` removes it. */
  readonly vcpus?: string | null
  /** The record `tces`; `null` removes it. */
  readonly tces?: string | null
  readonly transitions?: readonly Transition[]
}

export interface Updated<Result> {
  readonly result: Result
  readonly partition: Partition
}

/** Whoever has to act on a partition that was changed, or may have been. */
export type Owed = (id: string) => void

/** Whoever has to see whether the memory of a frame is there, because a partition's is not. */
export type Lost = (frame: string) => Promise<void>

export class Partitions {
  readonly #deps: HypervisorContext
  readonly #owed: Owed
  readonly #lost: Lost
  readonly #entries = new Map<string, PartitionEntry>()
  readonly #states = new Map<string, string>()
  /** What was last seen of each: what is left of it when the store loses its memory. */
  readonly #last = new Map<string, FirmwareRecord>()
  readonly #mutex = new KeyedMutex()

  constructor(deps: HypervisorContext, owed: Owed, lost: Lost) {
    this.#deps = deps
    this.#owed = owed
    this.#lost = lost
  }

  get entries(): readonly PartitionEntry[] {
    return [...this.#entries.values()]
  }

  find(id: string): PartitionEntry | undefined {
    return this.#entries.get(id)
  }

  add(record: FirmwareRecord): void {
    const { id, frame, processors, image } = record
    const memoryBytes = record.maximumMemoryBytes ?? record.memoryBytes
    this.#entries.set(id, { id, frame, memoryBytes, processors, image })
    this.#last.set(id, record)
    this.#countState(id, record.state)
  }

  /** Forgets a partition whose space is gone. */
  remove(id: string): void {
    this.#entries.delete(id)
    this.#last.delete(id)
    this.#countState(id, undefined)
  }

  /** Errors: `not-found`. */
  async read(id: string): Promise<Held> {
    const entry = this.#entries.get(id)
    if (entry === undefined) throw noSuchPartition(id)
    const space = partitionSpace(entry.frame, id)
    try {
      return await readHeld(this.#deps, space)
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'no-such-space')) throw error
      await this.#lost(entry.frame)
      return readHeld(this.#deps, space)
    }
  }

  /** The partitions of a frame as they were when they were last changed here. */
  lastKnown(frame: string): readonly FirmwareRecord[] {
    return [...this.#last.values()].filter((record) => record.frame === frame)
  }

  /** As `read`; `undefined` when there is no such partition, or none any more. */
  async readOrGone(id: string): Promise<Held | undefined> {
    try {
      return await this.read(id)
    } catch (error) {
      const isGone = error instanceof StoreError && error.code === 'no-such-space'
      if (isGone || isProblem(error, 'not-found')) return undefined
      throw error
    }
  }

  async get(id: string): Promise<Partition> {
    const held = await this.read(id)
    return partitionOf(held.record, held.epoch)
  }

  /** Runs `task` while nothing else happens to the partition in this process. */
  exclusively<T>(id: string, task: () => Promise<T>): Promise<T> {
    return this.#mutex.run(id, task)
  }

  /**
   * Works out a step from what the partition is and commits it; worked out anew when somebody else was faster.
   * Whatever `decide` throws leaves everything as it is. Errors: `not-found`, `conflict`.
   */
  update<Result>(
    id: string,
    correlationId: string | undefined,
    decide: (held: Held) => Step<Result> | Promise<Step<Result>>,
  ): Promise<Updated<Result>> {
    return this.exclusively(id, async () => {
      for (let attempt = 1; ; attempt++) {
        try {
          return await this.#once(id, correlationId, decide)
        } catch (error) {
          if (!isConflict(error) || attempt === commitAttemptsMax) throw error
        }
      }
    })
  }

  async #once<Result>(
    id: string,
    correlationId: string | undefined,
    decide: (held: Held) => Step<Result> | Promise<Step<Result>>,
  ): Promise<Updated<Result>> {
    const held = await this.read(id)
    const step = await decide(held)
    const { record, result, transitions = [] } = step
    if (record === undefined) return { result, partition: partitionOf(held.record, held.epoch) }
    const epoch = await this.#commit(held, { ...step, record })
    this.#last.set(id, record)
    this.#countState(id, record.state)
    await appendTransitions(this.#deps, transitions, {
      subject: id,
      correlationId: correlationId ?? record.correlationId,
    })
    if (step.memory?.nextEpoch === true) this.#owed(id)
    return { result, partition: partitionOf(record, epoch) }
  }

  /** A commit of unknown outcome may have left work to do. */
  async #commit(
    held: Held,
    step: Step<unknown> & { readonly record: FirmwareRecord },
  ): Promise<Epoch> {
    try {
      const { epoch } = await this.#deps.store.commit(held.space, {
        ...step.memory,
        expect: { version: held.version, epoch: held.epoch },
        records: {
          [records.firmware]: encodeFirmwareRecord(step.record),
          ...(step.vcpus === undefined ? {} : { [records.vcpus]: step.vcpus }),
          ...(step.tces === undefined ? {} : { [records.tces]: step.tces }),
        },
      })
      return epoch
    } catch (error) {
      if (error instanceof StoreError && error.code === 'unavailable') this.#owed(held.record.id)
      throw error
    }
  }

  #countState(id: string, state: string | undefined): void {
    const before = this.#states.get(id)
    if (before === state) return
    if (state === undefined) this.#states.delete(id)
    else this.#states.set(id, state)
    for (const name of new Set([before, state])) {
      if (name === undefined) continue
      const count = [...this.#states.values()].filter((other) => other === name).length
      this.#deps.metrics.set('fadump_partitions', count, { state: name })
    }
  }
}

/** The partition whose space is `space`. Errors: `not-found` when the space holds none. */
export async function readHeld(
  deps: Pick<HypervisorContext, 'store'>,
  space: SpaceId,
): Promise<Held> {
  const { value, version, epoch } = await deps.store.readRecord(space, records.firmware)
  if (value === undefined) throw noSuchPartition(space.space)
  return { space, record: decodeFirmwareRecord(value), epoch, version }
}

export function noSuchPartition(id: string): Problem {
  return new Problem('not-found', `there is no partition ${id}`)
}

function isConflict(error: unknown): boolean {
  return (
    error instanceof StoreError &&
    (error.code === 'version-conflict' || error.code === 'stale-epoch')
  )
}
