/** What the conformance suite needs of a store under test, and small words for its tests. */
import assert from 'node:assert/strict'
import {
  byteLength,
  memoryRange,
  realAddress,
  type ByteLength,
  type MemoryRange,
  type RealAddress,
} from '../../units/index.ts'
import {
  pageSize,
  StoreError,
  toEpoch,
  type MemoryCopy,
  type MemoryStore,
  type MemoryWrite,
  type SpaceId,
  type StoreErrorCode,
} from '../memory-store.ts'

/** A store, opened twice on the same memory as two processes would, with a way to see what it occupies. */
export interface Subject extends AsyncDisposable {
  readonly store: MemoryStore
  readonly second: MemoryStore
  /** A measure of everything that is stored: keys in Redis, pages in the heap. */
  footprint(): Promise<number>
  /** Fails when what is stored does not add up. */
  audit(): Promise<void>
}

export type OpenSubject = () => Promise<Subject>

export const epoch0 = toEpoch(0)

let frames = 0

/** A frame that no other test has used. */
export function newFrame(): string {
  frames += 1
  return `frame-${frames}`
}

/** A new space of `pages` pages in a new frame. */
export async function aSpace(store: MemoryStore, pages: number): Promise<SpaceId> {
  const id = { frame: newFrame(), space: 'partition/p1' }
  await store.createSpace(id, sizeOf(pages))
  return id
}

export function sizeOf(pages: number): ByteLength {
  return byteLength(BigInt(pages) * BigInt(pageSize))
}

/** The address `offset` bytes into page `page`. */
export function at(page: number, offset = 0): RealAddress {
  return realAddress(BigInt(page) * BigInt(pageSize) + BigInt(offset))
}

/** Pages `first ≤ number < end`. */
export function pages(first: number, end: number): MemoryRange {
  return memoryRange(at(first), at(end))
}

/** `length` bytes of `value`. */
export function filled(value: number, length: number = pageSize): Uint8Array {
  return new Uint8Array(length).fill(value)
}

export function writing(address: RealAddress, bytes: Uint8Array): MemoryWrite {
  return { address, bytes }
}

export function copying(source: RealAddress, target: RealAddress, length: number): MemoryCopy {
  return { source, target, length: byteLength(length) }
}

export async function refuses(code: StoreErrorCode, operation: Promise<unknown>): Promise<void> {
  await assert.rejects(operation, (error) => {
    assert.ok(error instanceof StoreError, `a StoreError, not ${String(error)}`)
    assert.equal(error.code, code, error.message)
    return true
  })
}

/** The first byte of each page: enough where tests fill whole pages. */
export async function firstBytes(
  store: MemoryStore,
  id: SpaceId,
  count: number,
): Promise<readonly number[]> {
  const values: number[] = []
  for (let page = 0; page < count; page += 1) {
    const body = await store.read(id, at(page), pageSize)
    const value = body[0] ?? 0
    assert.ok(
      body.every((byte) => byte === value),
      `page ${page} is uniform`,
    )
    values.push(value)
  }
  return values
}

/** Puts pages filled with `values` at the beginning of the space; 0 leaves a page absent. */
export async function fill(
  store: MemoryStore,
  id: SpaceId,
  values: readonly number[],
): Promise<void> {
  const writes = values.map((value, page) => writing(at(page), filled(value)))
  await store.commit(id, { writes })
}
