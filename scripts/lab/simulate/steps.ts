/** What is done to a room, as data: a run is its seed, its configuration and these. */
import {
  type CrashCause,
  type FirmwareFaultName,
  firmwareFaultNames,
  firmwareFaults,
} from '@fadump-lab/shared/contracts'
import type { Random } from '@fadump-lab/shared/runtime'
import { servicesOf, type Configuration, type StepFamily } from './configuration.ts'
import type { CutKind } from './network.ts'
import { planFault, type PlannedFault } from './planned-fault.ts'

export type Action =
  | {
      readonly do: 'activate' | 'restart' | 'shutdown' | 'power-off' | 'dump-restart'
      readonly partition: string
    }
  | { readonly do: 'kill-partition' | 'migrate'; readonly partition: string }
  | { readonly do: 'crash'; readonly partition: string; readonly cause: CrashCause }
  | { readonly do: 'reboot'; readonly partition: string; readonly action: 'reboot' | 'kexec' }
  | {
      readonly do: 'write'
      readonly partition: string
      readonly file: string
      readonly text: string
    }
  | { readonly do: 'plant'; readonly partition: string }
  | {
      readonly do: 'firmware-fault'
      readonly partition: string
      readonly name: FirmwareFaultName
      readonly value?: number
    }
  | {
      readonly do: 'kill'
      readonly service: string
      readonly operations: number
      readonly downMs: number
    }
  | { readonly do: 'stop'; readonly service: string; readonly downMs: number }
  | {
      readonly do: 'cut'
      readonly from: string
      readonly to: string
      readonly kind: CutKind
      readonly forMs: number
    }
  /** A fault of the registry, in one process. */
  | { readonly do: 'fault'; readonly service: string; readonly fault: PlannedFault }
  | {
      readonly do: 'disk-fails'
      readonly operation: 'write' | 'read' | 'rename'
      readonly times: number
    }
  | { readonly do: 'disk-full'; readonly leftBytes: number; readonly forMs: number }
  | { readonly do: 'power-cut'; readonly downMs: number }
  | { readonly do: 'rot'; readonly nth: number }
  | { readonly do: 'memory-lost' }
  | { readonly do: 'store-down'; readonly forMs: number }
  | { readonly do: 'delete' | 'pin' | 'unpin'; readonly nth: number }
  | { readonly do: 'scrub' }
  | { readonly do: 'redeliver'; readonly queue: 'ipl' | 'system-reset' | 'capture' }

/** What services tell while a dump is on its way: a step can wait for it, to come into the middle of it. */
export const moments = [
  'crashed',
  'triggered',
  'preserved',
  'claimed',
  'claimedAgain',
  'transfer',
  'transferred',
  'verified',
  'stored',
  'released',
] as const
export type Moment = (typeof moments)[number]

export interface Step {
  /** Milliseconds after the one before. */
  readonly afterMs: number
  readonly action: Action
  /** It is taken so many milliseconds after the next event of that name, on its partition; when none comes, after a while. */
  readonly at?: { readonly moment: Moment; readonly afterMs: number }
}

interface Drawn {
  readonly weight: number
  readonly family?: StepFamily
  /** Its weight is that of the run. */
  readonly isCrash?: true
  /** Whether it may wait for a moment. */
  readonly waits?: true
  readonly draw: (pick: Pick) => Action
}

class Pick {
  readonly random: Random
  readonly configuration: Configuration
  constructor(random: Random, configuration: Configuration) {
    this.random = random
    this.configuration = configuration
  }

  get partition(): string {
    const { partitions } = this.configuration
    return partitions[this.random.int(partitions.length)]?.id ?? 'p1'
  }

  get service(): string {
    return this.of(...servicesOf(this.configuration))
  }

  of<T>(...all: readonly T[]): T {
    return all[this.random.int(all.length)] as T
  }

  /** Small numbers often, large ones sometimes. */
  upTo(max: number): number {
    return this.random.int(1 + this.random.int(1 + max))
  }
}

const causes: readonly CrashCause[] = ['sysrq', 'null-dereference', 'bug', 'panic', 'hard-lockup']
const sysfsWrites: readonly (readonly [file: string, text: string])[] = [
  ['kernel/fadump_registered', '1'],
  ['kernel/fadump_registered', '0'],
  ['kernel/fadump_release_mem', '1'],
  ['kernel/dlpar', 'memory add count 1'],
  ['kernel/dlpar', 'memory remove index 2147483651'],
  ['devices/system/cpu/cpu1/online', '0'],
  ['devices/system/cpu/cpu1/online', '1'],
]
const faultNames = firmwareFaultNames.filter((name) => name !== 'dma-in-flight')

