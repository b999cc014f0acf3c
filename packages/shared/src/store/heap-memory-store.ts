/**
 * Partition memory in the heap of this process: for the demo, the simulator and other people's test suites.
 *
 * Every operation runs to its end without yielding, so it is atomic by construction. Pages are shared by content as in
 * the Redis store, so that both cost and refuse the same.
 */
import { isZero, type ByteLength, type MemoryRange, type RealAddress } from '../units/index.ts'
import { composePage, copyMemory, type PageReader } from './change/compose-page.ts'
import {
  composeShifted,
  pageOf,
  planPages,
  shiftedSources,
  type ComposedPage,
  type PagePlan,
} from './change/page-plan.ts'
import { segmentsOf } from './change/segments.ts'
import {
  checkChange,
  checkChangeRanges,
  checkDigestRange,
  checkFrame,
  checkLimit,
  checkRange,
  checkRecords,
  checkSize,
  checkSpaceId,
  checkTransfer,
  checkWithin,
  noSuchSpace,
  spaceExists,
  staleEpoch,
  unavailable,
  versionConflict,
} from './checks.ts'
import { PagePool, PageTable, type Page } from './heap/page-table.ts'
import {
  pageSize,
  toEpoch,
  toVersion,
  type Epoch,
  type FrameUsage,
  type MemoryChange,
  type MemoryStore,
  type MemoryWrite,
  type PopulatedPage,
  type SpaceDescription,
  type SpaceId,
  type Version,
} from './memory-store.ts'
import { pageDigest, pageId } from './page-id.ts'
import { joinPages } from './page-ranges.ts'

interface Space {
  readonly size: ByteLength
  readonly records: Map<string, string>
  readonly table: PageTable
  epoch: number
  version: number
}

interface Frame {
  readonly pool: PagePool
  readonly spaces: Map<string, Space>
}

export function createHeapMemoryStore(): MemoryStore {
  return new HeapMemoryStore()
}

export class HeapMemoryStore implements MemoryStore {
  readonly #frames = new Map<string, Frame>()
  #disposed = false

