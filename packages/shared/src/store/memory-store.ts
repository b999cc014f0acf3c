/**
 * Partition memory: the port that every composition fills in (heap, Redis).
 *
 * A *space* is a sparse map of 64 KiB pages: a partition's memory, or a memory image to start partitions from.
 * An absent page reads as zeros and costs nothing; equal pages of one frame are stored once. Beside its memory a
 * space carries a few small *records* (firmware and kernel state), so that memory and state change in one atomic
 * `commit`: a torn preserve is impossible by construction.
 *
 * What is deliberately NOT here: Redis types, connections, locks, partitions, dumps. Nobody sees a page id.
 */
import type { ByteLength, MemoryRange, RealAddress, Tagged } from '../units/index.ts'

/** The granule of sparseness and sharing. Independent of the page size of any kernel. */
export const pageSize = 65_536
/** The most bytes one `read` or `write` moves; callers loop, so that no service holds more than a window. */
export const transferBytesMax = 2 * 1024 * 1024
/** The most bytes of one record. */
export const recordBytesMax = 4 * 1024 * 1024
/** The most bytes that the `writes` of one commit carry together (an 896-CPU register save area is 7 MiB). */
export const commitBytesMax = 64 * 1024 * 1024

/** `frame` shares pages and one Redis Cluster slot; `space` is unique in its frame, e.g. `partition/p7-2g`. */
export interface SpaceId {
  readonly frame: string
  readonly space: string
}

/** The generation of a boot. A writer of an earlier generation is refused, so a stale kernel host cannot write. */
export type Epoch = Tagged<number, 'Epoch'>
/** Increases with every commit. */
export type Version = Tagged<number, 'Version'>

export interface SpaceDescription {
  readonly size: ByteLength
  readonly epoch: Epoch
  readonly version: Version
  /** Pages of `pageSize` that are present. */
  readonly populatedPages: number
}

/** One atomic change. All copies read the memory as it was before; then clears, copies, writes apply in that order. */
export interface MemoryChange {
  readonly expect?: { readonly version?: Version; readonly epoch?: Epoch }
  /** Records to set; `null` removes. */
  readonly records?: Readonly<Record<string, string | null>>
  /** Replaces all memory by that of another space of the same frame (pages are shared, not copied). */
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
  /** Page-aligned ranges that hold at least one present page each, ascending, neighbours joined. */
  readonly ranges: readonly MemoryRange[]
  /** Where to go on; absent when `range` is exhausted. */
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

export interface MemoryStore extends AsyncDisposable {
  /** All frames that hold a space, ascending. */
  listFrames(): Promise<readonly string[]>
  /** The spaces of a frame, ascending. */
  listSpaces(frame: string): Promise<readonly string[]>
  /** Makes an empty space of `size` bytes (a multiple of `pageSize`). Errors: `space-exists`. */
  createSpace(
    id: SpaceId,
    size: ByteLength,
    records?: Readonly<Record<string, string>>,
  ): Promise<SpaceDescription>
  /** Removes memory and records; a space that does not exist is no error. */
  deleteSpace(id: SpaceId): Promise<void>
  describe(id: SpaceId): Promise<SpaceDescription | undefined>
  /** `length` ≤ `transferBytesMax`; absent pages read as zeros. Errors: `no-such-space`, `out-of-range`, `too-large`. */
  read(id: SpaceId, address: RealAddress, length: number): Promise<Uint8Array>
  /** Any alignment, ≤ `transferBytesMax`; a page that becomes all zero becomes absent. Errors: as `read`, `stale-epoch`. */
  write(id: SpaceId, write: MemoryWrite, epoch: Epoch): Promise<void>
  /** The present pages within `range`, at most `limit` ranges a call. */
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
  /** All or nothing. Errors: `no-such-space`, `out-of-range`, `stale-epoch`, `version-conflict`, `too-large`. */
  commit(
    id: SpaceId,
    change: MemoryChange,
  ): Promise<{ readonly version: Version; readonly epoch: Epoch }>
  usage(frame: string): Promise<FrameUsage>
  /** Resolves when the store answers. Errors: `unavailable`. */
  ping(): Promise<void>
}
