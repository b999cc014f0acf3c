/**
 * Deletion: first the name, then the bytes, so that a half-deleted dump is never taken for a dump. The last dump of a
 * partition takes the partition's directory along.
 */
import type { Files } from './files.ts'
import { parentOf, placeOf, type Place } from './layout.ts'

export async function deleteDump(files: Files, root: string, place: Place): Promise<void> {
  const doomed = placeOf(root, place, 'deleted')
  await files.remove(doomed.directory)
  await files.rename(place.directory, doomed.directory)
  await files.syncDirectory(parentOf(root, place))
  await files.remove(doomed.directory)
  await files.removeIfEmpty(parentOf(root, place))
}
