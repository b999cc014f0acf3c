/** I3: one crash gives at most one stored dump, and none is lost without a recorded reason. */
import type { Dump } from '@fadump-lab/shared/contracts'
import type { DumpRecord } from '../ledger.ts'
import { storedDirectories, type Invariant, type StoredDirectory, type World } from '../world.ts'

export function oneDumpPerCrash(world: World): Invariant {
  return {
    onEvent: ({ event, subject, service }) => {
      if (service === 'dump-collector' && event === 'claimed') {
        const stored = storedDirectories(world).filter(({ id }) => id === subject)
        if (stored.length > 1) {
          world.violate('I3', `dump ${subject} is begun anew beside ${namesOf(stored)}`)
        }
      }
      if (event === 'evicted' && world.ledger.dumps.get(subject)?.isPinned === true) {
        world.violate('I3', `dump ${subject} is evicted though an operator has pinned it`)
      }
    },
    atRest: async () => {
      const stored = Map.groupBy(
        storedDirectories(world).filter(({ name }) => !name.endsWith('.deleted')),
        ({ id }) => id,
      )
      for (const [id, places] of stored) {
        if (places.length > 1) {
          world.violate('I3', `dump ${id} is stored ${places.length} times: ${namesOf(places)}`)
        }
        if (!world.oracle.crashes.has(id)) world.violate('I3', `nothing has crashed as ${id}`)
      }
      for (const id of world.oracle.crashes.keys()) {
        const loss = await lossOf(world, id, stored.get(id)?.[0])
        if (loss !== undefined) world.violate('I3', `dump ${id} ${loss}`)
      }
    },
  }
}

function namesOf(places: readonly StoredDirectory[]): string {
  return places.map(({ name }) => name).join(', ')
}

/** How a dump has been lost without a word; `undefined` when it is accounted for. */
async function lossOf(
  world: World,
  id: string,
  stored: StoredDirectory | undefined,
): Promise<string | undefined> {
  const record = world.ledger.dumps.get(id)
  const dump = stored?.dump
  if (record === undefined || mayBeGone(record)) return undefined
  if (isAtRest(dump)) return undefined
  return whereabouts(world, record, dump)
}

async function whereabouts(
  world: World,
  record: DumpRecord,
  dump: Dump | undefined,
): Promise<string | undefined> {
  const firmware = await world.oracle.firmware(record.partition)
  const isWaiting = firmware?.pendingDump === record.dump
  // A partition that is down keeps its memory, and says why it is down.
  if (isWaiting && firmware.state !== 'capturing') return undefined
  if (dump !== undefined) return `is ${dump.step} for ever`
  return isWaiting
    ? 'waits in its partition, and nobody collects it'
    : `is gone (${record.told ?? 'nobody spoke of it'})`
}

function mayBeGone({ isRemoved, givenUpFor }: DumpRecord): boolean {
  return isRemoved === true || givenUpFor !== undefined
}

function isAtRest(dump: Dump | undefined): boolean {
  return dump !== undefined && dump.status !== 'capturing'
}
