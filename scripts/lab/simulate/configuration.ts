/** The room of one run, drawn from its seed: every run is another machine room (swarm testing). */
import type { KernelProfileName, NewPartition } from '@fadump-lab/shared/contracts'
import type { Random } from '@fadump-lab/shared/runtime'

export interface PartitionPlan {
  readonly id: string
  readonly profile: KernelProfileName
  readonly firmware: NewPartition['firmware']
  readonly memoryBytes: number
  readonly processors: number
  readonly contentSeed: number
  readonly populatedBytes: number
  readonly dumpService: boolean
  readonly bootArguments: string
}

/** Kinds of steps that a run may take beside those of every run; each is on or off. */
export const stepFamilies = [
  'kills',
  'network',
  'streams',
  'disk',
  'firmware',
  'store',
  'operators',
  'redelivery',
  'clock',
] as const
export type StepFamily = (typeof stepFamilies)[number]

export interface Configuration {
  readonly partitions: readonly PartitionPlan[]
  readonly kernelHosts: number
  readonly collectors: number
  readonly captureConcurrency: number
  readonly bootConcurrency: number
  /** Bytes between two durable checkpoints. */
  readonly windowBytes: number
  readonly idleTimeoutMs: number
  readonly housekeepingMs: number
  readonly latencyMsMax: number
  /** The most that one operation of store, queue, disk or event log takes, when it takes any time. */
  readonly operationMsMax: number
  /** How many of a thousand operations take time. */
  readonly slowPermille: number
  /** Between two steps, on average. */
  readonly stepMs: number
  readonly retentionDumps: number
  readonly capturesPerHour: number
  readonly scrubIntervalMs: number
  /** How often a step is a crash, beside the weights of the other steps. */
  readonly crashWeight: number
  readonly families: ReadonlySet<StepFamily>
}

const MiB = 1024 ** 2
const partitionsMax = 4
const familiesMax = 4

export function drawConfiguration(random: Random): Configuration {
  const of = <T>(first: T, ...others: readonly T[]): T => {
    const all = [first, ...others]
    return all[random.int(all.length)] ?? first
  }
  const capturesPerHour = of(0, 0, 600, 2)
  const partitions = of(1, 1, 1, 2, 2, 3, partitionsMax)
  return {
    partitions: Array.from({ length: partitions }, (_, index) =>
      drawPartition(`p${index + 1}`, random.fork(`partition ${index}`)),
    ),
    kernelHosts: of(1, 2),
    collectors: of(1, 1, 2),
    captureConcurrency: of(1, 2, 4),
    bootConcurrency: of(1, 4),
    windowBytes: of(64 * 1024, 64 * 1024, 256 * 1024, MiB, 64 * MiB),
    idleTimeoutMs: of(2_000, 60_000),
    // Who waits for an hour to pass need not look every few seconds whether it has.
    housekeepingMs: capturesPerHour === 2 ? 60_000 : of(5_000, 60_000),
    latencyMsMax: of(0, 2, 20, 400),
    operationMsMax: of(1, 10, 200),
    slowPermille: of(0, 0, 30, 200),
    stepMs: of(300, 2_000, 8_000, 20_000),
    retentionDumps: of(0, 0, 1, 2),
    capturesPerHour,
    scrubIntervalMs: of(0, 60_000),
    crashWeight: of(8, 16, 32),
    families: drawFamilies(random),
  }
}

/** One kind of steps to four: a run in which everything happens has little of each. */
function drawFamilies(random: Random): ReadonlySet<StepFamily> {
  const left = [...stepFamilies]
  const count = 1 + random.int(familiesMax)
  return new Set(
    Array.from({ length: count }, () => left.splice(random.int(left.length), 1)).flat(),
  )
}

const ordinary = ['fadump=on', 'fadump=on'] as const

function drawPartition(id: string, random: Random): PartitionPlan {
  const of = <T>(first: T, ...others: readonly T[]): T => {
    const all = [first, ...others]
    return all[random.int(all.length)] ?? first
  }
  return {
    id,
    profile: of('v5', 'modern'),
    firmware: of('papr', 'papr', 'papr-text', 'qemu'),
    memoryBytes: of(1024 * MiB, 1024 * MiB, 2048 * MiB),
    processors: of(1, 1, 2, 4),
    contentSeed: random.int(0x1_0000_0000),
    populatedBytes: of(3, 6, 12) * 64 * 1024,
    dumpService: of(true, true, true, true, true, false),
    bootArguments: of(...ordinary, ...ordinary, ...ordinary, 'fadump=on panic=0', 'fadump=off'),
  }
}

/** The processes of the room, by the names that steps use. */
export function servicesOf({ kernelHosts, collectors }: Configuration): readonly string[] {
  const some = (name: string, count: number) =>
    Array.from({ length: count }, (_, index) => `${name}-${index + 1}`)
  return ['console', 'hypervisor', ...some('kernel', kernelHosts), ...some('collector', collectors)]
}
