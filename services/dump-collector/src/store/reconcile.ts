/** The first look at the tree after a start: what an earlier process left is finished, continued or reported. */
import { join } from 'node:path'
import type { CaptureJob } from '@fadump-lab/shared/contracts'
import { readDump } from './dump-file.ts'
import type { StoredDump } from './dump-index.ts'
import { isAbsent, type Files } from './files.ts'
import { fileIn, fileNames, parentOf, parsePlace, placeOf, type Place } from './layout.ts'
import { readProgress } from './progress.ts'
import { labelRotten, type RotTools } from './rot.ts'

/** What was found, as the metric `fadump_store_findings_total` counts it. */
type Finding = 'resumed' | 'removed' | 'damaged' | 'orphan' | 'foreign'

/**
 * Capture jobs that have something left to do. Removes what was being deleted or written and will never be whole; labels
 * dumps whose files are gone; tells of directories that belong to no dump; leaves foreign files alone.
 */
export async function reconcile(tools: RotTools): Promise<readonly CaptureJob[]> {
  await tools.files.makeDirectory(tools.root)
  const jobs: CaptureJob[] = []
  for (const place of await placesBelow(tools)) {
    if (place.kind === 'deleted') {
      await tools.files.remove(place.directory)
      await tools.files.removeIfEmpty(parentOf(tools.root, place))
      note(tools, 'removed', { directory: place.directory })
      continue
    }
    const job = await unlessGone(tools, place, () => reconcilePlace(tools, place))
    if (job !== undefined) jobs.push(job)
  }
  return jobs
}

/** Requests are answered already, and others collect into the same root: what goes meanwhile is no finding. */
async function unlessGone<T>(
  { files }: RotTools,
  place: Place,
  look: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await look()
  } catch (error) {
    const isGone = isAbsent(error) && (await files.list(place.directory)).length === 0
    if (isGone) return undefined
    throw error
  }
}

/** The job that goes on with a dump; `undefined` when nothing is left to do. */
export async function unfinishedJob(
  { files }: { readonly files: Files },
  { place, dump }: StoredDump,
): Promise<CaptureJob | undefined> {
  const isUnfinished = dump.status === 'capturing' || (dump.status === 'complete' && !dump.released)
  return isUnfinished ? (await readProgress(files, place))?.job : undefined
}

async function placesBelow(tools: RotTools): Promise<readonly Place[]> {
  const { root, files } = tools
  const places: Place[] = []
  for (const partition of await files.list(root)) {
    const below = partition.kind === 'directory' ? await files.list(join(root, partition.name)) : []
    if (partition.kind !== 'directory') note(tools, 'foreign', { name: partition.name })
    else if (below.length === 0) await files.removeIfEmpty(join(root, partition.name))
    for (const { name, kind } of below) {
      const place = kind === 'directory' ? parsePlace(root, partition.name, name) : undefined
      if (place === undefined) note(tools, 'foreign', { name: `${partition.name}/${name}` })
      else places.push(place)
    }
  }
  return places
}

async function reconcilePlace(tools: RotTools, place: Place): Promise<CaptureJob | undefined> {
  const { root, files } = tools
  const facts = { dump: place.dump, directory: place.directory }
  const dump = await readDump(files, place)
  if (dump === undefined) return reconcileOrphan(tools, place)
  const final = placeOf(root, place, 'final')
  if (place.kind === 'incomplete' && (await readDump(files, final))?.status === 'complete') {
    await files.remove(place.directory)
    note(tools, 'removed', facts)
    return undefined
  }
  const job = await unfinishedJob(tools, { place, dump })
  if (job !== undefined) {
    note(tools, 'resumed', { ...facts, step: dump.step })
    return job
  }
  if (place.kind === 'final') await reconcileFiles(tools, { place, dump })
  return undefined
}

/** dump.json is gone or cannot be read: the progress, if there is one, still tells whose dump it is. */
async function reconcileOrphan(tools: RotTools, place: Place): Promise<CaptureJob | undefined> {
  const { files, clock, events } = tools
  const facts = { dump: place.dump, directory: place.directory }
  const progress = place.kind === 'incomplete' ? await readProgress(files, place) : undefined
  if (progress !== undefined) {
    note(tools, 'resumed', facts)
    return progress.job
  }
  // Another collector on the same root may have published it since, or have made the directory only just now.
  if ((await files.list(place.directory)).length === 0) return undefined
  note(tools, 'orphan', facts)
  await events.append({
    time: clock.iso(),
    service: 'dump-collector',
    aggregate: 'dump',
    subject: place.dump,
    event: 'orphaned',
    detail: {
      partition: place.partition,
      reason: 'its directory has no readable dump.json; look at it and remove it by hand',
    },
  })
  return undefined
}

/**
 * A dump at rest has its vmcore, of its size, and its manifest. Files that were being written never become whole, and a
 * power cut may bring back the progress of a capture that has ended.
 */
async function reconcileFiles(tools: RotTools, stored: StoredDump): Promise<void> {
  const { files } = tools
  const { place, dump } = stored
  for (const { name } of await files.list(place.directory)) {
    const isDone = name === fileNames.progress && dump.status === 'complete'
    if (!halfWritten.has(name) && !isDone) continue
    await files.remove(join(place.directory, name))
    note(tools, 'removed', { dump: dump.id, name })
  }
  if (dump.status === 'failed') return
  const vmcore = await files.facts(fileIn(place, 'vmcore'))
  const manifest = await files.facts(fileIn(place, 'manifest'))
  const failure = damageOf(
    { vmcoreBytes: vmcore?.sizeBytes, isListed: manifest !== undefined },
    dump,
  )
  if (failure === undefined) return
  note(tools, 'damaged', { dump: dump.id, failure })
  await labelRotten(tools, stored, { failure, found: undefined })
}

const halfWritten: ReadonlySet<string> = new Set(
  Object.values(fileNames).map((name) => `${name}.new`),
)

function damageOf(
  files: { readonly vmcoreBytes: number | undefined; readonly isListed: boolean },
  { sizeBytes }: StoredDump['dump'],
): string | undefined {
  const { vmcoreBytes, isListed } = files
  if (vmcoreBytes === undefined) return 'its vmcore is gone from the store'
  if (!isListed) return 'its manifest is gone from the store'
  if (BigInt(vmcoreBytes) === sizeBytes) return undefined
  return `its vmcore has ${vmcoreBytes} bytes instead of ${sizeBytes}`
}

function note(tools: RotTools, finding: Finding, facts: object): void {
  tools.metrics.count('fadump_store_findings_total', { finding })
  const isOrdinary = finding === 'resumed' || finding === 'removed'
  if (isOrdinary) tools.logger.info({ ...facts, finding }, 'a look at the store')
  else tools.logger.warn({ ...facts, finding }, 'a look at the store')
}
