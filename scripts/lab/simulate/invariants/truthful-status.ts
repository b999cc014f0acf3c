/** I1: the status of a dump never lies. What is stored is read and compared with what memory was. */
import type { Dump } from '@fadump-lab/shared/contracts'
import type { DiskDirectory } from '../disk.ts'
import { wrongManifest } from '../manifest-check.ts'
import {
  fileOf,
  storedDirectories,
  type Invariant,
  type StoredDirectory,
  type World,
} from '../world.ts'

export function truthfulStatus(world: World): Invariant {
  /** Dumps that were right as they are now: file number and changes of the vmcore, and what dump.json says. */
  const checked = new Map<string, string>()

  const look = (stored: StoredDirectory): string | undefined => {
    const { dump, directory } = stored
    if (dump === undefined || dump.status === 'capturing') return undefined
    const vmcore = fileOf(directory, 'vmcore')
    const version = `${vmcore?.number} ${vmcore?.changes} ${JSON.stringify([dump.status, dump.missing.length])}`
    if (checked.get(stored.id) === version) return undefined
    const lie = lieOf(world, stored, dump)
    if (lie === undefined) checked.set(stored.id, version)
    return lie
  }

  const lookAtAll = (): void => {
    for (const stored of storedDirectories(world)) {
      const lie = look(stored)
      if (lie !== undefined) world.violate('I1', `${stored.partition}/${stored.name}: ${lie}`)
    }
  }
  const lookAtRelease = async ({ dump, partition }: StoredDirectory): Promise<void> => {
    if (dump?.released !== true || world.ledger.dumps.get(dump.id)?.isRefused === true) return
    const firmware = await world.oracle.firmware(partition)
    if (firmware?.pendingDump === dump.id) {
      world.violate('I1', `dump ${dump.id} is called released, and firmware still has it`)
    }
  }
  const afterStep = async (): Promise<void> => {
    lookAtAll()
    for (const stored of storedDirectories(world)) await lookAtRelease(stored)
  }
  return {
    onEvent: ({ service, aggregate, subject, to }) => {
      if (service !== 'dump-collector' || aggregate !== 'dump') return
      if (to === 'complete' || to === 'failed' || to === 'releasing') lookAtAll()
      if (to !== 'complete') return
      for (const stored of storedDirectories(world)) {
        if (stored.id === subject) void lookAtRelease(stored)
      }
    },
    afterStep,
    atRest: afterStep,
  }
}

function lieOf(world: World, { id, directory }: StoredDirectory, dump: Dump): string | undefined {
  if (world.ledger.dumps.get(id)?.isRotten === true) return undefined
  if (dump.status === 'failed') {
    return dump.failure === undefined ? 'failed without a cause' : undefined
  }
  return contradictionIn(dump) ?? differenceOf(world, directory, dump)
}

/** What cannot be, whatever lies on the disk. */
function contradictionIn({ status, missing, failure }: Dump): string | undefined {
  const isPartial = status === 'partial'
  if (isPartial !== missing.length > 0) return `${status} with ${missing.length} missing parts`
  return isPartial && failure === undefined ? 'partial without a cause' : undefined
}

function differenceOf(
  world: World,
  directory: DiskDirectory,
  { id, status, sizeBytes, missing }: Dump,
): string | undefined {
  const vmcore = fileOf(directory, 'vmcore')
  if (vmcore === undefined) return `${status}, and there is no vmcore`
  const { content } = vmcore
  if (BigInt(content.size) !== sizeBytes) {
    return `${status} with ${sizeBytes} bytes, and the vmcore has ${content.size}`
  }
  const manifest = fileOf(directory, 'manifest.ndjson')?.content
  const difference =
    world.oracle.difference(id, content, missing) ?? wrongManifest(manifest, content, missing)
  return difference === undefined ? undefined : `${status}, and ${difference}`
}
