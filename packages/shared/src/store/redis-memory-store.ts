/**
 * Partition memory in Redis 7 or later: every change is one script, so that any number of processes can share it.
 *
 * `keys.ts` shows the layout. A write carries its page bodies in one transaction with the script that puts them in place; a
 * commit is prepared as `redis/commit.ts` says. A store that has lost its connection answers `unavailable` within the
 * command timeout and works again as soon as Redis does.
 */
import {
  byteLength,
  invariant,
  realAddress,
  type ByteLength,
  type MemoryRange,
  type RealAddress,
} from '../units/index.ts'
import { copyMemory, type PageReader } from './change/compose-page.ts'
import { pageOf, pageStart } from './change/page-plan.ts'
import {
  checkChange,
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
} from './checks.ts'
import {
  leafPrefix,
  leavesKey,
  recordKey,
  recordPrefix,
  recordsKey,
  referencesKey,
  spaceKey,
  spacesKey,
  stagingsKey,
  trashKey,
} from './keys.ts'
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
import { pageDigest } from './page-id.ts'
import { joinPages } from './page-ranges.ts'
import { commitChange } from './redis/commit.ts'
import { RedisConnection, type ConnectionOptions } from './redis/connection.ts'
import { enterFrame, leaveFrameIfEmpty, listFrames, listSpaces } from './redis/frame-index.ts'
import { loadScripts } from './redis/script-source.ts'
import { fetchPages, listPages, locatePages, readPagesAtOnce } from './redis/space-reader.ts'
import { sweepTrash } from './redis/trash.ts'
import { writeMemory } from './redis/write.ts'

export interface RedisMemoryStoreOptions extends ConnectionOptions {
  /** How long staged pages outlive the last sign of the process that stages them. */
  readonly stagingLeaseMs?: number
}

const stagingLeaseMsDefault = 60_000
/** Leaves of 256 MiB that one call of `populated` looks at. */
const leavesPerCall = 16
/** How often a read looks again before it takes the slower way that cannot miss. */
const readAttemptsMax = 4

/** Resolves with or without Redis: a store without Redis is a store that answers `unavailable`. */
export async function createRedisMemoryStore(
  options: RedisMemoryStoreOptions,
): Promise<RedisMemoryStore> {
  const connection = new RedisConnection(options, await loadScripts())
  await connection.opened()
  return new RedisMemoryStore(connection, options.stagingLeaseMs ?? stagingLeaseMsDefault)
}

export class RedisMemoryStore implements MemoryStore {
  readonly #connection: RedisConnection
  readonly #stagingLeaseMs: number

  constructor(connection: RedisConnection, stagingLeaseMs: number) {
    this.#connection = connection
    this.#stagingLeaseMs = stagingLeaseMs
  }

