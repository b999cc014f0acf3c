/**
 * Durable checkpoints on the way: while one half of a window gets to the disk the other half is received, so that a
 * cut never costs more than one window.
 */
import type { OpenFile } from '../store/files.ts'
import type { SparseWriter } from './sparse-writer.ts'

export interface WindowOptions {
  readonly windowBytes: number
  /**
   * Called when all bytes before `offset` are written; what it returns is called when they are synced. Absent: no
   * checkpoints.
   */
  readonly onWindow?: (offset: bigint) => () => Promise<void>
}

export class Windows {
  readonly #file: OpenFile
  readonly #writer: SparseWriter
  readonly #options: WindowOptions
  /** Bytes since the last checkpoint was begun. */
  #filled = 0
  /** The checkpoint under way; it never rejects, its error is kept for the next call. */
  #syncing: Promise<void> = Promise.resolve()
  #error: Error | undefined

  constructor(file: OpenFile, writer: SparseWriter, options: WindowOptions) {
    this.#file = file
    this.#writer = writer
    this.#options = options
  }

  /** To be called for every piece that the writer has taken. Errors: of the file, also of an earlier checkpoint. */
  async add(length: number): Promise<void> {
    const { onWindow, windowBytes } = this.#options
    this.#filled += length
    if (onWindow === undefined || this.#filled < windowBytes / 2) return
    this.#filled = 0
    await this.#settled()
    await this.#writer.flush()
    const onSynced = onWindow(this.#writer.end)
    this.#syncing = this.#sync(onSynced)
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
