/**
 * Partition memory: the port that every composition fills in (heap, Redis).
 *
 * A *space* is a sparse map of 64 KiB pages: a partition's memory, or a memory image to start partitions from.
 * An absent page reads as zeros and costs nothing; equal pages of one frame are stored once. Beside its memory a
 * space carries a few small *records* (firmware and kernel state), so that memory and state change in one atomic
 * `commit`: a torn preserve is impossible by construction.
 *
 * What is deliberately NOT here: Redis types, connections, locks, partitions, dumps.
 */
import {
  invariant,
  type ByteLength,
  type MemoryRange,
  type RealAddress,
  type Tagged,
} from '../units/index.ts'

/** The granule of sparseness and sharing. Independent of the page size of any kernel. */
export const pageSize = 65_536
/** The most bytes one `read` or `write` moves; callers loop, so that no service holds more than a window. */
export const transferBytesMax = 2 * 1024 * 1024
/** The most pages whose digests one call of `digests` tells: 64 MiB of memory. */
export const digestPagesMax = 1024
/** The most bytes of one record. */
export const recordBytesMax = 4 * 1024 * 1024
/** The most bytes that the `writes` of one commit carry together (an 896-CPU register save area is 7 MiB). */
export const commitBytesMax = 64 * 1024 * 1024
/** The most clears, copies and writes of one commit together. */
export const changeOperationsMax = 16_384
/** The most records that one change sets. */
export const recordsMax = 256

/**
 * `frame` shares pages and one Redis Cluster slot; `space` is unique in its frame, e.g. `partition/p7-2g`.
 * A frame is 1–64 of `a-z 0-9 -`, a space 1–128 of `A-Z a-z 0-9 . _ / -`; anything else is a programmer error.
 */
export interface SpaceId {
  readonly frame: string
  readonly space: string
}

/** The generation of a boot, from 0. A writer of another generation is refused, so a stale kernel host cannot write. */
export type Epoch = Tagged<number, 'Epoch'>
/** From 0; increases by one with every commit, and with nothing else: `write` leaves it alone. */
export type Version = Tagged<number, 'Version'>

/** Brands a count that came in over a queue or a record. */
export function toEpoch(value: number): Epoch {
  invariant(Number.isSafeInteger(value) && value >= 0, `an epoch must be a count, not ${value}`)
  return value as Epoch
}

/** Brands a count that came in over a queue or a record. */
export function toVersion(value: number): Version {
  invariant(Number.isSafeInteger(value) && value >= 0, `a version must be a count, not ${value}`)
  return value as Version
}

export interface SpaceDescription {
  readonly size: ByteLength
  readonly epoch: Epoch
  readonly version: Version
  /** Pages of `pageSize` that are present. */
  readonly populatedPages: number
}

/**
 * One atomic change. A clone comes first; what then lies in memory is the memory "as it was before". All copies read
 * that; then clears, copies, writes apply in that order, and within one list in the order of the list: the last one wins.
 */
export interface MemoryChange {
  /** Refused unless the space has this epoch (`stale-epoch`) and this version (`version-conflict`). */
  readonly expect?: { readonly version?: Version; readonly epoch?: Epoch }
  /** Records to set; `null` removes, and removing what is not set is no error. */
  readonly records?: Readonly<Record<string, string | null>>
  /**
   * Replaces all memory by that of another space of the same frame (pages are shared, not copied; records stay). The
   * source must not be larger (`out-of-range`); what it does not have is zero.
   */
  readonly cloneFrom?: SpaceId
  readonly clears?: readonly MemoryRange[]
  /** Any alignment and length; source and target may overlap. Congruent pages are shared, not copied. */
  readonly copies?: readonly MemoryCopy[]
  readonly writes?: readonly MemoryWrite[]
  /** Starts the next boot generation: writers of the present one are refused from here on. */
  readonly nextEpoch?: boolean
}

export interface MemoryCopy {
  readonly source: RealAddress
  readonly target: RealAddress
  readonly length: ByteLength
}

export interface MemoryWrite {
  readonly address: RealAddress
  readonly bytes: Uint8Array
}

