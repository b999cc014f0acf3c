/** `dump.json`: the dump of the contracts, on disk. */
import { dump, type Dump } from '@fadump-lab/shared/contracts'
import { z } from 'zod'
import { readJson, writeDurably } from './durable.ts'
import type { Files } from './files.ts'
import { fileIn, type Place } from './layout.ts'

/** 10,000 missing ranges with 16-digit numbers, indented. */
const dumpBytesMax = 2 * 1024 * 1024

/** `undefined` when there is none or what is there is no dump: then the directory is not the collector's. */
export async function readDump(files: Files, place: Place): Promise<Dump | undefined> {
  return readJson(files, fileIn(place, 'dump'), { schema: dump, bytesMax: dumpBytesMax })
}

export async function writeDump(files: Files, place: Place, value: Dump): Promise<void> {
  await writeDurably(files, fileIn(place, 'dump'), `${JSON.stringify(z.encode(dump, value))}\n`)
}
