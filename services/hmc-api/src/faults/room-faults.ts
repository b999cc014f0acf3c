/** The faults of the whole machine room: armed wherever they act, counted over all processes, disarmed everywhere. */
import {
  faults,
  Problem,
  serviceNames,
  type ArmedFault,
  type FaultRow,
  type NewFault,
  type RoomFault,
  type RoomFaults as RoomFaultsView,
  type ServiceName,
} from '@fadump-lab/shared/contracts'
import type { HmcApiDeps } from '../deps.ts'
import { catalogue } from './catalogue.ts'
import { FirmwareFaults } from './firmware-faults.ts'

const idBytes = 6

type Place = RoomFault['processes'][number]

/** One process as this room sees it: its own, or one behind a URL. */
interface Target {
  readonly service: ServiceName
  readonly url?: string
  list(): Promise<{ readonly isEnabled: boolean; readonly armed: readonly ArmedFault[] }>
  arm(id: string, fault: NewFault): Promise<ArmedFault>
  disarm(id?: string): Promise<void>
}

export class RoomFaults {
  readonly #deps: HmcApiDeps
  readonly #firmware: FirmwareFaults

  constructor(deps: HmcApiDeps) {
    this.#deps = deps
    this.#firmware = new FirmwareFaults(deps.hypervisor)
  }

  /** A process that does not answer has no `isEnabled`; its counts are missing meanwhile, as are faults of unread partitions. */
  async list(): Promise<RoomFaultsView> {
    const seen = await Promise.all(
      (await this.#targets(serviceNames)).map(async (target) => ({
        target,
        answer: await target.list().catch(() => undefined),
      })),
    )
    const rows = seen.flatMap(({ target, answer }) =>
      (answer?.armed ?? []).map((fault) => ({ fault, place: placeOf(target, fault) })),
    )
    const firmware = await this.#firmware.list()
    return {
      processes: seen.map(({ target, answer }) => ({
        ...nameOf(target),
        ...(answer === undefined ? {} : { isEnabled: answer.isEnabled }),
      })),
      armed: [...merged(rows), ...firmware.armed],
      unreadPartitions: firmware.unreadPartitions,
      catalogue,
    }
  }

  /**
   * Errors: `faults-disabled`; `not-found` of a partition; of the services. When one of several processes refuses, the
   * others are disarmed again.
   */
  async arm(fault: NewFault): Promise<RoomFault> {
    this.#checkEnabled()
    const row = faults.get(fault.name)
    if (row === undefined) throw new Problem('invalid-request', `no fault is called ${fault.name}`)
    await this.#checkScope(fault)
    if (row.point === 'firmware') return this.#firmware.arm(fault)
    const id = `f-${this.#deps.random.hex(idBytes)}`
    const targets = await this.#targets(servicesOf(row, fault))
    const armed = await this.#armAll(targets, { id, fault })
    const [first] = merged(armed)
    if (first !== undefined) return first
    const where = servicesOf(row, fault).join(', ')
    throw new Problem('dependency-unavailable', `no process of ${where} was found`)
  }

  /** Errors: `faults-disabled`, `not-found`. */
  async disarm(id: string): Promise<void> {
    this.#checkEnabled()
    if (await this.#firmware.disarm(id)) return
    const { armed } = await this.list()
    if (!armed.some((fault) => fault.id === id)) {
      throw new Problem('not-found', `no fault ${id} is armed; GET /v1/faults lists those that are`)
    }
    await Promise.all((await this.#targets(serviceNames)).map((target) => target.disarm(id)))
  }

  /** Errors: `faults-disabled`. */
  async disarmAll(): Promise<void> {
    this.#checkEnabled()
    await this.#firmware.disarmAll()
    await Promise.all((await this.#targets(serviceNames)).map((target) => target.disarm()))
  }

  #checkEnabled(): void {
    if (this.#deps.faults !== undefined) return
    throw new Problem('faults-disabled', 'the console was started without FAULTS_ENABLED=true')
  }

  /** A partition or frame that does not exist would never be struck. */
  async #checkScope({ scope }: NewFault): Promise<void> {
    const { partition, frame } = scope
    if (partition !== undefined) await this.#deps.hypervisor.getPartition({ params: { partition } })
    if (frame !== undefined) await this.#deps.hypervisor.getFrame({ params: { frame } })
  }

  async #armAll(
    targets: readonly Target[],
    { id, fault }: { readonly id: string; readonly fault: NewFault },
  ): Promise<readonly { readonly fault: ArmedFault; readonly place: Place }[]> {
    try {
      return await Promise.all(
        targets.map(async (target) => {
          const armed = await target.arm(id, fault)
          return { fault: armed, place: placeOf(target, armed) }
        }),
      )
    } catch (error) {
      await Promise.allSettled(targets.map((target) => target.disarm(id)))
      throw error
    }
  }

  async #targets(services: readonly ServiceName[]): Promise<readonly Target[]> {
    const found = await Promise.all(services.map((service) => this.#targetsOf(service)))
    return found.flat()
  }

  async #targetsOf(service: ServiceName): Promise<readonly Target[]> {
    if (service === 'hmc-api') return [this.#own()]
    const processes = (await this.#deps.processes?.(service)) ?? []
    return processes.map(({ url, faults: peer }) => ({
      service,
      url,
      list: () => peer.listFaults({}),
      arm: (id, fault) => peer.armFault({ body: { id, fault } }),
      disarm: async (id) => {
        if (id === undefined) await peer.disarmFaults({})
        else await peer.disarmFault({ params: { fault: id } })
      },
    }))
  }

  #own(): Target {
    const { faults: plan } = this.#deps
    return {
      service: 'hmc-api',
      list: async () => ({ isEnabled: plan !== undefined, armed: plan?.list() ?? [] }),
      arm: async (id, fault) => {
        if (plan === undefined) throw new Problem('faults-disabled', 'no faults in the console')
        return plan.arm(id, fault)
      },
      disarm: async (id) => {
        if (id === undefined) plan?.disarmAll()
        else plan?.disarm(id)
      },
    }
  }
}

function servicesOf(row: FaultRow, { scope }: NewFault): readonly ServiceName[] {
  return scope.service === undefined ? row.services : [scope.service]
}

function nameOf({ service, url }: Pick<Target, 'service' | 'url'>): Pick<Place, 'service' | 'url'> {
  return { service, ...(url === undefined ? {} : { url }) }
}

function placeOf(target: Target, { considered, struck }: ArmedFault): Place {
  return { ...nameOf(target), considered, struck }
}

/** One row a fault, with the counts of all its processes together. */
function merged(
  rows: readonly { readonly fault: ArmedFault; readonly place: Place }[],
): readonly RoomFault[] {
  return [...Map.groupBy(rows, ({ fault }) => fault.id).values()].flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    const processes = group.map(({ place }) => place)
    const total = (count: (place: Place) => number) =>
      processes.reduce((sum, place) => sum + count(place), 0)
    return [
      {
        ...first.fault,
        considered: total(({ considered }) => considered),
        struck: total(({ struck }) => struck),
        processes,
      },
    ]
  })
}
