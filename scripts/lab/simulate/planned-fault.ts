/** Faults of the registry, drawn: which one, in which process, where and how often. */
import {
  placesOf,
  serviceFaultNames,
  faults,
  type FaultPoint,
  type FaultRow,
  type NewFault,
  type ServiceFaultName,
} from '@fadump-lab/shared/contracts'
import type { Random } from '@fadump-lab/shared/runtime'
import { servicesOf, type Configuration, type StepFamily } from './configuration.ts'

export type PlannedFault = Pick<NewFault, 'name' | 'value' | 'at' | 'after' | 'times'>

/** Which rows a family of steps draws from. */
const pointsOf: Readonly<Partial<Record<StepFamily, readonly FaultPoint[]>>> = {
  network: ['network'],
  streams: ['network'],
  disk: ['disk'],
  store: ['redis-memory', 'redis-control'],
  redelivery: ['queue'],
  kills: ['process'],
  clock: ['clock'],
}
const prefixes = {
  hypervisor: 'hypervisor',
  'lpar-kernel': 'kernel',
  'dump-collector': 'collector',
  'hmc-api': 'console',
}
/** Bytes of a vmcore, and of what is stored of it, in most runs. */
const bytesMax = 2_000_000
const msMax = 60_000
const afterMax = 8
const timesMax = 5

export function planFault(
  family: StepFamily,
  random: Random,
  configuration: Configuration,
): { readonly service: string; readonly fault: PlannedFault } {
  const of = <T>(all: readonly T[]): T => all[random.int(all.length)] as T
  const name = of(namesOf(family))
  const row = faults.get(name) as FaultRow
  const prefix = prefixes[of(row.services)]
  const service = of(servicesOf(configuration).filter((process) => process.startsWith(prefix)))
  const value = valueOf(row, random)
  const places = placesOf(row)
  const hasPlace = places.length > 0 && (row.place === 'step' || random.int(2) === 0)
  return {
    service,
    fault: {
      name,
      ...(value === undefined ? {} : { value }),
      ...(hasPlace ? { at: of(places) } : {}),
      after: random.int(2) * random.int(1 + random.int(family === 'streams' ? 2 : afterMax)),
      times: 1 + random.int(timesMax),
    },
  }
}

function namesOf(family: StepFamily): readonly ServiceFaultName[] {
  const points = pointsOf[family] ?? []
  return serviceFaultNames.filter((name) => {
    const row = faults.get(name)
    if (row === undefined || !points.includes(row.point)) return false
    const isStream = row.services.length === 1
    return row.point !== 'network' || isStream === (family === 'streams')
  })
}

function valueOf({ value }: FaultRow, random: Random): number | undefined {
  switch (value) {
    case 'bytes':
      return random.int(1 + random.int(bytesMax))
    case 'ms':
      return random.int(1 + random.int(msMax))
    case 'count':
      return 1 + random.int(16)
    case 'moment':
      return random.int(2)
    case 'flags':
    case 'none':
    case 'rtas-status':
      return undefined
  }
}
