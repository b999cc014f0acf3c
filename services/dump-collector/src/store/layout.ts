/**
 * Where a dump lies below the root of the store:
 *
 *     <partition>/<dump>.incomplete/   being collected, or given up before everything was there
 *     <partition>/<dump>/              finished: the rename that takes `.incomplete` away is the publication
 *     <partition>/<dump>.deleted/      on its way out
 *
 * Ids are labels without a dot (contracts/ids.ts), so no id can lead out of the tree or look like a suffix.
 */
import { join } from 'node:path'
import { dumpId, partitionId } from '@fadump-lab/shared/contracts'
import { invariant } from '@fadump-lab/shared/units'

export const fileNames = {
  vmcore: 'vmcore',
  manifest: 'manifest.ndjson',
  /** What the collector knows of the dump: `dump` of the contracts, in JSON. */
  dump: 'dump.json',
  /** For people, and for tools that want no NDJSON. */
  summary: 'manifest.json',
  /** What is needed to go on: present as long as something is left to do. */
  progress: 'progress.json',
  /** Present when an operator has pinned the dump. */
  pin: 'pinned.json',
} as const

export const suffixes = { incomplete: '.incomplete', final: '', deleted: '.deleted' } as const
export type PlaceKind = keyof typeof suffixes

export interface DumpName {
  readonly partition: string
  readonly dump: string
}

/** One directory of the store. */
export interface Place extends DumpName {
  readonly kind: PlaceKind
  readonly directory: string
}

export function placeOf(root: string, name: DumpName, kind: PlaceKind): Place {
  const valid = partitionId.safeParse(name.partition).success && dumpId.safeParse(name.dump).success
  invariant(valid, `${name.partition}/${name.dump} is no pair of partition id and dump id`)
  const directory = join(root, name.partition, `${name.dump}${suffixes[kind]}`)
  return { partition: name.partition, dump: name.dump, kind, directory }
}

/** The place a directory name below a partition stands for; `undefined` for what the collector did not make. */
export function parsePlace(root: string, partition: string, name: string): Place | undefined {
  if (!partitionId.safeParse(partition).success) return undefined
  const kind = name.endsWith(suffixes.incomplete)
    ? 'incomplete'
    : name.endsWith(suffixes.deleted)
      ? 'deleted'
      : 'final'
  const dump = name.slice(0, name.length - suffixes[kind].length)
  return dumpId.safeParse(dump).success ? placeOf(root, { partition, dump }, kind) : undefined
}

export function fileIn(place: Place, file: keyof typeof fileNames): string {
  return join(place.directory, fileNames[file])
}

/** The directory whose names a rename or removal of the place changes. */
export function parentOf(root: string, name: DumpName): string {
  return join(root, name.partition)
}
