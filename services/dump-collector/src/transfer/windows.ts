/**
 * Durable checkpoints on the way: while one half of a window gets to the disk the other half is received, so that a
 * cut never costs a byte more than one window.
 */
import type { OpenFile } from '../store/files.ts'
import type { SparseWriter } from './sparse-writer.ts'

export interface WindowOptions {
  /** At least 2, even. */
  readonly windowBytes: number
  /**
   * Called when all bytes before `offset` are written; what it returns is called when they are synced. Absent: no
   * checkpoints.
   */
  readonly onWindow?: (offset: bigint) => () => Promise<void>
  /** Called for bytes that have been handed to the writer. */
  readonly onBytes?: (length: number) => void
}

export class Windows {
  readonly #file: OpenFile
  readonly #writer: SparseWriter
  readonly #options: WindowOptions
  readonly #halfBytes: number
  /** Bytes since the last checkpoint was begun; at most `#halfBytes`. */
  #filled = 0
  /** The checkpoint under way; it never rejects, its error is kept for the next call. */
  #syncing: Promise<void> = Promise.resolve()
  #error: Error | undefined

  constructor(file: OpenFile, writer: SparseWriter, options: WindowOptions) {
    this.#file = file
    this.#writer = writer
    this.#options = options
    this.#halfBytes = options.onWindow === undefined ? Infinity : options.windowBytes / 2
  }

  /** `piece` to its place, cut where a half ends. Errors: of the file, also of an earlier checkpoint. */
  async write(offset: bigint, piece: Uint8Array): Promise<void> {
    for (let done = 0; done < piece.byteLength;) {
      const part = piece.subarray(done, done + this.#halfBytes - this.#filled)
      await this.#writer.write(offset + BigInt(done), part)
      this.#options.onBytes?.(part.byteLength)
      this.#filled += part.byteLength
      done += part.byteLength
      if (this.#filled >= this.#halfBytes) await this.#checkpoint()
    }
  }

  /** Resolves when no checkpoint is under way, whatever came of it. */
  async idle(): Promise<void> {
    await this.#syncing
  }

  /** Everything written and synced. Errors: as `add`. */
  async finish(): Promise<void> {
    await this.#settled()
    await this.#writer.flush()
    await this.#file.sync()
  }

  async #checkpoint(): Promise<void> {
    await this.#settled()
    await this.#writer.flush()
    const onSynced = this.#options.onWindow?.(this.#writer.end)
    this.#filled = 0
    if (onSynced !== undefined) this.#syncing = this.#sync(onSynced)
  }

  async #settled(): Promise<void> {
    await this.#syncing
    if (this.#error !== undefined) throw this.#error
  }

  async #sync(onSynced: () => Promise<void>): Promise<void> {
    try {
      await this.#file.sync()
      await onSynced()
    } catch (cause) {
      this.#error = cause instanceof Error ? cause : new Error('a checkpoint failed', { cause })
    }
  }
}
