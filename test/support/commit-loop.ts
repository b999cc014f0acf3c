/**
 * A process that commits in a loop, to be killed in the middle of it, and the look at what it has left.
 *
 * Commit n puts n into a record and makes three far-apart regions of memory carry it: `written` by bytes, `shifted` by an
 * unaligned copy (its pages are staged), `shared` by an aligned one. Both copies read a source that the commit before has
 * prepared. So the record and all regions carry one number, whatever happens, or a commit was torn.
 *
 * Run as a program it takes the URL of Redis, a frame and a space, and prints `begin <n>` before each commit.
 */
import assert from 'node:assert/strict'
import {
  createRedisMemoryStore,
  pageSize,
  type MemoryStore,
  type SpaceId,
} from '@fadump-lab/shared/store'
import {
  advance,
  byteLength,
  concat,
  realAddress,
  type RealAddress,
} from '@fadump-lab/shared/units'

export const loopSpaceBytes = byteLength(1n << 32n)

const regionBytes = 40 * pageSize
const regions = {
  written: realAddress(0x0000_0100n),
  shifted: realAddress(0x4000_0fffn),
  shared: realAddress(0x8000_0000n),
  source: realAddress(0xc000_0000n),
} as const
/** Staged pages of a dead process are dropped by the next commit after this time. */
const stagingLeaseMs = 1

export async function commitLoopStep(store: MemoryStore, id: SpaceId, n: number): Promise<void> {
  const copy = (target: RealAddress) => ({
    source: regions.source,
    target,
    length: byteLength(regionBytes),
  })
  await store.commit(id, {
    records: { n: String(n) },
    copies: [copy(regions.shifted), copy(regions.shared)],
    writes: [
      { address: regions.written, bytes: contentOf(n) },
      { address: regions.source, bytes: contentOf(n + 1) },
    ],
  })
}

/** The number that the record and all regions carry; fails when they do not agree. */
export async function loopNumber(store: MemoryStore, id: SpaceId): Promise<number> {
  const { value } = await store.readRecord(id, 'n')
  const n = Number(value ?? 0)
  for (const [name, address] of Object.entries(regions)) {
    // Before the first commit everything is zero.
    const expected =
      n === 0 ? new Uint8Array(regionBytes) : contentOf(name === 'source' ? n + 1 : n)
    const isFirstCopy = n === 1 && (name === 'shifted' || name === 'shared')
    const memory = await readAll(store, id, address)
    assert.deepEqual(
      memory,
      isFirstCopy ? new Uint8Array(regionBytes) : expected,
      `${name} of ${n}`,
    )
  }
  return n
}

function contentOf(n: number): Uint8Array {
  const bytes = new Uint8Array(regionBytes)
  for (let page = 0; page * pageSize < regionBytes; page += 1) {
    bytes.fill((n + page) % 250, page * pageSize, (page + 1) * pageSize)
  }
  new DataView(bytes.buffer).setUint32(0, n)
  return bytes
}

async function readAll(store: MemoryStore, id: SpaceId, address: RealAddress): Promise<Uint8Array> {
  const half = regionBytes / 2
  const first = await store.read(id, address, half)
  return concat([first, await store.read(id, advance(address, half), half)])
}

if (import.meta.main) {
  const [url = '', frame = '', space = ''] = process.argv.slice(2)
  await using store = await createRedisMemoryStore({ url, stagingLeaseMs })
  const id = { frame, space }
  for (let n = (await loopNumber(store, id)) + 1; ; n += 1) {
    process.stdout.write(`begin ${n}\n`)
    await commitLoopStep(store, id, n)
  }
}
