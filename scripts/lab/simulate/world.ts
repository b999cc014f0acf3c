/** What an invariant may look at, and how it says that it does not hold. */
import { dump as dumpSchema, type Dump, type LabEvent } from '@fadump-lab/shared/contracts'
import { z } from 'zod'
import type { DiskDirectory, DiskFile } from './disk.ts'
import type { Ledger } from './ledger.ts'
import { isVouchedFor } from './manifest-check.ts'
import type { Oracle } from './oracle.ts'
import { dumpRoot, type SimulatedRoom } from './room.ts'

export type InvariantName = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'tables'

export interface Violation {
  readonly invariant: InvariantName
  readonly text: string
}

export interface World {
  readonly room: SimulatedRoom
  readonly oracle: Oracle
  readonly ledger: Ledger
  readonly violate: (invariant: InvariantName, text: string) => void
}

/** One thing that must hold, asked at the moments that it cares about. */
export interface Invariant {
  readonly onEvent?: (event: LabEvent) => void
  /** Firmware is about to give up the memory of `dump`. */
  readonly onParting?: (dump: string) => void
  readonly afterStep?: () => Promise<void>
  /** When faults have ceased and nothing is under way any more. */
  readonly atRest?: () => Promise<void>
}

/** One directory of the dump store, as it lies on the disk. */
export interface StoredDirectory {
  readonly partition: string
  /** With its suffix. */
  readonly name: string
  readonly id: string
  readonly directory: DiskDirectory
  /** What its dump.json says; `undefined` when that is absent or cannot be read. */
  readonly dump: Dump | undefined
}

/** Every dump directory; as a power cut would leave them when `durable`. */
export function storedDirectories({ room }: World, durable = false): readonly StoredDirectory[] {
  const root = room.disk.find(dumpRoot, durable)
  if (root?.kind !== 'directory') return []
  return [...namesOf(root, durable)].flatMap(([partition, below]) =>
    below.kind !== 'directory'
      ? []
      : [...namesOf(below, durable)].flatMap(([name, directory]) =>
          directory.kind !== 'directory'
            ? []
            : [
                {
                  partition,
                  name,
                  id: name.replace(/\.\w+$/, ''),
                  directory,
                  dump: dumpIn(directory, durable),
                },
              ],
        ),
  )
}

const waitingProgress = z.object({ waitsFor: z.string().optional() })

/** What the collection of a dump waits for, until it goes on by itself: its progress says so. */
export function waitsFor({ directory, dump }: StoredDirectory): string | undefined {
  const progress = dump?.status === 'failed' ? fileOf(directory, 'progress.json') : undefined
  const parsed = waitingProgress.safeParse(progress && jsonIn(progress.content.bytes()))
  return parsed.data?.waitsFor
}

const verifiedSteps = new Set(['storing', 'releasing', 'complete'])

/** Whether the byte at `offset` of a stored vmcore is still to be compared with the manifest before the dump is complete. */
export function isToBeVerified(world: World, id: string, offset: number): boolean {
  const stored = storedDirectories(world).find((each) => each.id === id)
  if (stored === undefined || verifiedSteps.has(stored.dump?.step ?? '')) return false
  const manifest = fileOf(stored.directory, 'manifest.ndjson')?.content
  return manifest !== undefined && isVouchedFor(manifest, offset)
}

function namesOf(directory: DiskDirectory, durable: boolean): DiskDirectory['names'] {
  return durable ? directory.durableNames : directory.names
}

export function fileOf(
  directory: DiskDirectory,
  name: string,
  durable = false,
): DiskFile | undefined {
  const node = namesOf(directory, durable).get(name)
  return node?.kind === 'file' ? node : undefined
}

function dumpIn(directory: DiskDirectory, durable: boolean): Dump | undefined {
  const file = fileOf(directory, 'dump.json', durable)
  if (file === undefined) return undefined
  return dumpSchema.safeParse(jsonIn((durable ? file.durable : file.content).bytes())).data
}

/** `undefined` when it is none: the power was cut in the middle of it. */
function jsonIn(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}
