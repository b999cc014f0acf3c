/**
 * Frames: managed systems with finite memory and processors. A frame exists when its own space does; what is free on
 * it follows from the partitions, so there is no second account that could disagree.
 */
import {
  frameSpace,
  Problem,
  records,
  type Frame,
  type NewFrame,
} from '@fadump-lab/shared/contracts'
import { byteCount } from '@fadump-lab/shared/contracts'
import { pageSize, StoreError } from '@fadump-lab/shared/store'
import { byteLength, describeLength, isAligned } from '@fadump-lab/shared/units'
import { z } from 'zod'
import type { HypervisorContext } from '../deps.ts'
import { appendTransitions } from '../events.ts'
import type { PartitionEntry } from '../partition/partitions.ts'

/** A frame's own space only carries its record; its memory is never used. */
const frameSpaceBytes = byteLength(pageSize)

const frameRecord = z.strictObject({
  id: z.string(),
  memoryBytes: byteCount,
  processors: z.int(),
})

/** Who takes up a frame. */
export interface Tenants {
  /** Partitions of the frame. */
  partitions(frame: string): readonly PartitionEntry[]
  /** Ids of the frame's images, unfinished ones included. */
  images(frame: string): readonly string[]
}

export class Frames {
  readonly #deps: HypervisorContext
  readonly #tenants: Tenants
  readonly #frames = new Map<string, NewFrame>()

  constructor(deps: HypervisorContext, tenants: Tenants) {
    this.#deps = deps
    this.#tenants = tenants
  }

  /** Takes up a frame that the store holds; a frame without a record is none of ours. */
  async load(id: string): Promise<void> {
    try {
      const { value } = await this.#deps.store.readRecord(frameSpace(id), records.frame)
      if (value !== undefined) {
        this.#frames.set(id, z.decode(frameRecord, JSON.parse(value) as never))
      }
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'no-such-space')) throw error
    }
  }

  get ids(): readonly string[] {
    return [...this.#frames.keys()].toSorted()
  }

  list(): readonly Frame[] {
    return this.ids.map((id) => this.get(id))
  }

  /** Errors: `not-found`. */
  get(id: string): Frame {
    const found = this.#frames.get(id)
    if (found === undefined) throw noSuchFrame(id, this.ids)
    const partitions = this.#tenants.partitions(id)
    const memoryUsed = partitions.reduce((sum, partition) => sum + partition.memoryBytes, 0n)
    const processorsUsed = partitions.reduce((sum, partition) => sum + partition.processors, 0)
    return {
      ...found,
      memoryBytesFree: byteLength(found.memoryBytes - memoryUsed),
      processorsFree: found.processors - processorsUsed,
      partitions: partitions.length,
    }
  }

  /** Whether the store still holds a frame that is known here. */
  async isKept(id: string): Promise<boolean> {
    try {
      await this.#deps.store.readRecord(frameSpace(id), records.frame)
      return true
    } catch (error) {
      if (error instanceof StoreError && error.code === 'no-such-space') return false
      throw error
    }
  }

  /** The space of a frame that is known here, and that the store has lost. */
  async make(id: string): Promise<void> {
    const frame = this.#frames.get(id)
    if (frame === undefined) throw noSuchFrame(id, this.ids)
    await this.#makeSpace(frame)
  }

  /** Errors: `already-exists`, `invalid-configuration`. */
  async create(frame: NewFrame, correlationId: string): Promise<Frame> {
    if (this.#frames.has(frame.id)) {
      throw new Problem('already-exists', `there is a frame ${frame.id} already`)
    }
    if (frame.memoryBytes === 0n || !isAligned(frame.memoryBytes, BigInt(pageSize))) {
      throw new Problem(
        'invalid-configuration',
        `memoryBytes of frame ${frame.id} must be a positive multiple of 65536, not ${frame.memoryBytes}`,
      )
    }
    await this.#makeSpace(frame)
    this.#frames.set(frame.id, frame)
    await this.#tell(frame.id, 'create', correlationId)
    return this.get(frame.id)
  }

  /** Errors: `not-found`, `in-use`. */
  async delete(id: string, correlationId: string): Promise<void> {
    this.get(id)
    const users = [
      ...this.#tenants.partitions(id).map((partition) => `partition ${partition.id}`),
      ...this.#tenants.images(id).map((image) => `image ${image}`),
    ]
    if (users.length > 0) {
      throw new Problem('in-use', `frame ${id} holds ${namesOf(users)}; delete them first`)
    }
    await this.#deps.store.deleteSpace(frameSpace(id))
    this.#frames.delete(id)
    await this.#tell(id, 'delete', correlationId)
  }

  /** Errors: `not-found`; `insufficient-capacity` naming what was asked for and what is free. */
  requireCapacity(id: string, asked: Pick<PartitionEntry, 'memoryBytes' | 'processors'>): void {
    const frame = this.get(id)
    if (asked.memoryBytes > frame.memoryBytesFree) {
      throw new Problem(
        'insufficient-capacity',
        `${describeLength(asked.memoryBytes)} of memory asked for, ${describeLength(frame.memoryBytesFree)} of frame ${id} are free`,
        {
          extensions: {
            resource: 'memory',
            asked: Number(asked.memoryBytes),
            free: Number(frame.memoryBytesFree),
          },
        },
      )
    }
    if (asked.processors > frame.processorsFree) {
      throw new Problem(
        'insufficient-capacity',
        `${asked.processors} processors asked for, ${frame.processorsFree} of frame ${id} are free`,
        {
          extensions: {
            resource: 'processors',
            asked: asked.processors,
            free: frame.processorsFree,
          },
        },
      )
    }
  }

  /** A space that is there already was made by a request whose outcome its caller never learned. */
  async #makeSpace(frame: NewFrame): Promise<void> {
    try {
      await this.#deps.store.createSpace(frameSpace(frame.id), frameSpaceBytes, {
        [records.frame]: JSON.stringify(z.encode(frameRecord, frame)),
      })
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'space-exists')) throw error
      await this.load(frame.id)
      throw new Problem('already-exists', `there is a frame ${frame.id} already`, { cause: error })
    }
  }

  async #tell(id: string, event: string, correlationId: string): Promise<void> {
    await appendTransitions(this.#deps, [{ aggregate: 'frame', event }], {
      subject: id,
      correlationId,
    })
  }
}

/** Users named in one refusal; a frame may hold thousands. */
const namesMax = 5

function namesOf(users: readonly string[]): string {
  const named = users.slice(0, namesMax).join(', ')
  return users.length > namesMax ? `${named} and ${users.length - namesMax} more` : named
}

function noSuchFrame(id: string, ids: readonly string[]): Problem {
  return new Problem('not-found', `there is no frame ${id}; there are ${ids.join(', ') || 'none'}`)
}
