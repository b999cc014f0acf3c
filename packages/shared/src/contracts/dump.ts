/** Stored dumps and the manifest by which they are verified. */
import { z } from 'zod'
import { byteCount } from './codecs.ts'
import { correlationId, dumpId, frameId, partitionId } from './ids.ts'
import { captureState } from './lifecycle.ts'

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)

/** Bytes of the file that the manifest vouches for; what lies between entries is zero. */
export const manifestEntry = z.strictObject({ offset: byteCount, length: byteCount, sha256 })
export type ManifestEntry = z.output<typeof manifestEntry>

/**
 * `/proc/vmcore.manifest` is NDJSON: this header, then entries in ascending order, then the trailer.
 * `digest` is SHA-256 over the lines `offset length sha256\n` (decimal) of all entries.
 */
export const manifestHeader = z.strictObject({
  format: z.literal('vmcore-manifest-1'),
  size: byteCount,
})
export const manifestTrailer = z.strictObject({ entries: z.int().min(0), digest: sha256 })
export type ManifestTrailer = z.output<typeof manifestTrailer>

export const missingRange = z.strictObject({ offset: byteCount, length: byteCount })

/** `complete`: every byte verified. `partial`: `missing` is exact. `failed`: nothing usable, `failure` says why. */
export const dumpStatus = z.enum(['capturing', 'complete', 'partial', 'failed'])
export type DumpStatus = z.output<typeof dumpStatus>

export const dump = z.strictObject({
  id: dumpId,
  partition: partitionId,
  frame: frameId,
  status: dumpStatus,
  step: captureState,
  /** Logical size of the vmcore. */
  sizeBytes: byteCount,
  /** Bytes received and written (holes not counted). */
  transferredBytes: byteCount,
  /** Bytes the file takes on disk. */
  storedBytes: byteCount,
  digest: sha256.optional(),
  missing: z.array(missingRange).max(10_000).default([]),
  failure: z.string().max(1024).optional(),
  /** Runs of the capture job, for people who wonder about resumption. */
  attempts: z.int().min(1),
  released: z.boolean(),
  /** The boot of the partition that was told to release: one that is announced by another is released again. */
  releasedEpoch: z.int().min(0).optional(),
  startedAt: z.iso.datetime(),
  completedAt: z.iso.datetime().optional(),
  correlationId,
  /** Kept by an operator: nothing but an operator removes it. */
  pinned: z.boolean().default(false),
  /** When its bytes were last compared with its manifest. */
  scrubbedAt: z.iso.datetime().optional(),
})
export type Dump = z.output<typeof dump>

/** One pass over the stored dumps in search of bytes that are not any more what was verified. */
export const scrub = z.strictObject({
  state: z.enum(['idle', 'running']),
  startedAt: z.iso.datetime().optional(),
  completedAt: z.iso.datetime().optional(),
  /** Dumps and bytes that were read in this pass, or in the last one. */
  dumps: z.int().min(0),
  bytes: byteCount,
  /** The dump that is being read. */
  current: dumpId.optional(),
  /** Dumps that were found rotten. */
  rotten: z.array(dumpId).max(1000),
})
export type Scrub = z.output<typeof scrub>
