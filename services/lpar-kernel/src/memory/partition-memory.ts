/** A partition's memory as its present kernel sees it: reads and writes of any length, window by window. */
import {
  transferBytesMax,
  type Epoch,
  type MemoryStore,
  type MemoryWrite,
  type SpaceId,
} from '@fadump-lab/shared/store'
import { concat, realAddress, type MemoryRange, type RealAddress } from '@fadump-lab/shared/units'
import { joinWrites } from './join-writes.ts'

/** Populated ranges asked for in one call. */
const populatedRangesPerCall = 256

export class PartitionMemory {
  readonly #store: MemoryStore
  readonly space: SpaceId
  readonly epoch: Epoch

  constructor(store: MemoryStore, space: SpaceId, epoch: Epoch) {
    this.#store = store
    this.space = space
    this.epoch = epoch
  }

  /** `length` bytes in one piece: for structures, not for contents. */
  async read(address: RealAddress, length: number): Promise<Uint8Array> {
    if (length <= transferBytesMax) return this.#store.read(this.space, address, length)
    const parts: Uint8Array[] = []
    for (let offset = 0; offset < length; offset += transferBytesMax) {
      const window = Math.min(transferBytesMax, length - offset)
      parts.push(await this.#store.read(this.space, realAddress(address + BigInt(offset)), window))
    }
    return concat(parts)
  }

  /** SHA-256 of the whole pages of `range`, hexadecimal; `undefined` for pages of zeros. */
  async digests(range: MemoryRange): Promise<readonly (string | undefined)[]> {
    return this.#store.digests(this.space, range)
  }

  /** Errors: `stale-epoch` when this boot is over. */
  async write(address: RealAddress, bytes: Uint8Array): Promise<void> {
    for (let offset = 0; offset < bytes.byteLength; offset += transferBytesMax) {
      const window = bytes.subarray(offset, offset + transferBytesMax)
      const write = { address: realAddress(address + BigInt(offset)), bytes: window }
      await this.#store.write(this.space, write, this.epoch)
    }
  }

  /** In order: later writes may overwrite earlier ones, and are there last. What touches goes to the store as one. */
  async writeAll(writes: readonly MemoryWrite[]): Promise<void> {
    for (const { address, bytes } of joinWrites(writes)) await this.write(address, bytes)
  }

  /** Makes `range` read as zeros. */
  async clear(range: MemoryRange): Promise<void> {
    await this.#store.commit(this.space, { expect: { epoch: this.epoch }, clears: [range] })
  }

  /** The present pages that `range` touches, ascending; what is held at a time is bounded. */
  async *populated(range: MemoryRange): AsyncGenerator<MemoryRange, void, void> {
    for (
      let start: RealAddress | undefined = range.start;
      start !== undefined && start < range.end;
    ) {
      const found = await this.#store.populated(
        this.space,
        { start, end: range.end },
        populatedRangesPerCall,
      )
      yield* found.ranges
      start = found.next
    }
  }
}
