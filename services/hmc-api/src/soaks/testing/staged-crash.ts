/** One crash of a soak on its way, in a room that is what a test says: who reads the partition reads `room.partition`. */
import type { Dump, Partition, Problem } from '@fadump-lab/shared/contracts'
import { createHeapEventLog } from '@fadump-lab/shared/queue'
import { seededRandom, VirtualClock } from '@fadump-lab/shared/runtime'
import { aPartition } from '../../testing/fake-room.ts'
import { Hands } from '../hands.ts'
import { CrashStory } from '../moments.ts'
import type { SoakTools } from '../soak-tools.ts'
import { Stage } from '../stage.ts'

export interface StagedRoom {
  partition: Partition | Problem
  dumps: Dump[]
  /** How often an operator has restarted the partition. */
  restarts: number
  lostMemory: boolean
}

export interface StagedCrash {
  readonly stage: Stage
  readonly clock: VirtualClock
  readonly room: StagedRoom
}

export function stagedCrash(
  given: Partial<StagedRoom> & { readonly isDisturbed?: boolean } = {},
): StagedCrash {
  const clock = new VirtualClock()
  const { isDisturbed = false, ...seen } = given
  const room: StagedRoom = {
    partition: aPartition(),
    dumps: [],
    restarts: 0,
    lostMemory: false,
    ...seen,
  }
  const answer = <Value extends object>(value: Value | Problem): Promise<Value> =>
    value instanceof Error ? Promise.reject(value) : Promise.resolve(value)
  const restart = async () => {
    room.restarts += 1
    return { id: `restart-${room.restarts}`, operation: 'restart', state: 'succeeded' }
  }
  const tools = {
    deps: {
      clock,
      events: createHeapEventLog(),
      hypervisor: { getPartition: () => answer(room.partition) },
      collector: { listDumps: async () => room.dumps },
    },
    jobs: { ended: async (id: string) => ({ id }) },
    operations: { restart },
  } as unknown as SoakTools
  const signal = new AbortController().signal
  const stage = new Stage({
    crash: {
      number: 1,
      partition: {
        id: 'p1',
        index: 0,
        profile: 'modern',
        memoryBytes: 2 ** 31,
        processors: 2,
        contentSeed: 1,
        pages: 8,
      },
      scenario: 'plain',
      cause: 'panic',
      seed: 1,
      nextSeed: 2,
      fault: undefined,
      isWhole: false,
      random: seededRandom(1),
    },
    hands: new Hands(tools, 'p1', { correlationId: 'c1', signal }),
    story: new CrashStory('p1'),
    isDisturbed,
    lostMemory: () => room.lostMemory,
    expected: { outcome: 'dump', endState: 'running', moreCrashes: 0, cpuNotes: 2, texts: [] },
  })
  stage.before = aPartition()
  return { stage, clock, room }
}
