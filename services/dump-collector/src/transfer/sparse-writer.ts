/**
 * Positional writes of an ascending stream: neighbouring pieces go to the disk together, one write runs while the
 * next batch fills, and whoever brings more has to wait. What is not written stays a hole.
 */
import { toHostLength } from '@fadump-lab/shared/units'
import type { OpenFile } from '../store/files.ts'

/** A batch is handed to the disk when it has reached so many bytes. */
export const batchBytesMax = 1024 * 1024
/** The largest piece that is taken at once; larger ones are split. */
export const pieceBytesMax = 256 * 1024
/** Bytes in memory at any time: a batch on its way to the disk and one that fills. */
export const bytesInFlightMax = 2 * (batchBytesMax + pieceBytesMax)

/** Pieces of one batch; writev(2) takes no more (IOV_MAX). */
export const batchPiecesMax = 1024

const positionMax = Number.MAX_SAFE_INTEGER

export class SparseWriter {
  readonly #file: OpenFile
  #parts: Uint8Array[] = []
  #held = 0
  #position = 0n
  /** The write that is under way; it never rejects, its error is kept for the next call. */
  #writing: Promise<void> = Promise.resolve()
  #writingBytes = 0
  #error: Error | undefined
  #bytesInFlightPeak = 0

  /** `from`: where the first byte is expected to go. */
  constructor(file: OpenFile, from: bigint) {
    this.#file = file
    this.#position = from
  }

  /** The most bytes that were held at one time. */
  get bytesInFlightPeak(): number {
    return this.#bytesInFlightPeak
  }

  /** Where the next neighbouring byte would go. */
  get end(): bigint {
    return this.#position + BigInt(this.#held)
  }

  /** Takes `piece`, which must not change any more. Errors: those of the file, also of an earlier write. */
  async write(offset: bigint, piece: Uint8Array): Promise<void> {
    for (let done = 0; done < piece.byteLength; done += pieceBytesMax) {
      await this.#take(offset + BigInt(done), piece.subarray(done, done + pieceBytesMax))
    }
  }

  /** Resolves when everything taken so far has been written (not: synced). */
  async flush(): Promise<void> {
    await this.#send()
    await this.#writing
    if (this.#error !== undefined) throw this.#error
  }

  async #take(offset: bigint, piece: Uint8Array): Promise<void> {
    if (offset !== this.end) {
      await this.#send()
      this.#position = offset
    }
    this.#parts.push(compact(piece))
    this.#held += piece.byteLength
    this.#bytesInFlightPeak = Math.max(this.#bytesInFlightPeak, this.#held + this.#writingBytes)
    const isFull = this.#held >= batchBytesMax || this.#parts.length >= batchPiecesMax
    if (isFull) await this.#send()
  }

  /** Starts the write of the batch as soon as the one before is done. */
  async #send(): Promise<void> {
    if (this.#held === 0) return
    await this.#writing
    if (this.#error !== undefined) throw this.#error
    const parts = this.#parts
    const position = toHostLength(this.#position, positionMax)
    this.#position = this.end
    this.#writingBytes = this.#held
    this.#parts = []
    this.#held = 0
    this.#writing = this.#file.write(parts, position).then(
      () => void (this.#writingBytes = 0),
      (cause: unknown) => void (this.#error = asError(cause)),
    )
  }
}

/** A small view must not keep a large buffer alive. */
function compact(piece: Uint8Array): Uint8Array {
  return piece.byteLength * 4 < piece.buffer.byteLength ? piece.slice() : piece
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error('the write failed', { cause })
}
