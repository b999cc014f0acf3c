/**
 * Memory images: spaces that partitions start from. An image is there, or it is not: while one is imported its id is
 * taken, nobody sees it, and whatever goes wrong leaves nothing behind.
 */
import {
  imageSpace,
  Problem,
  records,
  type Image,
  type ImageNotes,
} from '@fadump-lab/shared/contracts'
import { pageSize, type Epoch, type SpaceId } from '@fadump-lab/shared/store'
import { alignUp, byteLength, describeLength, type ByteLength } from '@fadump-lab/shared/units'
import type { HypervisorContext } from '../deps.ts'
import { appendTransitions } from '../events.ts'
import {
  decodeImageRecord,
  encodeImageRecord,
  imageNotesOf,
  type ReadyImage,
} from './image-record.ts'
import { importCore, type ImportRequest } from './import-core.ts'

export interface ImageNeighbours {
  /** Memory of a frame. Errors: `not-found`. */
  frameMemory(frame: string): ByteLength
  /** Ids of the partitions that start from an image. */
  users(image: string): readonly string[]
}

export class Images {
  readonly #deps: HypervisorContext
  readonly #neighbours: ImageNeighbours
  /** Frame and stage of every image id that is taken. */
  readonly #taken = new Map<string, { readonly frame: string; isReady: boolean }>()

  constructor(deps: HypervisorContext, neighbours: ImageNeighbours) {
    this.#deps = deps
    this.#neighbours = neighbours
  }

  /** Takes up an image that the store holds; an unfinished one is removed. Other spaces are left alone. */
  async load(space: SpaceId): Promise<void> {
    const { value } = await this.#deps.store.readRecord(space, records.image)
    if (value === undefined) return
    const record = decodeImageRecord(value)
    if (record.status === 'ready') {
      this.#taken.set(record.image.id, { frame: space.frame, isReady: true })
    } else {
      await this.#deps.store.deleteSpace(space)
    }
  }

  /** The store has lost the images of a frame. */
  forget(frame: string): void {
    for (const id of this.idsOf(frame)) this.#taken.delete(id)
  }

  /** Every taken id of a frame, unfinished ones included. */
  idsOf(frame: string): readonly string[] {
    return [...this.#taken].flatMap(([id, taken]) => (taken.frame === frame ? [id] : []))
  }

  async list(): Promise<Image[]> {
    const ids = [...this.#taken].flatMap(([id, taken]) => (taken.isReady ? [id] : []))
    return Promise.all(ids.toSorted().map((id) => this.get(id)))
  }

  /** Errors: `not-found`. */
  async get(id: string): Promise<Image> {
    return (await this.#read(id)).image
  }

  /** Errors: `not-found`. */
  async notes(id: string): Promise<ImageNotes> {
    return imageNotesOf(await this.#read(id))
  }

  /** Takes the id; `create` must follow. Errors: `not-found`, `already-exists`. */
  reserve(id: string, frame: string): void {
    this.#neighbours.frameMemory(frame)
    if (this.#taken.has(id)) throw new Problem('already-exists', `there is an image ${id} already`)
    this.#taken.set(id, { frame, isReady: false })
  }

  /** Fills an id that has been reserved, or gives it back. Errors: `invalid-image`, `insufficient-capacity`. */
  async create(request: ImportRequest, correlationId: string): Promise<Image> {
    const { id, frame } = request
    const space = imageSpace(frame, id)
    try {
      const ready = await importCore(this.#deps.store, request, (_space, memoryBytes) =>
        this.#makeSpace(space, id, memoryBytes),
      )
      await this.#deps.store.commit(space, {
        records: { [records.image]: encodeImageRecord(ready) },
      })
      this.#taken.set(id, { frame, isReady: true })
      await this.#tell(id, 'create', correlationId)
      return ready.image
    } catch (error) {
      await this.#removeRest(space, id)
      throw error
    }
  }

  /** Errors: `not-found`, `in-use`. */
  async delete(id: string, correlationId: string): Promise<void> {
    const { frame } = this.#requireReady(id)
    const users = this.#neighbours.users(id)
    if (users.length > 0) {
      throw new Problem('in-use', `partition ${users[0]} starts from image ${id}; delete it first`)
    }
    await this.#deps.store.deleteSpace(imageSpace(frame, id))
    this.#taken.delete(id)
    await this.#tell(id, 'delete', correlationId)
  }

  async #makeSpace(space: SpaceId, id: string, memoryBytes: ByteLength): Promise<Epoch> {
    const limit = this.#neighbours.frameMemory(space.frame)
    if (memoryBytes > limit) {
      throw new Problem(
        'insufficient-capacity',
        `image ${id} describes ${describeLength(memoryBytes)} of memory, frame ${space.frame} has ${describeLength(limit)}`,
        { extensions: { asked: Number(memoryBytes), free: Number(limit) } },
      )
    }
    const size = byteLength(alignUp(memoryBytes, BigInt(pageSize)))
    const { epoch } = await this.#deps.store.createSpace(space, size, {
      [records.image]: encodeImageRecord({ status: 'importing' }),
    })
    return epoch
  }

  /** What cannot be removed now is removed at the next start: it is still marked as unfinished. */
  async #removeRest(space: SpaceId, id: string): Promise<void> {
    try {
      await this.#deps.store.deleteSpace(space)
      this.#taken.delete(id)
    } catch (error) {
      this.#deps.logger.error({ err: error, image: id }, 'an unfinished image could not be removed')
    }
  }

  #requireReady(id: string): { readonly frame: string } {
    const taken = this.#taken.get(id)
    if (taken?.isReady !== true) throw new Problem('not-found', `there is no image ${id}`)
    return taken
  }

  async #read(id: string): Promise<ReadyImage> {
    const { frame } = this.#requireReady(id)
    const { value } = await this.#deps.store.readRecord(imageSpace(frame, id), records.image)
    const record = value === undefined ? undefined : decodeImageRecord(value)
    if (record?.status !== 'ready') throw new Problem('not-found', `there is no image ${id}`)
    return record
  }

  async #tell(id: string, event: string, correlationId: string): Promise<void> {
    await appendTransitions(this.#deps, [{ aggregate: 'image', event }], {
      subject: id,
      correlationId,
    })
  }
}
