/** The first look at the tree after a start: what an earlier process left is finished, continued or reported. */
import { join } from 'node:path'
import type { CaptureJob } from '@fadump-lab/shared/contracts'
import type { Logger } from '@fadump-lab/shared/telemetry'
import { readDump } from './dump-file.ts'
import type { Files } from './files.ts'
import { parsePlace, placeOf, type Place } from './layout.ts'
import { readProgress } from './progress.ts'

export interface ReconcileTools {
  readonly root: string
  readonly files: Files
  readonly logger: Logger
}

/** Capture jobs that have something left to do. Removes what was being deleted; leaves foreign files alone. */
export async function reconcile(tools: ReconcileTools): Promise<readonly CaptureJob[]> {
  await tools.files.makeDirectory(tools.root)
  const jobs: CaptureJob[] = []
  for (const place of await placesBelow(tools)) {
    if (place.kind === 'deleted') await tools.files.remove(place.directory)
    else jobs.push(...(await unfinishedJob(tools, place)))
  }
  return jobs
}

async function placesBelow({ root, files, logger }: ReconcileTools): Promise<readonly Place[]> {
  const places: Place[] = []
  for (const partition of await files.list(root)) {
    const below = partition.kind === 'directory' ? await files.list(join(root, partition.name)) : []
    if (partition.kind !== 'directory') logger.warn({ name: partition.name }, 'foreign file')
    for (const { name, kind } of below) {
      const place = kind === 'directory' ? parsePlace(root, partition.name, name) : undefined
      if (place === undefined) logger.warn({ name: `${partition.name}/${name}` }, 'foreign file')
      else places.push(place)
    }
  }
  return places
}

async function unfinishedJob(tools: ReconcileTools, place: Place): Promise<readonly CaptureJob[]> {
  const { root, files, logger } = tools
  const facts = { dump: place.dump, directory: place.directory }
  const dump = await readDump(files, place)
  if (dump === undefined) {
    logger.warn(facts, 'directory without a readable dump.json')
    return []
  }
  const final = placeOf(root, place, 'final')
  if (place.kind === 'incomplete' && (await readDump(files, final))?.status === 'complete') {
    logger.warn(facts, 'removing a half-finished directory beside the complete dump')
    await files.remove(place.directory)
    return []
  }
  const isUnfinished = dump.status === 'capturing' || (dump.status === 'complete' && !dump.released)
  const progress = isUnfinished ? await readProgress(files, place) : undefined
  if (progress === undefined) return []
  logger.info({ ...facts, step: dump.step }, 'going on with a dump')
  return [progress.job]
}