const drawn: readonly Drawn[] = [
  {
    weight: 8,
    isCrash: true,
    draw: (pick) => ({ do: 'crash', partition: pick.partition, cause: pick.of(...causes) }),
  },
  {
    weight: 2,
    waits: true,
    draw: (pick) => ({ do: 'crash', partition: pick.partition, cause: pick.of(...causes) }),
  },
  { weight: 3, draw: (pick) => ({ do: 'activate', partition: pick.partition }) },
  { weight: 1, draw: (pick) => ({ do: 'plant', partition: pick.partition }) },
  { weight: 1, waits: true, draw: (pick) => ({ do: 'dump-restart', partition: pick.partition }) },
  ...(['restart', 'shutdown', 'power-off', 'kill-partition', 'migrate'] as const).map(
    (operation): Drawn => ({
      weight: 1,
      family: 'operators',
      waits: true,
      draw: (pick) => ({ do: operation, partition: pick.partition }),
    }),
  ),
  {
    weight: 1,
    family: 'operators',
    waits: true,
    draw: (pick) => ({
      do: 'reboot',
      partition: pick.partition,
      action: pick.of('reboot', 'kexec'),
    }),
  },
  {
    weight: 3,
    family: 'operators',
    waits: true,
    draw: (pick) => {
      const [file, text] = pick.of(...sysfsWrites)
      return { do: 'write', partition: pick.partition, file, text }
    },
  },
  {
    weight: 1,
    family: 'operators',
    waits: true,
    draw: (pick) => ({ do: pick.of('delete', 'pin', 'unpin'), nth: pick.random.int(8) }),
  },
  { weight: 1, family: 'operators', draw: () => ({ do: 'scrub' }) },
  {
    weight: 6,
    family: 'kills',
    waits: true,
    draw: (pick) => ({
      do: 'kill',
      service: pick.service,
      operations: pick.upTo(pick.of(10, 150)),
      downMs: 100 + pick.upTo(30_000),
    }),
  },
  {
    weight: 1,
    family: 'kills',
    waits: true,
    draw: (pick) => ({ do: 'stop', service: pick.service, downMs: 100 + pick.upTo(10_000) }),
  },
  {
    weight: 3,
    family: 'network',
    waits: true,
    draw: (pick) => ({
      do: 'cut',
      from: pick.service,
      to: pick.service,
      kind: pick.of('refused', 'silent'),
      forMs: 100 + pick.upTo(60_000),
    }),
  },
  ...(['network', 'streams', 'disk', 'store', 'redelivery', 'kills', 'clock'] as const).map(
    (family): Drawn => ({
      weight: family === 'streams' ? 8 : 5,
      family,
      draw: (pick) => ({ do: 'fault', ...planFault(family, pick.random, pick.configuration) }),
    }),
  ),
  {
    weight: 3,
    family: 'disk',
    waits: true,
    draw: (pick) => ({
      do: 'disk-fails',
      operation: pick.of('write', 'read', 'rename'),
      times: 1 + pick.upTo(3),
    }),
  },
  {
    weight: 3,
    family: 'disk',
    draw: (pick) => ({
      do: 'disk-full',
      leftBytes: pick.upTo(2_000_000),
      forMs: 1000 + pick.upTo(120_000),
    }),
  },
  {
    weight: 2,
    family: 'disk',
    waits: true,
    draw: (pick) => ({ do: 'power-cut', downMs: 500 + pick.upTo(30_000) }),
  },
  { weight: 2, family: 'disk', draw: (pick) => ({ do: 'rot', nth: pick.random.int(1000) }) },
  {
    weight: 4,
    family: 'firmware',
    draw: (pick) => ({
      do: 'firmware-fault',
      partition: pick.partition,
      ...faultOf(pick.of(...faultNames), pick),
    }),
  },
  { weight: 1, family: 'store', waits: true, draw: () => ({ do: 'memory-lost' }) },
  {
    weight: 2,
    family: 'store',
    waits: true,
    draw: (pick) => ({ do: 'store-down', forMs: 100 + pick.upTo(20_000) }),
  },
  {
    weight: 4,
    family: 'redelivery',
    waits: true,
    draw: (pick) => ({
      do: 'redeliver',
      queue: pick.of('capture', 'capture', 'ipl', 'system-reset'),
    }),
  },
]

function faultOf(
  name: FirmwareFaultName,
  pick: Pick,
): { readonly name: FirmwareFaultName; readonly value?: number } {
  if (firmwareFaults[name].value !== 'rtas-status') return { name }
  return { name, value: pick.of(-1, -2, -3, -9, -10, 9900, 9901) }
}

/** On average, between a step and one right behind it. */
const closeMs = 200

/** `count` steps; each draws from a source of its own, so that one left out changes no other. */
export function drawSteps(
  random: Random,
  configuration: Configuration,
  count: number,
): readonly Step[] {
  const { families, stepMs, crashWeight, latencyMsMax } = configuration
  const allowed = drawn
    .filter(({ family }) => family === undefined || families.has(family))
    .map((row) => (row.isCrash === true ? { ...row, weight: crashWeight } : row))
  const total = allowed.reduce((sum, { weight }) => sum + weight, 0)
  return Array.from({ length: count }, (_, index) => {
    const own = random.fork(`step ${index}`)
    const pick = new Pick(own, configuration)
    let left = own.int(total)
    const row = allowed.find(({ weight }) => (left -= weight) < 0)
    const action = (row ?? allowed[0])?.draw(pick) ?? { do: 'scrub' }
    const afterMs = pauseBefore(own, stepMs)
    const waits = row?.waits === true && own.int(2) === 0
    if (!waits) return { afterMs, action }
    const moment = pick.of(...moments, 'transfer', 'transfer')
    return { afterMs, action, at: { moment, afterMs: pick.upTo(10 * (latencyMsMax + 1)) } }
  })
}

/** Most steps come by themselves, some right behind the one before: into the middle of what that has begun. */
function pauseBefore(random: Random, stepMs: number): number {
  const meanMs = random.int(3) === 0 ? Math.min(stepMs, closeMs) : stepMs
  return Math.round(-Math.log(1 - random.next()) * meanMs)
}

/** For people: `crash p1 cause=panic`. */
export function describeAction(action: Action): string {
  const { do: verb, ...rest } = action
  const words = Object.entries(rest).map(([key, value]) =>
    key === 'partition' || key === 'service'
      ? String(value)
      : `${key}=${typeof value === 'object' ? Object.values(value as object).join('@') : String(value)}`,
  )
  return [verb, ...words].join(' ')
}
