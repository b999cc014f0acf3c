/**
 * What a stream may bring: bytes in ascending order, within the size, and only where the manifest has an entry.
 * So nothing that no digest vouches for ever gets into the file.
 */
import type { ManifestEntry } from '@fadump-lab/shared/contracts'

/** The stream brings what it must not. */
export class StreamRefusedError extends Error {
  override readonly name = 'StreamRefusedError'
}

export class Coverage implements AsyncDisposable {
  readonly #entries: AsyncGenerator<ManifestEntry>
  /** The first entry that ends behind the last byte that was checked. */
  #entry: ManifestEntry | undefined
  #position: bigint

  /** `entries` of the whole manifest, ascending; bytes before `from` are refused. */
  constructor(entries: AsyncGenerator<ManifestEntry>, from: bigint) {
    this.#entries = entries
    this.#position = from
  }

  /** Errors: `StreamRefusedError`. */
  async check(offset: bigint, length: bigint): Promise<void> {
    if (offset < this.#position) {
      throw new StreamRefusedError(
        `the stream goes back to offset ${offset}; bytes before ${this.#position} were sent or not asked for`,
      )
    }
    const end = offset + length
    for (let covered = offset; covered < end;) {
      const entry = await this.#entryBehind(covered)
      if (entry === undefined || entry.offset > covered) {
        throw new StreamRefusedError(
          `the stream brings bytes at offset ${covered}, where the manifest has no entry`,
        )
      }
      covered = entry.offset + entry.length
    }
    this.#position = end
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#entries.return(undefined)
  }

  /** The entry that holds byte `position`, or the first behind it. */
  async #entryBehind(position: bigint): Promise<ManifestEntry | undefined> {
    while (this.#entry === undefined || this.#entry.offset + this.#entry.length <= position) {
      const next = await this.#entries.next()
      if (next.done === true) return undefined
      this.#entry = next.value
    }
    return this.#entry
  }
}
