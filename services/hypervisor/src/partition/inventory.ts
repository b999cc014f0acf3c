/**
 * Which partitions there are: taken up at start, created, deleted. What is free on a frame is looked at and taken in
 * one turn, so that two requests cannot both get the last of it.
 */
import {
  partitionSpace,
  Problem,
  records,
  type Frame,
  type Image,
  type NewFrame,
  type NewPartition,
  type Partition,
} from '@fadump-lab/shared/contracts'
import { KeyedMutex } from '@fadump-lab/shared/runtime'
import { StoreError, type Epoch } from '@fadump-lab/shared/store'
import type { HypervisorContext } from '../deps.ts'
import { appendTransitions } from '../events.ts'
import type { Frames } from '../frame/frames.ts'
import type { Images } from '../images/images.ts'
import type { ImportRequest } from '../images/import-core.ts'
import { encodeFirmwareRecord, partitionOf, type FirmwareRecord } from './firmware-record.ts'
import { wrongState } from './lifecycle.ts'
import { checkImageFits, checkNewPartition, newFirmwareRecord } from './new-partition.ts'
import { noSuchPartition, readHeld, type Partitions } from './partitions.ts'

interface Rooms {
  readonly frames: Frames
  readonly partitions: Partitions
  readonly images: Images
}

/** One turn at a time for everything that takes from a frame or gives back to it. */
const turn = 'inventory'

/** Tells dumps of a partition from those of an earlier one of the same name. */
const incarnationBytes = 3

/** Partitions that are read from the store at the same time. */
const readsMax = 32

export class Inventory {
  readonly #deps: HypervisorContext
  readonly #rooms: Rooms
  readonly #mutex = new KeyedMutex()

  constructor(deps: HypervisorContext, rooms: Rooms) {
    this.#deps = deps
    this.#rooms = rooms
  }

  /** Takes up what the store holds; images that an earlier process left unfinished are removed. */
  async load(correlationId: string): Promise<void> {
    const { store, config } = this.#deps
    for (const frame of await store.listFrames()) {
      await this.#rooms.frames.load(frame)
      for (const space of await store.listSpaces(frame)) {
        if (space.startsWith(partitionSpace(frame, '').space)) {
          this.#rooms.partitions.add((await readHeld(this.#deps, { frame, space })).record)
        } else {
          await this.#rooms.images.load({ frame, space })
        }
      }
    }
    if (this.#rooms.frames.ids.length === 0) {
      await this.#rooms.frames.create(config.defaultFrame, correlationId)
    }
  }

  createFrame(frame: NewFrame, correlationId: string): Promise<Frame> {
    return this.#mutex.run(turn, () => this.#rooms.frames.create(frame, correlationId))
  }

  deleteFrame(frame: string, correlationId: string): Promise<void> {
    return this.#mutex.run(turn, () => this.#rooms.frames.delete(frame, correlationId))
  }

  /** Errors: `not-found`, `already-exists`, `invalid-image`, `insufficient-capacity`. */
  async createImage(request: ImportRequest, correlationId: string): Promise<Image> {
    const { images } = this.#rooms
    await this.#mutex.run(turn, async () => images.reserve(request.id, request.frame))
    return images.create(request, correlationId)
  }

  /** Errors: `not-found`, `in-use`. */
  deleteImage(image: string, correlationId: string): Promise<void> {
    return this.#mutex.run(turn, () => this.#rooms.images.delete(image, correlationId))
  }

  /** Errors: `not-found`, `already-exists`, `invalid-configuration`, `insufficient-capacity`. */
  createPartition(partition: NewPartition, correlationId: string): Promise<Partition> {
    return this.#mutex.run(turn, async () => {
      const { frames, partitions, images } = this.#rooms
      frames.get(partition.frame)
      if (partitions.find(partition.id) !== undefined) {
        throw new Problem('already-exists', `there is a partition ${partition.id} already`)
      }
      checkNewPartition(partition)
      if (partition.image !== undefined)
        checkImageFits(partition, await images.get(partition.image))
      frames.requireCapacity(partition.frame, {
        memoryBytes: partition.maximumMemoryBytes ?? partition.memoryBytes,
        processors: partition.processors,
      })
      const incarnation = this.#deps.random.hex(incarnationBytes)
      const record = newFirmwareRecord(partition, { incarnation, correlationId })
      const epoch = await this.#makeSpace(record)
      partitions.add(record)
      await this.#tell(partition.id, 'create', correlationId)
      return partitionOf(record, epoch)
    })
  }

  /** Errors: `not-found`, `wrong-state` unless the partition is off. */
  deletePartition(id: string, correlationId: string): Promise<void> {
    return this.#mutex.run(turn, () =>
      this.#rooms.partitions.exclusively(id, async () => {
        if (this.#rooms.partitions.find(id) === undefined) throw noSuchPartition(id)
        const held = await this.#rooms.partitions.readOrGone(id)
        if (held !== undefined && held.record.state !== 'not-activated') {
          throw wrongState(held.record, 'deleting', ['not-activated'])
        }
        if (held !== undefined) await this.#deps.store.deleteSpace(held.space)
        this.#rooms.partitions.remove(id)
        await this.#tell(id, 'delete', correlationId)
      }),
    )
  }

  /** In the order of their ids. */
  async listPartitions(): Promise<Partition[]> {
    const ids = this.#rooms.partitions.entries.map((entry) => entry.id).toSorted()
    const found: Partition[] = []
    for (let start = 0; start < ids.length; start += readsMax) {
      const some = ids.slice(start, start + readsMax)
      const held = await Promise.all(some.map((id) => this.#rooms.partitions.readOrGone(id)))
      found.push(
        ...held.flatMap((one) => (one === undefined ? [] : [partitionOf(one.record, one.epoch)])),
      )
    }
    return found
  }

  /** The space of a partition that is known here, and that the store has lost. */
  async makeSpaceAgain(record: FirmwareRecord): Promise<void> {
    try {
      await this.#createSpace(record)
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'space-exists')) throw error
    }
  }

  /** A space that is there already was made by a request whose outcome its caller never learned. */
  async #makeSpace(record: FirmwareRecord): Promise<Epoch> {
    const space = partitionSpace(record.frame, record.id)
    try {
      return await this.#createSpace(record)
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'space-exists')) throw error
      this.#rooms.partitions.add((await readHeld(this.#deps, space)).record)
      throw new Problem('already-exists', `there is a partition ${record.id} already`, {
        cause: error,
      })
    }
  }

  async #createSpace(record: FirmwareRecord): Promise<Epoch> {
    const { epoch } = await this.#deps.store.createSpace(
      partitionSpace(record.frame, record.id),
      record.maximumMemoryBytes ?? record.memoryBytes,
      { [records.firmware]: encodeFirmwareRecord(record) },
    )
    return epoch
  }

  async #tell(id: string, event: string, correlationId: string): Promise<void> {
    await appendTransitions(this.#deps, [{ aggregate: 'partition', event }], {
      subject: id,
      correlationId,
    })
  }
}
