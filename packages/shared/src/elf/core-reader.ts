/**
 * Reads an untrusted ELF64 ppc64 core that arrives in chunks, in file order or (from a flattened stream) in any order.
 * Memory comes out as it comes in; kept are the headers (≤ 4 MiB), the notes (≤ 64 MiB) and, from an unordered stream,
 * at most 12 MiB that came before the headers. Nothing in a header is believed before it is checked.
 */
import type { ByteOrder } from '../layout/index.ts'
import { compareBytes, invariant, realAddress, type RealAddress } from '../units/index.ts'
import {
  earlyDataBytesMax,
  earlyDataPiecesMax,
  headersBytesMax,
  notesMax,
  prstatusNotesMax,
  vmcoreinfoBytesMax,
} from './constants.ts'
import { CoreFormatError } from './core-format-error.ts'
import { coreSegments, type CoreLoad, type CoreSegments } from './core-segments.ts'
import { elfHeaderLayout, readCoreElfHeader } from './elf-header.ts'
import { GrowingBytes } from './growing-bytes.ts'
import { notesOf, type FoundNote } from './note.ts'
import { decodeProgramHeaders, programHeaderLayout } from './program-header.ts'
import { decodePrstatus, isPrstatus, type Prstatus } from './prstatus-ppc64.ts'
import { isVmcoreinfo, vmcoreinfoText } from './vmcoreinfo.ts'

export interface CoreReaderOptions {
  /** `file-order`: chunks follow one another from offset 0. `any-order`: later chunks overwrite earlier ones. */
  readonly arrival: 'file-order' | 'any-order'
  /** Refuse a core of the other byte order. */
  readonly expectedOrder?: ByteOrder
}

/** Bytes of memory; a view of the chunk they came in. */
export interface CorePiece {
  readonly address: RealAddress
  readonly bytes: Uint8Array
}

/** What is known once the headers have been read. */
export interface CoreOutline {
  readonly order: ByteOrder
  /** `e_flags`. */
  readonly flags: number
  /** In header order, not empty. Memory beyond `fileSize` is zero. */
  readonly loads: readonly CoreLoad[]
}

export interface CoreContents extends CoreOutline {
  /** One per NT_PRSTATUS, in file order, 48 registers each. */
  readonly cpus: readonly Prstatus[]
  /** The text of the first VMCOREINFO note. */
  readonly vmcoreinfo?: string
}

interface Known {
  readonly outline: CoreOutline
  readonly segments: CoreSegments
  readonly headersEnd: number
  /** One area per PT_NOTE, as much of it as has come. */
  readonly notes: GrowingBytes[]
}

export class CoreStreamReader {
  readonly #options: CoreReaderOptions
  /** The first bytes of the file, until the headers are known; then the headers alone. */
  readonly #head = new GrowingBytes()
  /** 1 for each byte of `#head` that has come, and how many have come without a gap. */
  readonly #arrived = new GrowingBytes()
  #contiguous = 0
  /** How many bytes must have come before the headers can be read further. */
  #headersNeeded = elfHeaderLayout.size
  #early: { readonly offset: bigint; readonly chunk: Uint8Array }[] = []
  #earlyBytes = 0
  #known: Known | undefined
  /** Where the file has come to, in file order. */
  #position = 0n

  constructor(options: CoreReaderOptions) {
    this.#options = options
  }

  /** `undefined` until the headers have come. */
  get outline(): CoreOutline | undefined {
    return this.#known?.outline
  }

  /**
   * Takes `chunk`, which stands at `offset` of the file, and gives the memory in it; must be iterated to its end. Throws
   * `CoreFormatError`. Chunks out of order under `file-order` are a programmer error.
   */
  *push(offset: bigint, chunk: Uint8Array): Generator<CorePiece> {
    if (this.#options.arrival === 'file-order') {
      invariant(offset === this.#position, `chunk at ${offset}, expected at ${this.#position}`)
      this.#position += BigInt(chunk.byteLength)
    }
    if (this.#known !== undefined) {
      yield* this.#route(this.#known, offset, chunk)
      return
    }
    this.#keep(offset, chunk)
    const known = this.#readHeaders()
    if (known !== undefined) yield* this.#releaseEarly(known)
  }

  /** To be called when the file has ended; refuses one that lacks bytes. */
  end(): CoreContents {
    const known = this.#known
    const { arrival } = this.#options
    if (known === undefined) {
      throw new CoreFormatError('truncated', `the end of the file within the headers`)
    }
    if (arrival === 'file-order' && this.#position < known.segments.fileEnd) {
      const value = `${this.#position} of ${known.segments.fileEnd} bytes`
      throw new CoreFormatError('truncated', value)
    }
    const { order } = known.outline
    return {
      ...known.outline,
      ...readNotes(
        known.notes.map((area) => area.bytes),
        order,
      ),
    }
  }

  /** Keeps what comes before the headers are known. */
  #keep(offset: bigint, chunk: Uint8Array): void {
    const max = BigInt(headersBytesMax)
    if (offset < max) {
      const start = Number(offset)
      const part = chunk.subarray(0, headersBytesMax - start)
      this.#head.set(start, part)
      this.#arrived.fill(start, start + part.byteLength)
      this.#contiguous = this.#arrived.endOfOnes(this.#contiguous)
    }
    if (offset + BigInt(chunk.byteLength) <= max) return
    const skipped = offset < max ? headersBytesMax - Number(offset) : 0
    this.#early.push({ offset: offset + BigInt(skipped), chunk: chunk.slice(skipped) })
    this.#earlyBytes += chunk.byteLength - skipped
    if (this.#early.length > earlyDataPiecesMax || this.#earlyBytes > earlyDataBytesMax) {
      const value = `${this.#earlyBytes} bytes in ${this.#early.length} pieces before the headers`
      throw new CoreFormatError('headersLate', value)
    }
  }

