/** A stored vmcore is read again and every entry of its manifest compared. */
import { createHash, hash } from 'node:crypto'
import type { ManifestEntry } from '@fadump-lab/shared/contracts'
import { toHostLength } from '@fadump-lab/shared/units'
import { errorCode, type Files, type OpenFile } from '../store/files.ts'
import { BoundedRanges, type FileRange } from './bounded-ranges.ts'
import { entriesOf } from './manifest-file.ts'

/** Ranges in `missing` of a dump (contracts/dump.ts). */
export const missingRangesMax = 10_000
/** Read at once: neighbouring entries together, large entries in pieces. */
export const readBytesMax = 4 * 1024 * 1024

/** What reading a vmcore back has found, entry by entry of its manifest. */
export interface Verification {
  readonly entries: number
  /** Entries whose bytes have the digest. */
  readonly good: number
  /** What the other entries cover. */
  readonly bad: readonly FileRange[]
}

export interface StoredVmcore {
  readonly files: Files
  /** Paths. */
  readonly vmcore: string
  readonly manifest: string
  readonly sizeBytes: bigint
  /** Where what was received ends; entries beyond count as bad. */
  readonly receivedEnd: bigint
  readonly signal: AbortSignal
  /** Awaited after every read, with its length. */
  readonly onRead?: (length: number) => Promise<void>
}

/** What cannot be read (the file is gone or too short, the disk says EIO) counts as bad. Errors: others of the file. */
export async function verifyFile(stored: StoredVmcore): Promise<Verification> {
  const { files, sizeBytes, receivedEnd, signal } = stored
  const isThere = (await files.facts(stored.vmcore)) !== undefined
  await using file = isThere ? await files.open(stored.vmcore, 'read') : undefined
  const bufferBytes = sizeBytes < BigInt(readBytesMax) ? Number(sizeBytes) : readBytesMax
  const reader: Reader = { file, buffer: new Uint8Array(bufferBytes) }
  const bad = new BoundedRanges(missingRangesMax)
  let entries = 0
  let good = 0
  for await (const group of groupsOf(entriesOf(files, stored.manifest))) {
    signal.throwIfAborted()
    const received = group.filter(({ offset, length }) => offset + length <= receivedEnd)
    const digests = await digestsOrNone(reader, received)
    for (const [index, { offset, length, sha256 }] of group.entries()) {
      entries++
      if (digests[index] === sha256) good++
      else bad.add(offset, offset + length)
    }
    await stored.onRead?.(Number(lengthOf(received)))
  }
  return { entries, good, bad: bad.ranges }
}

interface Reader {
  readonly file: OpenFile | undefined
  /** What was read last; the next read takes its place. */
  readonly buffer: Uint8Array
}

/** Neighbouring entries of at most `readBytesMax` together; a larger entry is a group of its own. */
async function* groupsOf(entries: AsyncIterable<ManifestEntry>): AsyncGenerator<ManifestEntry[]> {
  let group: ManifestEntry[] = []
  let start = 0n
  let end = 0n
  for await (const entry of entries) {
    const entryEnd = entry.offset + entry.length
    if (group.length > 0 && (entry.offset !== end || entryEnd - start > BigInt(readBytesMax))) {
      yield group
      group = []
    }
    if (group.length === 0) start = entry.offset
    group.push(entry)
    end = entryEnd
  }
  if (group.length > 0) yield group
}

async function digestsOrNone(reader: Reader, group: readonly ManifestEntry[]): Promise<string[]> {
  try {
    return await digestsOf(reader, group)
  } catch (error) {
    if (errorCode(error) === 'EIO') return []
    throw error
  }
}

async function digestsOf(reader: Reader, group: readonly ManifestEntry[]): Promise<string[]> {
  const [first] = group
  if (first === undefined) return []
  if (first.length > BigInt(readBytesMax)) return [await digestOfLarge(reader, first)]
  const start = first.offset
  const bytes = await readAt(reader, start, toHostLength(lengthOf(group), readBytesMax))
  return group.map((entry) => {
    const from = Number(entry.offset - start)
    return hash('sha256', bytes.subarray(from, from + Number(entry.length)), 'hex')
  })
}

function lengthOf(group: readonly ManifestEntry[]): bigint {
  return group.reduce((sum, { length }) => sum + length, 0n)
}

async function digestOfLarge(reader: Reader, entry: ManifestEntry): Promise<string> {
  const digest = createHash('sha256')
  const end = entry.offset + entry.length
  for (let offset: bigint = entry.offset; offset < end; offset += BigInt(readBytesMax)) {
    const left = end - offset
    const length = left < BigInt(readBytesMax) ? Number(left) : readBytesMax
    digest.update(await readAt(reader, offset, length))
  }
  return digest.digest('hex')
}

/** What lies beyond the end of a file that is too short cannot have the digest, so it is left out. */
async function readAt(reader: Reader, offset: bigint, length: number): Promise<Uint8Array> {
  const bytes = reader.buffer.subarray(0, length)
  const position = toHostLength(offset, Number.MAX_SAFE_INTEGER)
  return bytes.subarray(0, (await reader.file?.read(bytes, position)) ?? 0)
}
