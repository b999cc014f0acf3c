/** What a collector needs to go on where another one stopped. Beside the dump as long as something is left to do. */
import { byteCount, captureQueue } from '@fadump-lab/shared/contracts'
import { z } from 'zod'
import { readJson, writeDurably } from './durable.ts'
import type { Files } from './files.ts'
import { fileIn, type Place } from './layout.ts'

export const progress = z.strictObject({
  job: captureQueue.payload,
  /** The run that may write: whoever claims the dump puts its own token here, an earlier one then stops. */
  owner: z.string().max(64),
  /** The boot whose manifest is on disk; the dump of another boot has to state it anew. */
  manifestEpoch: z.int().min(0).optional(),
  /** Every byte of the stream before this offset is in the file and synced. */
  durableOffset: byteCount,
  /** Bytes that lie before it, holes not counted: dump.json is written after this and may be one checkpoint behind. */
  receivedBytes: byteCount.optional(),
  /** The end marker has been seen and everything before it is durable. */
  isTransferred: z.boolean(),
  /** Bytes that the manifest vouches for: the room that the vmcore takes. */
  populatedBytes: byteCount.optional(),
  /** Room is set aside for all of it. */
  isAdmitted: z.boolean().default(false),
  /** What the capture was refused for; it goes on when it can have that. */
  waitsFor: z.enum(['room', 'rate']).optional(),
})
export type Progress = z.output<typeof progress>

const progressBytesMax = 16 * 1024

/** `undefined` when there is none that can be read: the capture then begins again. */
export async function readProgress(files: Files, place: Place): Promise<Progress | undefined> {
  return readJson(files, fileIn(place, 'progress'), {
    schema: progress,
    bytesMax: progressBytesMax,
  })
}

export async function writeProgress(files: Files, place: Place, value: Progress): Promise<void> {
  await writeDurably(
    files,
    fileIn(place, 'progress'),
    `${JSON.stringify(progress.encode(value))}\n`,
  )
}
