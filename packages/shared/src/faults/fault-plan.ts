/**
 * The faults that are armed in one process: what is to break, where, how often. Pure: the same plan that considers the
 * same occasions in the same order strikes at the same ones. It breaks nothing itself; decorators of ports ask it.
 */
import {
  faults,
  placesOf,
  Problem,
  type ArmedFault,
  type FaultRow,
  type NewFault,
  type ServiceFaultName,
  type ServiceName,
} from '../contracts/index.ts'
import { seededRandom, type Random } from '../runtime/index.ts'
import { invariant } from '../units/index.ts'

/** Faults of one process at a time: one for each partition of a large room. */
export const armedFaultsMax = 4096
/** Partitions whose frame is remembered; the oldest is forgotten first. */
const framesMax = 4096

/** One chance to strike. */
export interface Occasion {
  /** For people: what would be hit, e.g. `GET /partitions/p1/proc/vmcore`. */
  readonly what: string
  /** Operation, file, queue or step, as `at` of a fault names it. */
  readonly at?: string
  readonly partition?: string | undefined
  readonly frame?: string | undefined
}

export interface Strike {
  /** The fault with this strike counted. */
  readonly fault: ArmedFault
  readonly what: string
  readonly partition: string | undefined
  /** The value of the fault, or the default of its row. */
  readonly value: number
}

/** A strike that may still not come about, e.g. because the stream ends before the byte. Until then it is held. */
export interface Aim {
  readonly value: number
  strike(): Strike
  miss(): void
}

export interface FaultPlanOptions {
  readonly service: ServiceName
  /** Told of every strike, at once. */
  readonly onStrike?: (strike: Strike) => void
}

interface Entry {
  readonly fault: Omit<ArmedFault, 'considered' | 'struck'>
  readonly row: FaultRow
  readonly random: Random
  considered: number
  struck: number
  aimed: number
}

export class FaultPlan {
  readonly service: ServiceName
  readonly #onStrike: (strike: Strike) => void
  readonly #entries = new Map<string, Entry>()
  /** The same by name: most occasions meet no fault, and those that do few. */
  readonly #byName = new Map<string, Set<Entry>>()
  readonly #frames = new Map<string, string>()

  constructor({ service, onStrike = () => undefined }: FaultPlanOptions) {
    this.service = service
    this.#onStrike = onStrike
  }

  /** Replaces a fault of the same id. Errors: `insufficient-capacity`. Faults of firmware lie with their partition. */
  arm(id: string, fault: NewFault): ArmedFault {
    const row = faults.get(fault.name)
    invariant(
      row !== undefined && row.point !== 'firmware',
      `${fault.name} is no fault of services`,
    )
    if (this.#entries.size >= armedFaultsMax && !this.#entries.has(id)) {
      throw new Problem(
        'insufficient-capacity',
        `${armedFaultsMax} faults are armed in ${this.service} already: disarm some first`,
      )
    }
    const random = seededRandom(fault.seed).fork(this.service)
    const entry = { fault: { ...fault, id }, row, random, considered: 0, struck: 0, aimed: 0 }
    this.disarm(id)
    this.#entries.set(id, entry)
    this.#named(fault.name).add(entry)
    return armedOf(entry)
  }

  /** Nothing is armed. */
  get isEmpty(): boolean {
    return this.#entries.size === 0
  }

  list(): readonly ArmedFault[] {
    return [...this.#entries.values()].map(armedOf)
  }

  /** Whether it was armed. */
  disarm(id: string): boolean {
    const entry = this.#entries.get(id)
    if (entry === undefined) return false
    this.#entries.delete(id)
    this.#named(entry.fault.name).delete(entry)
    return true
  }

  disarmAll(): void {
    this.#entries.clear()
    this.#byName.clear()
  }

  /** Where a partition lies, for faults of a whole frame. */
  learn(partition: string, frame: string): void {
    if (this.#frames.get(partition) === frame) return
    this.#frames.set(partition, frame)
    if (this.#frames.size <= framesMax) return
    const [oldest] = this.#frames.keys()
    if (oldest !== undefined) this.#frames.delete(oldest)
  }

  /** Strikes when such a fault is armed, fits the occasion and its turn has come. */
  strike(name: ServiceFaultName, occasion: Occasion): Strike | undefined {
    return this.aim(name, occasion)?.strike()
  }

  /** As `strike`, for what can still fail to come about; of faults whose value `fitsValue`. */
  aim(
    name: ServiceFaultName,
    occasion: Occasion,
    fitsValue: (value: number) => boolean = () => true,
  ): Aim | undefined {
    for (const entry of this.#byName.get(name) ?? []) {
      if (fitsValue(valueOf(entry)) && this.#fits(entry, occasion) && isDue(entry)) {
        return this.#aimed(entry, occasion)
      }
    }
    return undefined
  }

  #named(name: string): Set<Entry> {
    const known = this.#byName.get(name) ?? new Set()
    this.#byName.set(name, known)
    return known
  }

  #aimed(entry: Entry, { what, partition }: Occasion): Aim {
    entry.aimed += 1
    const value = valueOf(entry)
    return {
      value,
      strike: () => {
        entry.aimed -= 1
        entry.struck += 1
        const strike = { fault: armedOf(entry), what, partition, value }
        this.#onStrike(strike)
        return strike
      },
      miss: () => void (entry.aimed -= 1),
    }
  }

  #fits({ fault, row }: Entry, { at, partition, frame }: Occasion): boolean {
    const { scope } = fault
    const isHere = (scope.service ?? this.service) === this.service && fitsPlace({ fault, row }, at)
    if (!isHere) return false
    if (scope.partition !== undefined && scope.partition !== partition) return false
    if (scope.frame === undefined) return true
    return scope.frame === (frame ?? (partition && this.#frames.get(partition)))
  }
}

function fitsPlace({ fault, row }: Pick<Entry, 'fault' | 'row'>, at: string | undefined): boolean {
  if (fault.at !== undefined) return fault.at === at
  return row.places === undefined || (at !== undefined && placesOf(row).includes(at))
}

/** Counts the occasion. */
function isDue(entry: Entry): boolean {
  const { after, times, probability } = entry.fault
  entry.considered += 1
  if (entry.considered <= after || entry.struck + entry.aimed >= times) return false
  return probability === undefined || entry.random.next() < probability
}

function valueOf({ fault, row }: Pick<Entry, 'fault' | 'row'>): number {
  return fault.value ?? row.default ?? 0
}

function armedOf({ fault, considered, struck }: Entry): ArmedFault {
  return { ...fault, considered, struck }
}
