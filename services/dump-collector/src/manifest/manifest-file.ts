/** The manifest on disk: written while it is checked, read again entry by entry. Neither holds more than a block. */
import type { ManifestEntry } from '@fadump-lab/shared/contracts'
import { concat } from '@fadump-lab/shared/units'
import type { Files, OpenFile } from '../store/files.ts'
import { linesOf } from './lines.ts'
import {
  isEntry,
  ManifestCheck,
  parseManifestLine,
  type ManifestSummary,
} from './manifest-check.ts'

const blockBytes = 256 * 1024

/** Stores the lines of `source` in `file` as far as they keep the rules. Errors: `ManifestError`, of the file. */
export async function storeManifest(
  source: AsyncIterable<Uint8Array>,
  file: OpenFile,
): Promise<ManifestSummary> {
  const check = new ManifestCheck()
  const encoder = new TextEncoder()
  let held: Uint8Array[] = []
  let heldBytes = 0
  let written = 0
  const flush = async () => {
    if (heldBytes > 0) await file.write([concat(held)], written)
    written += heldBytes
    held = []
    heldBytes = 0
  }
  for await (const line of linesOf(source)) {
    check.accept(line)
    const encoded = encoder.encode(`${line}\n`)
    held.push(encoded)
    heldBytes += encoded.byteLength
    if (heldBytes >= blockBytes) await flush()
  }
  const summary = check.summary()
  await flush()
  await file.sync()
  return summary
}

/** Whether a stored manifest keeps the rules. Errors: `ManifestError`, `LineTooLongError`, of the file. */
export async function checkManifest(files: Files, path: string): Promise<ManifestSummary> {
  const check = new ManifestCheck()
  for await (const line of linesOf(blocksOf(files, path))) check.accept(line)
  return check.summary()
}

/** The entries of a stored manifest, ascending. */
export async function* entriesOf(files: Files, path: string): AsyncGenerator<ManifestEntry> {
  let number = 0
  for await (const line of linesOf(blocksOf(files, path))) {
    number++
    if (number === 1) continue
    const parsed = parseManifestLine(line, number)
    if (!isEntry(parsed)) return
    yield parsed
  }
}

async function* blocksOf(files: Files, path: string): AsyncGenerator<Uint8Array> {
  await using file = await files.open(path, 'read')
  for (let position = 0; ;) {
    const block = new Uint8Array(blockBytes)
    const length = await file.read(block, position)
    if (length === 0) return
    yield block.subarray(0, length)
    position += length
  }
}