  async listFrames(): Promise<readonly string[]> {
    return await listFrames(this.#connection)
  }

  async listSpaces(frame: string): Promise<readonly string[]> {
    checkFrame(frame)
    return await listSpaces(this.#connection, frame)
  }

  async createSpace(
    id: SpaceId,
    size: ByteLength,
    records: Readonly<Record<string, string>> = {},
  ): Promise<SpaceDescription> {
    checkSpaceId(id)
    checkSize(size)
    checkRecords(records)
    await enterFrame(this.#connection, id.frame)
    const [status] = await this.#connection.run('createSpace', {
      keys: { spaces: spacesKey(id.frame), space: spaceKey(id), records: recordsKey(id) },
      args: { name: id.space, size: String(size), record: recordPrefix(id) },
      rest: Object.entries(records).flat(),
    })
    if (status === 'space-exists') throw spaceExists(id)
    await enterFrame(this.#connection, id.frame)
    return { size, epoch: toEpoch(0), version: toVersion(0), populatedPages: 0 }
  }

  async deleteSpace(id: SpaceId): Promise<void> {
    checkSpaceId(id)
    await this.#connection.run('deleteSpace', {
      keys: {
        spaces: spacesKey(id.frame),
        space: spaceKey(id),
        records: recordsKey(id),
        leaves: leavesKey(id),
        leaf: leafPrefix(id),
        stagings: stagingsKey(id),
        trash: trashKey(id.frame),
      },
      args: { name: id.space, record: recordPrefix(id) },
    })
    await sweepTrash(this.#connection, id.frame, Number.MAX_SAFE_INTEGER)
    await leaveFrameIfEmpty(this.#connection, id.frame)
  }

  async describe(id: SpaceId): Promise<SpaceDescription | undefined> {
    checkSpaceId(id)
    const fields = ['size', 'epoch', 'version', 'pages']
    const values = await this.#connection.command('HMGET', spaceKey(id), ...fields)
    invariant(Array.isArray(values), 'fields come as a list')
    const [size, epoch, version, pages] = values
    if (size === null) return undefined
    return {
      size: byteLength(BigInt(String(size))),
      epoch: toEpoch(Number(epoch)),
      version: toVersion(Number(version)),
      populatedPages: Number(pages),
    }
  }

  async read(id: SpaceId, address: RealAddress, length: number): Promise<Uint8Array> {
    checkTransfer(length)
    checkSpaceId(id)
    const reader = await this.#readerOf(id, address, length)
    const bytes = new Uint8Array(length)
    copyMemory(bytes, address, reader)
    return bytes
  }

  async digests(id: SpaceId, range: MemoryRange): Promise<readonly (string | undefined)[]> {
    const pages = checkDigestRange(range)
    checkSpaceId(id)
    const located = await locatePages(this.#connection, id, pages)
    checkRange(id, byteLength(located.size), range)
    return pages.map((page) => {
      const found = located.ids.get(page)
      return found === undefined ? undefined : pageDigest(found)
    })
  }

  async write(id: SpaceId, write: MemoryWrite, epoch: Epoch): Promise<void> {
    checkTransfer(write.bytes.byteLength)
    checkSpaceId(id)
    await writeMemory(this.#connection, { id, write, epoch })
  }

  async populated(id: SpaceId, range: MemoryRange, limit: number): Promise<PopulatedPage> {
    checkLimit(limit)
    checkSpaceId(id)
    const end = pageOf(range.end + BigInt(pageSize) - 1n)
    const bounds = { first: pageOf(range.start), end, leavesMax: leavesPerCall }
    const listed = await listPages(this.#connection, id, bounds)
    checkRange(id, byteLength(listed.size), range)
    const joined = joinPages(listed.pages, limit)
    if (joined.next !== undefined || listed.next === undefined) return joined
    return { ranges: joined.ranges, next: realAddress(pageStart(listed.next)) }
  }

  async readRecord(
    id: SpaceId,
    name: string,
  ): Promise<{ value: string | undefined; version: Version; epoch: Epoch }> {
    checkSpaceId(id)
    const [status, value, version, epoch] = await this.#connection.run('readRecord', {
      keys: { space: spaceKey(id), record: recordKey(id, name) },
      args: {},
    })
    if (status === 'no-such-space') throw noSuchSpace(id)
    return {
      value: typeof value === 'string' ? value : undefined,
      version: toVersion(Number(version)),
      epoch: toEpoch(Number(epoch)),
    }
  }

  async commit(id: SpaceId, change: MemoryChange): Promise<{ version: Version; epoch: Epoch }> {
    checkSpaceId(id)
    checkChange(id, change)
    const leaseMs = this.#stagingLeaseMs
    return await commitChange(this.#connection, { id, change, leaseMs })
  }

  async usage(frame: string): Promise<FrameUsage> {
    checkFrame(frame)
    const [, spaces, pages, references] = await this.#connection.run('usage', {
      keys: {
        spaces: spacesKey(frame),
        space: spaceKey({ frame, space: '' }),
        references: referencesKey(frame),
      },
      args: {},
    })
    return { spaces: Number(spaces), pages: Number(pages), references: Number(references) }
  }

  async ping(): Promise<void> {
    await this.#connection.command('PING')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]()
  }

  async #readerOf(id: SpaceId, address: RealAddress, length: number): Promise<PageReader> {
    const pages = pagesBetween(address, address + BigInt(length))
    for (let attempt = 0; attempt < readAttemptsMax; attempt += 1) {
      const located = await locatePages(this.#connection, id, pages)
      checkWithin(id, { size: located.size, start: address, length: BigInt(length) })
      const reader = await fetchPages(this.#connection, id.frame, located)
      if (reader !== undefined) return reader
    }
    return await readPagesAtOnce(this.#connection, id, pages)
  }
}

/** The pages that hold a byte of `[start, end)`. */
function pagesBetween(start: bigint, end: bigint): number[] {
  const first = pageOf(start)
  const count = start === end ? 0 : pageOf(end - 1n) - first + 1
  return Array.from({ length: count }, (_, index) => first + index)
}
