/** Small files that are either the old one or the new one, whatever happens meanwhile. */
import { dirname } from 'node:path'
import type { z } from 'zod'
import { readText, type Files } from './files.ts'

/** What a JSON file says; `undefined` when it is absent, longer than `bytesMax` or not of the schema's form. */
export async function readJson<S extends z.ZodType>(
  files: Files,
  path: string,
  { schema, bytesMax }: { readonly schema: S; readonly bytesMax: number },
): Promise<z.output<S> | undefined> {
  const text = await readText(files, path, bytesMax)
  if (text === undefined) return undefined
  const parsed = schema.safeParse(parsedJson(text))
  return parsed.success ? parsed.data : undefined
}

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

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