  async listFrames(): Promise<readonly string[]> {
    this.#checkOpen()
    return [...this.#frames.keys()].toSorted()
  }

  async listSpaces(frame: string): Promise<readonly string[]> {
    this.#checkOpen()
    checkFrame(frame)
    return [...(this.#frames.get(frame)?.spaces.keys() ?? [])].toSorted()
  }

  async createSpace(
    id: SpaceId,
    size: ByteLength,
    records: Readonly<Record<string, string>> = {},
  ): Promise<SpaceDescription> {
    this.#checkOpen()
    checkSpaceId(id)
    checkSize(size)
    checkRecords(records)
    const frame = this.#frames.get(id.frame) ?? { pool: new PagePool(), spaces: new Map() }
    if (frame.spaces.has(id.space)) throw spaceExists(id)
    const table = new PageTable(frame.pool)
    const space = { size, table, records: new Map(Object.entries(records)), epoch: 0, version: 0 }
    this.#frames.set(id.frame, frame)
    frame.spaces.set(id.space, space)
    return descriptionOf(space)
  }

  async deleteSpace(id: SpaceId): Promise<void> {
    this.#checkOpen()
    checkSpaceId(id)
    const frame = this.#frames.get(id.frame)
    frame?.spaces.get(id.space)?.table.clear()
    frame?.spaces.delete(id.space)
    if (frame?.spaces.size === 0) this.#frames.delete(id.frame)
  }

  async describe(id: SpaceId): Promise<SpaceDescription | undefined> {
    this.#checkOpen()
    checkSpaceId(id)
    const space = this.#frames.get(id.frame)?.spaces.get(id.space)
    return space === undefined ? undefined : descriptionOf(space)
  }

  async read(id: SpaceId, address: RealAddress, length: number): Promise<Uint8Array> {
    checkTransfer(length)
    const { space } = this.#open(id)
    checkWithin(id, { size: space.size, start: address, length: BigInt(length) })
    const bytes = new Uint8Array(length)
    copyMemory(bytes, address, readerOf(space.table))
    return bytes
  }

  async digests(id: SpaceId, range: MemoryRange): Promise<readonly (string | undefined)[]> {
    const pages = checkDigestRange(range)
    const { space } = this.#open(id)
    checkRange(id, space.size, range)
    return pages.map((number) => {
      const page = space.table.get(number)
      return page === undefined ? undefined : pageDigest(page.id ?? pageId(page.body))
    })
  }

  async write(id: SpaceId, write: MemoryWrite, epoch: Epoch): Promise<void> {
    const length = write.bytes.byteLength
    checkTransfer(length)
    const { frame, space } = this.#open(id)
    checkWithin(id, { size: space.size, start: write.address, length: BigInt(length) })
    checkEpoch(id, space, epoch)
    const plan = planPages(segmentsOf({ writes: [write] }))
    const target = { pool: frame.pool, before: space.table, table: space.table }
    const composed = plan.composed.filter((page) => !writeInPlace(page, target))
    carryOut({ ...plan, composed }, target)
  }

  async populated(id: SpaceId, range: MemoryRange, limit: number): Promise<PopulatedPage> {
    checkLimit(limit)
    const { space } = this.#open(id)
    checkRange(id, space.size, range)
    const end = pageOf(range.end + BigInt(pageSize) - 1n)
    return joinPages(space.table.present(pageOf(range.start), end), limit)
  }

  async readRecord(
    id: SpaceId,
    name: string,
  ): Promise<{ value: string | undefined; version: Version; epoch: Epoch }> {
    const { space } = this.#open(id)
    return { value: space.records.get(name), ...stampOf(space) }
  }

  async commit(id: SpaceId, change: MemoryChange): Promise<{ version: Version; epoch: Epoch }> {
    checkChange(id, change)
    const { frame, space } = this.#open(id)
    const clone = change.cloneFrom === undefined ? undefined : this.#open(change.cloneFrom).space
    checkChangeRanges(id, change, { space: space.size, clone: clone?.size })
    checkExpectations(id, space, change)
    if (clone !== undefined && clone !== space) replaceTable(frame.pool, space.table, clone.table)
    const plan = planPages(segmentsOf(change))
    carryOut(plan, { pool: frame.pool, before: space.table, table: space.table })
    for (const [name, value] of Object.entries(change.records ?? {})) {
      if (value === null) space.records.delete(name)
      else space.records.set(name, value)
    }
    space.version += 1
    if (change.nextEpoch === true) space.epoch += 1
    return stampOf(space)
  }

  async usage(frame: string): Promise<FrameUsage> {
    this.#checkOpen()
    checkFrame(frame)
    const found = this.#frames.get(frame)
    if (found === undefined) return { spaces: 0, pages: 0, references: 0 }
    const tables = [...found.spaces.values()].map((space) => space.table.count)
    const references = tables.reduce((sum, count) => sum + count, 0)
    return { spaces: found.spaces.size, pages: found.pool.size, references }
  }

  async ping(): Promise<void> {
    this.#checkOpen()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true
    this.#frames.clear()
  }

  #open(id: SpaceId): { frame: Frame; space: Space } {
    this.#checkOpen()
    checkSpaceId(id)
    const frame = this.#frames.get(id.frame)
    const space = frame?.spaces.get(id.space)
    if (frame === undefined || space === undefined) throw noSuchSpace(id)
    return { frame, space }
  }

  #checkOpen(): void {
    if (this.#disposed) throw unavailable('the memory store has been closed')
  }
}

interface Target {
  readonly pool: PagePool
  /** The memory as it was before; may be the same table. */
  readonly before: PageTable
  readonly table: PageTable
}

/** Works out every new page first, because copies read the memory as it was before; then puts them in place. */
function carryOut(plan: PagePlan, target: Target): void {
  const pages = new Map<number, Page | undefined>()
  clearPages(plan, target, pages)
  for (const { source, target: first, count } of plan.shared) {
    for (const page of target.before.present(source, source + count)) {
      const shared = target.before.get(page)
      if (shared !== undefined) pages.set(first + page - source, target.pool.share(shared))
    }
  }
  const reader = readerOf(target.before)
  for (const composed of composedPages(plan, target.before)) {
    const body = composePage(composed, reader)
    pages.set(composed.page, body === undefined ? undefined : target.pool.acquire(body))
  }
  for (const [page, next] of pages) target.table.set(page, next)
}

/** A page that nobody else refers to takes the bytes of a write as they are; `false`: it does not, or may be all zero then. */
function writeInPlace({ page, pieces }: ComposedPage, { pool, table }: Target): boolean {
  const present = table.get(page)
  const body = present === undefined ? undefined : pool.ownBody(present)
  const writes = pieces.flatMap(({ at, origin }) =>
    origin.kind === 'bytes' ? [{ at, bytes: origin.bytes }] : [],
  )
  const isPlain = writes.length === pieces.length && writes.some(({ bytes }) => !isZero(bytes))
  if (body === undefined || !isPlain) return false
  for (const { at, bytes } of writes) body.set(bytes, at)
  return true
}

function clearPages(plan: PagePlan, target: Target, pages: Map<number, Page | undefined>): void {
  const shared = plan.shared.map((run) => ({ first: run.target, count: run.count }))
  for (const { first, count } of [...plan.cleared, ...shared, ...plan.shifted]) {
    for (const page of target.table.present(first, first + count)) pages.set(page, undefined)
  }
}

function* composedPages(plan: PagePlan, before: PageTable): Generator<ComposedPage> {
  yield* plan.composed
  for (const run of plan.shifted) {
    const { first, count } = shiftedSources(run)
    yield* composeShifted(run, before.present(first, first + count))
  }
}

function replaceTable(pool: PagePool, target: PageTable, source: PageTable): void {
  target.clear()
  for (const page of source.present(0, Number.MAX_SAFE_INTEGER)) {
    const shared = source.get(page)
    if (shared !== undefined) target.set(page, pool.share(shared))
  }
}

function checkExpectations(id: SpaceId, space: Space, { expect }: MemoryChange): void {
  if (expect?.epoch !== undefined) checkEpoch(id, space, expect.epoch)
  if (expect?.version !== undefined && expect.version !== space.version) {
    throw versionConflict(id, `has version ${space.version}, not ${expect.version} as expected`)
  }
}

function checkEpoch(id: SpaceId, space: Space, expected: Epoch): void {
  if (expected !== space.epoch) throw staleEpoch(id, { expected, present: space.epoch })
}

function readerOf(table: PageTable): PageReader {
  return (page) => table.get(page)?.body
}

function descriptionOf(space: Space): SpaceDescription {
  return { size: space.size, populatedPages: space.table.count, ...stampOf(space) }
}

function stampOf(space: Space): { version: Version; epoch: Epoch } {
  return { version: toVersion(space.version), epoch: toEpoch(space.epoch) }
}