  /** The headers, as soon as they have come. */
  #readHeaders(): Known | undefined {
    if (this.#contiguous < this.#headersNeeded) return undefined
    const { order, header } = readCoreElfHeader(this.#head.bytes)
    const { expectedOrder } = this.#options
    if (expectedOrder !== undefined && order !== expectedOrder) {
      throw new CoreFormatError('byteOrder', `${order}-endian instead of ${expectedOrder}-endian`)
    }
    const count = header.programHeaderCount
    const end = header.programHeaderOffset + BigInt(count * programHeaderLayout.size)
    if (
      header.programHeaderOffset < BigInt(elfHeaderLayout.size) ||
      end > BigInt(headersBytesMax)
    ) {
      const value = `e_phoff ${header.programHeaderOffset} with ${count} program headers`
      throw new CoreFormatError('programHeadersPlace', value)
    }
    const headersEnd = Number(end)
    this.#headersNeeded = headersEnd
    if (this.#contiguous < headersEnd) return undefined
    const offset = Number(header.programHeaderOffset)
    const programHeaders = decodeProgramHeaders(this.#head.bytes, { order, offset, count })
    const segments = coreSegments(programHeaders, headersEnd)
    this.#known = {
      outline: { order, flags: header.flags, loads: segments.loads },
      segments,
      headersEnd,
      notes: segments.notes.map(() => new GrowingBytes()),
    }
    return this.#known
  }

  /** What came with or before the headers. */
  *#releaseEarly(known: Known): Generator<CorePiece> {
    const early = this.#early
    this.#early = []
    const data = this.#head.bytes.slice(known.headersEnd)
    this.#head.truncate(known.headersEnd)
    this.#arrived.truncate(0)
    yield* this.#route(known, BigInt(known.headersEnd), data)
    for (const { offset, chunk } of early) yield* this.#route(known, offset, chunk)
  }

  *#route(known: Known, offset: bigint, chunk: Uint8Array): Generator<CorePiece> {
    if (chunk.byteLength === 0) return
    this.#checkHeadersUnchanged(known, offset, chunk)
    const end = offset + BigInt(chunk.byteLength)
    const { file, loads } = known.segments
    for (let at = segmentAt(file, offset); at < file.length; at += 1) {
      const segment = file[at]
      if (segment === undefined || segment.start >= end) return
      const from = segment.start > offset ? segment.start : offset
      const to = segment.end < end ? segment.end : end
      const bytes = chunk.subarray(Number(from - offset), Number(to - offset))
      const within = from - segment.start
      const load = loads[segment.index]
      if (segment.holds === 'notes') known.notes[segment.index]?.set(Number(within), bytes)
      else if (load) yield { address: realAddress(load.physical + within), bytes }
    }
  }

  #checkHeadersUnchanged(known: Known, offset: bigint, chunk: Uint8Array): void {
    if (offset >= BigInt(known.headersEnd)) return
    const start = Number(offset)
    const head = this.#head.bytes.subarray(start)
    const part = chunk.subarray(0, head.byteLength)
    if (compareBytes(part, head.subarray(0, part.byteLength)) !== 0) {
      throw new CoreFormatError('headersChanged', `${part.byteLength} other bytes at ${start}`)
    }
  }
}

function readNotes(
  areas: readonly Uint8Array[],
  order: ByteOrder,
): Pick<CoreContents, 'cpus' | 'vmcoreinfo'> {
  const cpus: Prstatus[] = []
  let vmcoreinfo: string | undefined
  let count = 0
  for (const area of areas) {
    for (const note of notesOf(area, order)) {
      count += 1
      if (isPrstatus(note)) cpus.push(decodePrstatus(note.descriptor, order))
      if (isVmcoreinfo(note)) vmcoreinfo ??= checkedVmcoreinfo(note)
      if (count > notesMax || cpus.length > prstatusNotesMax) {
        throw new CoreFormatError('tooManyNotes', `${count} notes, ${cpus.length} NT_PRSTATUS`)
      }
    }
  }
  return vmcoreinfo === undefined ? { cpus } : { cpus, vmcoreinfo }
}

function checkedVmcoreinfo(note: FoundNote): string {
  if (note.descriptor.byteLength > vmcoreinfoBytesMax) {
    throw new CoreFormatError('vmcoreinfoTooLarge', `${note.descriptor.byteLength} bytes`)
  }
  return vmcoreinfoText(note)
}

/** The index of the first segment that ends behind `offset`. */
function segmentAt(segments: CoreSegments['file'], offset: bigint): number {
  let low = 0
  let high = segments.length
  while (low < high) {
    const middle = (low + high) >> 1
    const segment = segments[middle]
    if (segment !== undefined && segment.end <= offset) low = middle + 1
    else high = middle
  }
  return low
}
