/** A stored manifest compared with the vmcore beside it: hashed here, not by the code that is to be judged. */
import { hash } from 'node:crypto'
import { z } from 'zod'
import type { Content } from './disk-content.ts'

interface FileRange {
  readonly offset: bigint
  readonly length: bigint
}

const entryOf = z.object({
  offset: z.coerce.number(),
  length: z.coerce.number(),
  sha256: z.string(),
})

/** What is wrong; `undefined` when every entry that is not `missing` has its bytes in the file. */
export function wrongManifest(
  manifest: Content | undefined,
  vmcore: Content,
  missing: readonly FileRange[],
): string | undefined {
  if (manifest === undefined) return 'there is no manifest'
  const rows = linesOf(manifest)
  if (rows[0]?.includes('vmcore-manifest-1') !== true) return 'its manifest has no header'
  if (rows.at(-1)?.includes('"entries"') !== true) return 'its manifest has no end'
  const wrong = entriesOf(rows)
    .filter((entry) => !missing.some((range) => touches(range, entry)))
    .find(({ offset, length, sha256 }) => digestOf(vmcore, offset, length) !== sha256)
  return wrong && `the manifest does not vouch for the bytes at ${wrong.offset}`
}

/** Whether an entry of the manifest covers the byte at `offset`: of what lies between them it says that it is zero. */
export function isVouchedFor(manifest: Content, offset: number): boolean {
  return entriesOf(linesOf(manifest)).some(
    (entry) => entry.offset <= offset && offset < entry.offset + entry.length,
  )
}

function linesOf(manifest: Content): readonly string[] {
  return new TextDecoder().decode(manifest.bytes()).trim().split('\n')
}

/** Without the header and the trailer. */
function entriesOf(rows: readonly string[]): readonly z.output<typeof entryOf>[] {
  return rows.slice(1, -1).map((row) => entryOf.parse(JSON.parse(row)))
}

function touches(range: FileRange, entry: { readonly offset: number; readonly length: number }) {
  const { offset, length } = range
  return Number(offset) < entry.offset + entry.length && entry.offset < Number(offset + length)
}

function digestOf(vmcore: Content, offset: number, length: number): string {
  const bytes = new Uint8Array(length)
  vmcore.read(bytes, offset)
  return hash('sha256', bytes, 'hex')
}
