/**
 * makedumpfile's flattened format (`-F`): a file as a stream of (offset, size, bytes) records, so that a sparse file
 * crosses a pipe. Everything is big-endian, whatever the machine. Source: makedumpfile.h (`makedumpfile_header`,
 * `makedumpfile_data_header`), IMPLEMENTATION; `makedumpfile -R` reads it.
 *
 *     0      "makedumpfile" in 16 bytes, i64 type 1, i64 version 1, zeros up to 4096
 *     4096   { i64 offset, i64 size, bytes } …          later records may overwrite earlier ones
 *     end    { i64 -1, i64 -1 }
 */
import { bytes, layout, u64, type ValueOf } from '../layout/index.ts'
import { concat, fromAscii, invariant, toAscii } from '../units/index.ts'
import { CoreFormatError } from './core-format-error.ts'

const headerRows = [
  ['signature', 0, bytes(16), 'signature', '"makedumpfile" and 4 NULs'],
  ['type', 16, u64, 'type', '1 = TYPE_FLAT_HEADER'],
  ['version', 24, u64, 'version', '1 = VERSION_FLAT_HEADER'],
] as const
const recordRows = [
  ['offset', 0, u64, 'offset', 'signed; where in the file the bytes go; -1 ends the stream'],
  ['size', 8, u64, 'buf_size', 'signed; bytes that follow; -1 ends the stream'],
] as const

export const flattenedHeaderLayout = layout('makedumpfile_header', 32, headerRows)
export const flattenedRecordLayout = layout('makedumpfile_data_header', 16, recordRows)

export type FlattenedRecord = ValueOf<typeof recordRows>

/** `MAX_SIZE_MDF_HEADER`: bytes before the first record. */
export const flattenedHeaderBytes = 4096
const signature = 'makedumpfile'
const endMark = 0xffff_ffff_ffff_ffffn
const signedMax = 0x7fff_ffff_ffff_ffffn

/** The first 4096 bytes of a stream. */
export function flattenedHeader(): Uint8Array {
  const head = flattenedHeaderLayout.encode(
    { signature: fromAscii(signature.padEnd(16, '\0')), type: 1n, version: 1n },
    'big',
  )
  return concat([head, new Uint8Array(flattenedHeaderBytes - head.byteLength)])
}

/** What stands before the `size` bytes that go to `offset` of the file. */
export function flattenedRecord(offset: bigint, size: number): Uint8Array {
  invariant(
    offset >= 0n && offset + BigInt(size) <= signedMax,
    `record at ${offset} is out of range`,
  )
  return flattenedRecordLayout.encode({ offset, size: BigInt(size) }, 'big')
}

/** The last 16 bytes of a stream. */
export function flattenedEnd(): Uint8Array {
  return flattenedRecordLayout.encode({ offset: endMark, size: endMark }, 'big')
}

/** Bytes of the file; the chunk is a view of what was pushed. */
export interface FlattenedPiece {
  readonly offset: bigint
  readonly chunk: Uint8Array
}

export interface FlattenedDecoderOptions {
  /** Records that end beyond are refused. Default 2⁶³ − 1. */
  readonly fileBytesMax?: bigint
}

/**
 * Decodes a stream that arrives in chunks of any size. Holds at most 4096 bytes. Every refusal is a
 * `CoreFormatError` (`notFlattened`, `flattenedVersion`, `flattenedRecord`, `flattenedTooLarge`, `flattenedEnd`).
 */
export class FlattenedDecoder {
  readonly #fileBytesMax: bigint
  /** The part of a header that has arrived so far. */
  #held: Uint8Array = new Uint8Array(0)
  #expect: 'header' | 'record' | 'bytes' | 'nothing' = 'header'
  #offset = 0n
  /** Bytes of the present record that are still to come. */
  #left = 0n

  constructor(options: FlattenedDecoderOptions = {}) {
    this.#fileBytesMax = options.fileBytesMax ?? signedMax
  }

  /** Whether the end marker has been read; what comes after it is ignored, as makedumpfile does. */
  get ended(): boolean {
    return this.#expect === 'nothing'
  }

  /** The pieces of the file in `chunk`, in stream order. */
  *push(chunk: Uint8Array): Generator<FlattenedPiece> {
    let rest = chunk
    while (rest.byteLength > 0 && !this.ended) {
      if (this.#expect === 'bytes') {
        const length = this.#left < BigInt(rest.byteLength) ? Number(this.#left) : rest.byteLength
        const offset = this.#offset
        this.#offset += BigInt(length)
        this.#left -= BigInt(length)
        if (this.#left === 0n) this.#expect = 'record'
        yield { offset, chunk: rest.subarray(0, length) }
        rest = rest.subarray(length)
      } else {
        rest = this.#readHeader(rest)
      }
    }
  }

  /** To be called when the stream ends: refuses one that lacks its end marker. */
  end(): void {
    if (this.ended) return
    const missing =
      this.#expect === 'bytes'
        ? `the end of the stream with ${this.#left} bytes missing before offset ${this.#offset + this.#left}`
        : `the end of the stream within or before a ${this.#expect === 'header' ? 'stream' : 'record'} header`
    throw new CoreFormatError(this.#expect === 'header' ? 'notFlattened' : 'flattenedEnd', missing)
  }

  /** Takes what is missing of the header at hand; returns the rest. */
  #readHeader(chunk: Uint8Array): Uint8Array {
    const needed = this.#expect === 'header' ? flattenedHeaderBytes : flattenedRecordLayout.size
    const taken = Math.min(needed - this.#held.byteLength, chunk.byteLength)
    this.#held = concat([this.#held, chunk.subarray(0, taken)])
    if (this.#held.byteLength === needed) {
      if (this.#expect === 'header') checkHeader(this.#held)
      else this.#startRecord(flattenedRecordLayout.decode(this.#held, 'big'))
      if (this.#expect === 'header') this.#expect = 'record'
      this.#held = new Uint8Array(0)
    }
    return chunk.subarray(taken)
  }

  #startRecord({ offset, size }: FlattenedRecord): void {
    if (offset === endMark && size === endMark) {
      this.#expect = 'nothing'
      return
    }
    const value = `offset ${BigInt.asIntN(64, offset)}, size ${BigInt.asIntN(64, size)}`
    if (offset + size > signedMax) throw new CoreFormatError('flattenedRecord', value)
    if (offset + size > this.#fileBytesMax) {
      throw new CoreFormatError('flattenedTooLarge', `${value}; agreed are ${this.#fileBytesMax}`)
    }
    this.#offset = offset
    this.#left = size
    if (size > 0n) this.#expect = 'bytes'
  }
}

function checkHeader(head: Uint8Array): void {
  const header = flattenedHeaderLayout.decode(head, 'big')
  const found = toAscii(header.signature).replace(/\0.*$/s, '')
  if (found !== signature) throw new CoreFormatError('notFlattened', JSON.stringify(found))
  if (header.type !== 1n || header.version !== 1n) {
    const value = `type ${header.type}, version ${header.version}`
    throw new CoreFormatError('flattenedVersion', value)
  }
}

/** Whether `head`, the first bytes of a stream, begins a flattened one. */
export function isFlattened(head: Uint8Array): boolean {
  return toAscii(head.subarray(0, signature.length)) === signature
}
