/** The bytes of one file: sparse blocks, shared between what was written and what was synced until one changes. */

/** What a hole is made of, and what a disk writes at once. */
export const blockBytes = 16_384

interface Block {
  readonly bytes: Uint8Array
  /** The contents that have it. */
  owners: number
}

export class Content {
  #size = 0
  readonly #blocks = new Map<number, Block>()

  get size(): number {
    return this.#size
  }

  get storedBytes(): number {
    return this.#blocks.size * blockBytes
  }

  /** Bytes that a write would add to `storedBytes`. */
  growth(position: number, length: number): number {
    let blocks = 0
    const last = Math.floor((position + length - 1) / blockBytes)
    for (let number = Math.floor(position / blockBytes); number <= last; number++) {
      if (!this.#blocks.has(number)) blocks += 1
    }
    return blocks * blockBytes
  }

  write(bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.byteLength;) {
      const at = position + done
      const within = at % blockBytes
      const length = Math.min(blockBytes - within, bytes.byteLength - done)
      this.#own(Math.floor(at / blockBytes)).set(bytes.subarray(done, done + length), within)
      done += length
    }
    this.#size = Math.max(this.#size, position + bytes.byteLength)
  }

  /** Fills `target` as far as the file goes; returns the bytes read. */
  read(target: Uint8Array, position: number): number {
    const end = Math.min(position + target.byteLength, this.#size)
    for (let at = position; at < end;) {
      const within = at % blockBytes
      const length = Math.min(blockBytes - within, end - at)
      const block = this.#blocks.get(Math.floor(at / blockBytes))
      const into = target.subarray(at - position, at - position + length)
      if (block === undefined) into.fill(0)
      else into.set(block.bytes.subarray(within, within + length))
      at += length
    }
    return Math.max(0, end - position)
  }

  resize(size: number): void {
    for (const number of this.#blocks.keys()) {
      if (number * blockBytes >= size) this.#drop(number)
    }
    const last = Math.floor(size / blockBytes)
    if (size < this.#size && this.#blocks.has(last)) this.#own(last).fill(0, size % blockBytes)
    this.#size = size
  }

  snapshot(): Content {
    const copy = new Content()
    copy.#size = this.#size
    for (const [number, block] of this.#blocks) copy.#share(number, block)
    return copy
  }

  /** This content with those blocks of `later` that reached the disk; so does its size, or not. */
  mixedWith(later: Content, isKept: () => boolean): Content {
    const mixed = this.snapshot()
    if (later.#size !== this.#size && isKept()) mixed.resize(later.#size)
    for (const [number, block] of later.#blocks) {
      const isNew = this.#blocks.get(number) !== block
      if (!isNew || number * blockBytes >= mixed.#size || !isKept()) continue
      mixed.#drop(number)
      mixed.#share(number, block)
    }
    return mixed
  }

  /** Where blocks are, ascending. */
  blockOffsets(): readonly number[] {
    return [...this.#blocks.keys()].map((number) => number * blockBytes).toSorted((a, b) => a - b)
  }

  /** All bytes of a small file. */
  bytes(): Uint8Array {
    const all = new Uint8Array(this.#size)
    this.read(all, 0)
    return all
  }

  /** One bit of the `nth` block that there is; `false` when there is none. */
  flipBit(nth: number): boolean {
    const numbers = [...this.#blocks.keys()]
    const number = numbers[nth % Math.max(1, numbers.length)]
    if (number === undefined) return false
    const block = this.#own(number)
    block[nth % blockBytes] = (block[nth % blockBytes] ?? 0) ^ 1
    return true
  }

  #own(number: number): Uint8Array {
    const block = this.#blocks.get(number)
    if (block?.owners === 1) return block.bytes
    const bytes = block === undefined ? new Uint8Array(blockBytes) : block.bytes.slice()
    if (block !== undefined) block.owners -= 1
    this.#blocks.set(number, { bytes, owners: 1 })
    return bytes
  }

  #share(number: number, block: Block): void {
    block.owners += 1
    this.#blocks.set(number, block)
  }

  #drop(number: number): void {
    const block = this.#blocks.get(number)
    if (block !== undefined) block.owners -= 1
    this.#blocks.delete(number)
  }
}
