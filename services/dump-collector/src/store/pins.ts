/** Pins lie beside the dump, not in dump.json: that belongs to the capture while it runs. */
import { isAbsent, type Files } from './files.ts'
import { writeDurably } from './durable.ts'
import { fileIn, type Place } from './layout.ts'

export async function isPinned(files: Files, place: Place): Promise<boolean> {
  return (await files.facts(fileIn(place, 'pin'))) !== undefined
}

/** Durable when this resolves. Returns `false` when the directory is not there (any more): look for the dump again. */
export async function pin(files: Files, place: Place, pinnedAt: string): Promise<boolean> {
  try {
    await writeDurably(files, fileIn(place, 'pin'), `${JSON.stringify({ pinnedAt })}\n`)
    return true
  } catch (error) {
    if (isAbsent(error)) return false
    throw error
  }
}

export async function unpin(files: Files, place: Place): Promise<void> {
  await files.remove(fileIn(place, 'pin'))
  await files.syncDirectory(place.directory)
}
