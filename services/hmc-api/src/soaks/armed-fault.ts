/** The fault of one crash, from arming until it is known how often it struck. */
import { isProblem, Problem, type RoomFault } from '@fadump-lab/shared/contracts'
import { retry, type Clock } from '@fadump-lab/shared/runtime'
import type { RoomFaults } from '../faults/room-faults.ts'
import { whileBusy } from '../patience.ts'
import { armedFor, labelOf, type PlannedFault } from './fault-plan.ts'

export interface FaultOutcome {
  /** As reports name it. */
  readonly label: string
  readonly struck: number
  /** A process in which it was armed has ended meanwhile, and what it counted with it. */
  readonly isForgotten: boolean
}

const pauseMs = 100
const looksMax = 30

interface Given {
  readonly partition: string
  readonly armed: RoomFault
}

interface Tools {
  readonly faults: Pick<RoomFaults, 'arm' | 'list' | 'disarm'>
  readonly clock: Clock
}

export class ArmedFault {
  readonly #tools: Tools
  readonly #planned: PlannedFault
  readonly #partition: string
  readonly #armed: RoomFault

  private constructor(tools: Tools, planned: PlannedFault, given: Given) {
    this.#tools = tools
    this.#planned = planned
    this.#partition = given.partition
    this.#armed = given.armed
  }

  /** Errors: refusals that do not pass in time. */
  static async arm(tools: Tools, planned: PlannedFault, partition: string): Promise<ArmedFault> {
    const { faults, clock } = tools
    const arm = () => faults.arm(armedFor(planned, partition))
    const armed = await retry(arm, { clock, ...whileBusy })
    return new ArmedFault(tools, planned, { partition, armed })
  }

  /**
   * Counts and takes it back. What strikes at the end of a job may come after the partition is at rest. Errors: refusals
   * that do not pass in time; a fault that stayed armed would strike another crash.
   */
  async take(): Promise<FaultOutcome> {
    const { clock } = this.#tools
    let found = await this.#find()
    for (let looks = 1; isWaiting(found) && looks < looksMax; looks += 1) {
      await clock.sleep(pauseMs)
      found = await this.#find()
    }
    await retry(() => this.#disarm(), { clock, ...whileBusy })
    const processes = found?.processes.length ?? 0
    return {
      label: labelOf(this.#planned.fault),
      struck: found?.struck ?? 0,
      isForgotten: processes < this.#armed.processes.length,
    }
  }

  #find(): Promise<RoomFault | undefined> {
    const { faults, clock } = this.#tools
    const read = async () => {
      const { armed, unreadPartitions } = await faults.list()
      const found = armed.find(({ id }) => id === this.#armed.id)
      if (found === undefined) checkRead(unreadPartitions, this.#partition)
      return found
    }
    return retry(read, { clock, ...whileBusy })
  }

  /** One that is gone already is as well: with its process, or the answer to an earlier try was lost. */
  async #disarm(): Promise<void> {
    try {
      await this.#tools.faults.disarm(this.#armed.id)
    } catch (error) {
      if (!isProblem(error, 'not-found')) throw error
    }
  }
}

function checkRead(unread: readonly string[], partition: string): void {
  if (!unread.includes(partition)) return
  throw new Problem('dependency-unavailable', `the faults of ${partition} cannot be counted`)
}

function isWaiting(found: RoomFault | undefined): boolean {
  return found === undefined || found.struck === 0
}
