/** I4: nothing grows without a bound: requests, jobs, timers, files; and when faults have ceased the room comes to rest. */
import { storedDirectories, type Invariant, type World } from '../world.ts'

/** More than any run of a room with four partitions needs. */
const bounds = { requests: 200, jobs: 100, timers: 1_000 } as const
/** What may lie in a directory of the store. */
const ordinaryFiles = new Set(
  'vmcore manifest.ndjson dump.json manifest.json progress.json pinned.json'.split(' '),
)

/** Faults after which a stored byte is not what was sent. */
const spoilers = new Set(['bit-flip', 'bit-rot'])

export function bounded(world: World): Invariant {
  const { room } = world
  return {
    onEvent: repairs(world),
    afterStep: async () => {
      const counts = {
        requests: room.network.pending,
        jobs: await room.queues.unfinished(),
        timers: room.clock.pending,
      }
      for (const [name, count] of Object.entries(counts)) {
        const bound = bounds[name as keyof typeof bounds]
        if (count > bound) world.violate('I4', `${count} ${name} at a time, more than ${bound}`)
      }
    },
    atRest: () => {
      for (const { partition, name, directory, dump } of storedDirectories(world)) {
        const where = `${partition}/${name}`
        if (name.endsWith('.deleted')) world.violate('I4', `${where} is left behind`)
        const isAtRest = dump?.step === 'complete' && !name.includes('.')
        const left = [...directory.names.keys()].filter((file) => !ordinaryFiles.has(file))
        if (isAtRest && left.length > 0)
          world.violate('I4', `${where} still has ${left.join(', ')}`)
        if (isAtRest && dump.released && directory.names.has('progress.json')) {
          world.violate('I4', `${where} is complete and still has progress.json`)
        }
      }
      return Promise.resolve()
    },
  }
}

/** Parts that differ are fetched again, and then they are right: another difference needs another spoilt byte, or another run. */
function repairs(world: World): NonNullable<Invariant['onEvent']> {
  const { families } = world.room.configuration
  // Where the disk fails by itself, or strikes can be lost with the event log, nobody knows how often bytes were spoilt.
  const areStrikesKnown = !families.has('disk') && !families.has('store')
  let spoilt = 0
  /** By dump: differences, less the runs that have begun. */
  const unexplained = new Map<string, number>()
  return ({ event, subject, detail }) => {
    if (event === 'fault-struck' && spoilers.has(String(detail?.['fault']))) spoilt += 1
    const step = event === 'mismatch' ? 1 : event === 'claimedAgain' ? -1 : 0
    const count = (unexplained.get(subject) ?? 0) + step
    unexplained.set(subject, count)
    // One may come of a byte that was spoilt while it was fetched again.
    if (step === 1 && count > spoilt + 1 && areStrikesKnown) {
      world.violate('I4', `${subject} differs from its manifest again, and nothing has spoilt it`)
    }
  }
}
