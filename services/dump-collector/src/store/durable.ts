/** Small files that are either the old one or the new one, whatever happens meanwhile. */
import { dirname } from 'node:path'
import type { Files } from './files.ts'

/** Written beside, synced, renamed over, and the directory synced: durable when this resolves. */
export async function writeDurably(files: Files, path: string, text: string): Promise<void> {
  const next = `${path}.new`
  {
    await using file = await files.open(next, 'replace')
    await file.write([new TextEncoder().encode(text)], 0)
    await file.sync()
  }
  await replaceDurably(files, next, path)
}

/** The rename of a file that is synced already. */
export async function replaceDurably(files: Files, next: string, path: string): Promise<void> {
  await files.rename(next, path)
  await files.syncDirectory(dirname(path))
}
