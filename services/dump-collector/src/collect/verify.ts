/** Step `verifying`: what has been written is read again and every entry of the manifest compared. */
import { createHash, hash } from 'node:crypto'
import type { ManifestEntry } from '@fadump-lab/shared/contracts'
import { toHostLength } from '@fadump-lab/shared/units'
import { BoundedRanges } from '../manifest/bounded-ranges.ts'
import { entriesOf } from '../manifest/manifest-file.ts'
import type { OpenFile } from '../store/files.ts'
import type { Capture, Outcome } from './capture.ts'
import { CaptureFailure } from './failure.ts'
import type { Verification } from './verification.ts'

/** Ranges in `missing` of a dump (contracts/dump.ts). */
export const missingRangesMax = 10_000
/** Times that differing parts are fetched again before the capture fails. */
export const repairRoundsMax = 3
/** Read at once: neighbouring entries together, large entries in pieces. */
export const readBytesMax = 4 * 1024 * 1024

/** Errors: `CaptureFailure` when parts differ and cannot be fetched again. */
export async function verifyVmcore(capture: Capture): Promise<Outcome> {
  const found = await verifyEntries(capture)
  if (found.bad.length === 0) return { event: 'verified', detail: { entries: found.entries } }
  const differing = found.entries - found.good
  if (capture.lost !== undefined) {
    const message = `the dump was gone before all of it was read: ${differing} of ${found.entries} entries are missing`
    throw new CaptureFailure(message, { cause: capture.lost, found })
  }
  if (capture.repairRounds >= repairRoundsMax) {
    const message = `${differing} of ${found.entries} entries differ from the manifest, also after ${repairRoundsMax} further transfers`
    throw new CaptureFailure(message, { found })
  }
  capture.repairRounds++
  capture.repair = found.bad
  return {
    event: 'mismatch',
    detail: { entries: differing, offset: Number(found.bad[0]?.offset ?? 0n) },
  }
}

/** Reads every entry of the stored manifest back from the stored vmcore; what was never received counts as bad. */
export async function verifyEntries(capture: Capture): Promise<Verification> {
  const { files } = capture.tools
  await using file = await files.open(capture.path('vmcore'), 'update')
  const { isTransferred, durableOffset } = capture.progress
  const { sizeBytes } = capture.dump
  const receivedEnd = isTransferred ? sizeBytes : durableOffset
  const bufferBytes = sizeBytes < BigInt(readBytesMax) ? Number(sizeBytes) : readBytesMax
  const reader: Reader = { file, buffer: new Uint8Array(bufferBytes) }
  const bad = new BoundedRanges(missingRangesMax)
  let entries = 0
  let good = 0
  for await (const group of groupsOf(entriesOf(files, capture.path('manifest')))) {
    capture.signal.throwIfAborted()
    const received = group.filter(({ offset, length }) => offset + length <= receivedEnd)
    const digests = await digestsOf(reader, received)
    for (const [index, { offset, length, sha256 }] of group.entries()) {
      entries++
      if (digests[index] === sha256) good++
      else bad.add(offset, offset + length)
    }
  }
  return { entries, good, bad: bad.ranges }
}

interface Reader {
  readonly file: OpenFile
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

async function digestsOf(reader: Reader, group: readonly ManifestEntry[]): Promise<string[]> {
  const [first] = group
  if (first === undefined) return []
  if (first.length > BigInt(readBytesMax)) return [await digestOfLarge(reader, first)]
  const start = first.offset
  const length = group.reduce((sum, entry) => sum + entry.length, 0n)
  const bytes = await readAt(reader, start, toHostLength(length, readBytesMax))
  return group.map((entry) => {
    const from = Number(entry.offset - start)
    return hash('sha256', bytes.subarray(from, from + Number(entry.length)), 'hex')
  })
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
  return bytes.subarray(0, await reader.file.read(bytes, position))
}
