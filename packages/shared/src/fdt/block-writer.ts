/** A block of 32-bit big-endian words and byte strings that end on such a word: what the structure of a blob is made of. */
import { viewOf } from '../units/index.ts'

/** Room of a fresh block; it doubles when it runs out. */
const roomBytes = 4096

export class BlockWriter {
  #bytes = new Uint8Array(roomBytes)
  #view = viewOf(this.#bytes)
  #length = 0

  word(value: number): void {
    this.#makeRoom(4)
    this.#view.setUint32(this.#length, value)
    this.#length += 4
  }

  /** `bytes`, then zeros up to the next word. */
  padded(bytes: Uint8Array): void {
    const length = (bytes.byteLength + 3) & ~3
    this.#makeRoom(length)
    this.#bytes.set(bytes, this.#length)
    this.#length += length
  }

  /** What has been written; the writer is not used any more. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  #makeRoom(length: number): void {
    const needed = this.#length + length
    if (needed <= this.#bytes.byteLength) return
    const roomy = new Uint8Array(2 * needed)
    roomy.set(this.#bytes)
    this.#bytes = roomy
    this.#view = viewOf(roomy)
  }
}
