/** Faults of partitions' firmware through the same routes. They lie with their partition, in the hypervisor. */
import {
  type FirmwareFault,
  type FirmwareFaultName,
  firmwareFaultNames,
  firmwareFaults,
  type hypervisorRoutes,
  isProblem,
  type NewFault,
  Problem,
  type RoomFault,
  type RoomFaults,
} from '@fadump-lab/shared/contracts'
import type { Client } from '@fadump-lab/shared/http'
import { patient } from '../patience.ts'

type FirmwareFaultsView = Pick<RoomFaults, 'armed' | 'unreadPartitions'>

/** Partitions with faults that were armed here; the oldest is forgotten first. */
const partitionsMax = 4096

export class FirmwareFaults {
  readonly #hypervisor: Client<typeof hypervisorRoutes>
  readonly #partitions = new Set<string>()

  constructor(hypervisor: Client<typeof hypervisorRoutes>) {
    this.#hypervisor = hypervisor
  }

  /** Errors: `not-found`, `invalid-configuration`. */
  async arm({ name, value, times, scope: { partition } }: NewFault): Promise<RoomFault> {
    if (partition === undefined || !isFirmwareFault(name)) {
      throw new Problem('invalid-configuration', `${name} is a fault of one partition’s firmware`)
    }
    const body = { name, times, ...(value === undefined ? {} : { value }) }
    const armed = await this.#hypervisor.armFirmwareFault({ params: { partition }, body })
    this.#remember(partition)
    return roomFault(partition, armed)
  }

  /** Of the partitions in which faults were armed here. Errors: of the hypervisor, but for those that pass. */
  async list(): Promise<FirmwareFaultsView> {
    const seen = await Promise.all(
      [...this.#partitions].map(async (partition) => ({
        partition,
        rows: await patient(() => this.#armedIn(partition)),
      })),
    )
    return {
      armed: seen.flatMap(({ rows }) => rows ?? []),
      unreadPartitions: seen.flatMap(({ partition, rows }) =>
        rows === undefined ? [partition] : [],
      ),
    }
  }

  /**
   * Whether it was one of these. A partition's faults are disarmed one and all, so the others are armed again. Errors: of
   * the hypervisor.
   */
  async disarm(id: string): Promise<boolean> {
    const partition = [...this.#partitions].find((name) =>
      firmwareFaultNames.some((fault) => idOf(name, fault) === id),
    )
    if (partition === undefined) return false
    const all = await this.#armedIn(partition)
    if (!all.some((fault) => fault.id === id)) return false
    await this.#hypervisor.disarmFirmwareFaults({ params: { partition } })
    this.#partitions.delete(partition)
    for (const fault of all) {
      const left = fault.times - fault.struck
      if (fault.id !== id && left > 0) await this.arm({ ...fault, times: left })
    }
    return true
  }

  async disarmAll(): Promise<void> {
    for (const partition of this.#partitions) {
      await this.#hypervisor.disarmFirmwareFaults({ params: { partition } }).catch(ignoreGone)
      this.#partitions.delete(partition)
    }
  }

  async #armedIn(partition: string): Promise<readonly RoomFault[]> {
    try {
      const rows = await this.#hypervisor.listFirmwareFaults({ params: { partition } })
      return rows.map((fault) => roomFault(partition, fault))
    } catch (error) {
      ignoreGone(error)
      this.#partitions.delete(partition)
      return []
    }
  }

  #remember(partition: string): void {
    this.#partitions.delete(partition)
    this.#partitions.add(partition)
    if (this.#partitions.size <= partitionsMax) return
    const [oldest] = this.#partitions
    if (oldest !== undefined) this.#partitions.delete(oldest)
  }
}

function ignoreGone(error: unknown): void {
  if (!isProblem(error, 'not-found')) throw error
}

function isFirmwareFault(name: NewFault['name']): name is FirmwareFaultName {
  return Object.hasOwn(firmwareFaults, name)
}

function idOf(partition: string, name: FirmwareFaultName): string {
  return `f-${partition}-${name}`
}

/** A firmware fault has no occasions but those at which it strikes. */
function roomFault(partition: string, { name, value, times, hits }: FirmwareFault): RoomFault {
  return {
    id: idOf(partition, name),
    name,
    ...(value === undefined ? {} : { value }),
    after: 0,
    times,
    seed: 0,
    scope: { partition },
    considered: hits,
    struck: hits,
    processes: [{ service: 'hypervisor', considered: hits, struck: hits }],
  }
}
