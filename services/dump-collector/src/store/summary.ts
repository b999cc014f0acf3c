/** `manifest.json`: what the dump is and how far it was verified, for people and scripts. */
import { dump, type Dump } from '@fadump-lab/shared/contracts'
import { z } from 'zod'
import { entriesOf } from '../manifest/manifest-file.ts'
import { writeDurably } from './durable.ts'
import type { Files } from './files.ts'
import { fileIn, type Place } from './layout.ts'

/** `verified` is the dump as it will be published. */
export async function writeSummary(files: Files, place: Place, verified: Dump): Promise<void> {
  let entries = 0
  let populatedBytes = 0n
  for await (const { length } of entriesOf(files, fileIn(place, 'manifest'))) {
    entries++
    populatedBytes += length
  }
  const { id, ...json } = z.encode(dump, verified)
  const summary = {
    dump: id,
    partition: json.partition,
    frame: json.frame,
    status: json.status,
    sizeBytes: json.sizeBytes,
    entries,
    populatedBytes: Number(populatedBytes),
    storedBytes: json.storedBytes,
    digest: json.digest,
    missing: json.missing,
    failure: json.failure,
    verifiedAt: json.completedAt,
    correlationId: json.correlationId,
  }
  await writeDurably(files, fileIn(place, 'summary'), `${JSON.stringify(summary, undefined, 2)}\n`)
}
