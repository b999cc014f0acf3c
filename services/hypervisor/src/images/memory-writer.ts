/**
 * Pieces of memory in, writes of at most 1 MiB out. A window of one aligned MiB gathers what belongs to it, so that
 * pages arrive whole however the stream was cut.
 */
import { pageSize, type Epoch, type MemoryStore, type SpaceId } from '@fadump-lab/shared/store'
import { isZero, realAddress, type RealAddress } from '@fadump-lab/shared/units'

export const windowBytes = 1024 * 1024

/** Told of every run of bytes before it is written. */
export type Inspect = (address: RealAddress, bytes: Uint8Array) => void

export interface WriterTarget {
  readonly store: MemoryStore
  readonly space: SpaceId
  readonly epoch: Epoch
  readonly inspect: Inspect
  /** Set when no byte comes twice: zeros are then left out, because the space began empty. */
  readonly skipZeros: boolean
}

export class MemoryWriter {
  readonly #target: WriterTarget
  readonly #window = new Uint8Array(windowBytes)
  /** Where the window stands; a multiple of `windowBytes`. */
  #base = 0n
  /** The part of the window that has been filled: `[start, end)`. */
  #start = 0
  #end = 0

  constructor(target: WriterTarget) {
    this.#target = target
  }

  /** Takes `bytes` at `address`; later bytes win over earlier ones. */
  async put(address: RealAddress, bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.byteLength;) {
      const at = address + BigInt(done)
      const base = at - (at % BigInt(windowBytes))
      const offset = Number(at - base)
      if (base !== this.#base || (this.#end !== offset && this.#end !== this.#start)) {
        await this.flush()
      }
      if (this.#start === this.#end) {
        this.#base = base
        this.#start = offset
        this.#end = offset
      }
      const length = Math.min(bytes.byteLength - done, windowBytes - offset)
      this.#window.set(bytes.subarray(done, done + length), offset)
      this.#end = offset + length
      done += length
    }
  }

  /** Writes what is gathered. To be called once more at the end. */
  async flush(): Promise<void> {
    const [start, end] = [this.#start, this.#end]
    this.#start = 0
    this.#end = 0
    if (start === end) return
    this.#target.inspect(realAddress(this.#base + BigInt(start)), this.#window.subarray(start, end))
    let from: number | undefined
    for (let page = start; page < end; page = nextPage(page)) {
      const pageEnd = Math.min(nextPage(page), end)
      const isEmpty = this.#target.skipZeros && isZero(this.#window.subarray(page, pageEnd))
      if (isEmpty && from !== undefined) {
        await this.#write(from, page)
        from = undefined
      } else if (!isEmpty) {
        from ??= page
      }
    }
    if (from !== undefined) await this.#write(from, end)
  }

  async #write(start: number, end: number): Promise<void> {
    const { store, space, epoch } = this.#target
    const address = realAddress(this.#base + BigInt(start))
    await store.write(space, { address, bytes: this.#window.slice(start, end) }, epoch)
  }
}

function nextPage(offset: number): number {
  return offset - (offset % pageSize) + pageSize
}