export interface PopulatedPage {
  /** Page-aligned ranges of which every page is present, ascending, neighbours joined. */
  readonly ranges: readonly MemoryRange[]
  /**
   * Where to go on; absent when `range` is exhausted. One call looks at a bounded part of a space, so `ranges` can be
   * shorter than the limit, or empty, and a range that is cut here continues in the next call.
   */
  readonly next?: RealAddress
}

/** What a frame's spaces cost together. */
export interface FrameUsage {
  readonly spaces: number
  /** Distinct pages stored. */
  readonly pages: number
  /** Page references held by spaces: `references − pages` is what sharing saves. */
  readonly references: number
}

export type StoreErrorCode =
  | 'no-such-space'
  | 'space-exists'
  | 'out-of-range'
  | 'stale-epoch'
  | 'version-conflict'
  | 'too-large'
  /** The store does not answer or takes no data now; whether the operation took place is not known. */
  | 'unavailable'

/** Every refusal of a store; `code` is the contract, the message is for people. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode
  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/**
 * Every operation can fail with `unavailable`. Where several refusals apply, the first of this list is given: `too-large`,
 * `no-such-space` or `space-exists`, `out-of-range`, `stale-epoch`, `version-conflict`. A refused operation has changed nothing.
 *
 * Each call is atomic: a `read`, a call of `digests`, a `write`, a `readRecord`, one call of `populated` and a `commit` of any length see, and are
 * seen, as a whole. Two calls are not: read a version before and after to know that nothing was committed between.
 */
export interface MemoryStore extends AsyncDisposable {
  /** All frames that hold a space, ascending. */
  listFrames(): Promise<readonly string[]>
  /** The spaces of a frame, ascending. */
  listSpaces(frame: string): Promise<readonly string[]>
  /** Makes an empty space of `size` bytes (a positive multiple of `pageSize`). Errors: `space-exists`, `too-large`. */
  createSpace(
    id: SpaceId,
    size: ByteLength,
    records?: Readonly<Record<string, string>>,
  ): Promise<SpaceDescription>
  /** Removes memory and records; a space that does not exist is no error. */
  deleteSpace(id: SpaceId): Promise<void>
  describe(id: SpaceId): Promise<SpaceDescription | undefined>
  /**
   * `length` ≤ `transferBytesMax`; absent pages read as zeros; the caller owns the result. Errors: `too-large`,
   * `no-such-space`, `out-of-range`.
   */
  read(id: SpaceId, address: RealAddress, length: number): Promise<Uint8Array>
  /**
   * SHA-256 of each page of `range`, which is page-aligned and has at most `digestPagesMax` pages, as 64 hexadecimal
   * digits; `undefined` for an absent page. No byte moves: pages are content-addressed. Errors: as `read`.
   */
  digests(id: SpaceId, range: MemoryRange): Promise<readonly (string | undefined)[]>
  /**
   * Any alignment, ≤ `transferBytesMax`; a page that becomes all zero becomes absent. Errors: as `read`, `stale-epoch`
   * unless `epoch` is the present one, and `version-conflict` when others keep changing a page that is written in part.
   */
  write(id: SpaceId, write: MemoryWrite, epoch: Epoch): Promise<void>
  /**
   * The present pages that `range` touches, at most `limit` (> 0) ranges a call. Errors: `no-such-space`, `out-of-range`.
   */
  populated(id: SpaceId, range: MemoryRange, limit: number): Promise<PopulatedPage>
  /** The value and the space's version at that moment; `undefined` when the record is not set. Errors: `no-such-space`. */
  readRecord(
    id: SpaceId,
    name: string,
  ): Promise<{
    readonly value: string | undefined
    readonly version: Version
    readonly epoch: Epoch
  }>
  /**
   * All or nothing; gives the version and epoch after it. Errors: `too-large`, `no-such-space` (also of `cloneFrom`),
   * `out-of-range`, `stale-epoch`, `version-conflict` (also when others keep changing memory that the change reads).
   */
  commit(
    id: SpaceId,
    change: MemoryChange,
  ): Promise<{ readonly version: Version; readonly epoch: Epoch }>
  usage(frame: string): Promise<FrameUsage>
  /** Resolves when the store answers. Errors: `unavailable`. */
  ping(): Promise<void>
}
