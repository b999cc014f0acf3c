/** Bytes that grow as far as they are written; what lies between is zero. */
export class GrowingBytes {
  #space = new Uint8Array(0)
  #length = 0

  get bytes(): Uint8Array {
    return this.#space.subarray(0, this.#length)
  }

  set(offset: number, bytes: Uint8Array): void {
    this.#reach(offset + bytes.byteLength)
    this.#space.set(bytes, offset)
  }

  /** Where the run of ones that starts at `start` ends. */
  endOfOnes(start: number): number {
    let end = start
    while (end < this.#length && this.#space[end] === 1) end += 1
    return end
  }

  /** Sets bytes `[start, end)` to 1. */
  fill(start: number, end: number): void {
    this.#reach(end)
    this.#space.fill(1, start, end)
  }

  truncate(length: number): void {
    this.#space = this.#space.slice(0, length)
    this.#length = Math.min(this.#length, length)
  }

  #reach(end: number): void {
    if (end > this.#space.byteLength) {
      const grown = new Uint8Array(Math.max(end, 2 * this.#space.byteLength))
      grown.set(this.#space)
      this.#space = grown
    }
    this.#length = Math.max(this.#length, end)
  }
}
