/** The capture system of a partition: what its boot memory, its command line and its capture environment add up to. */
import type { Partition } from '@fadump-lab/shared/contracts'
import {
  describeSystem,
  presets,
  type DescribedSystem,
  type NetworkCardKind,
  type PresetName,
} from '@fadump-lab/shared/capture-memory'
import { MiB } from '@fadump-lab/shared/units'
import { captureArguments, type CaptureArguments } from './capture-arguments.ts'

export interface CaptureFacts {
  readonly partition: Pick<Partition, 'profile' | 'processors' | 'captureTarget' | 'capture'>
  readonly memoryBytes: bigint
  readonly bootMemoryBytes: bigint
  /** Instead of it, as somebody asks. */
  readonly bootMemoryMiB?: number
  readonly pageBytes: bigint
  /** With what is appended for a capture boot. */
  readonly commandLine: string
  /** NR_CPUS of the kernel. */
  readonly nrCpusMax: number
  /** What one vmcore stream of this host reads ahead. */
  readonly windowMiB: number
}

/** Kernel, user space and network of each profile when nobody says: for v5 the system that the series of 2011 tells of. */
const defaults: Readonly<
  Record<Partition['profile'], { readonly preset: PresetName; readonly card: NetworkCardKind }>
> = {
  v5: { preset: '2011', card: 'ehea' },
  modern: { preset: 'linux-7.2', card: 'ibmveth' },
}

/** The settings of a partition as the model takes them; what the command line does not say is left to the preset. */
export function describeCapture(facts: CaptureFacts): DescribedSystem {
  const { partition } = facts
  const { failureAction: _action, target: asked, ...environment } = partition.capture ?? {}
  const usual = defaults[partition.profile]
  const { preset: chosen = usual.preset, card = usual.card } = environment
  const args = captureArguments(facts.commandLine, Number(facts.memoryBytes / MiB))
  return describeSystem({
    ...environment,
    preset: chosen,
    card,
    ...fromArguments(args, chosen),
    target: partition.captureTarget === 'local' ? 'local' : (asked ?? 'ssh'),
    mechanism: 'fadump',
    memoryMiB: Number(facts.memoryBytes / MiB),
    bootMemoryMiB: facts.bootMemoryMiB ?? Number(facts.bootMemoryBytes / MiB),
    pageKiB: facts.pageBytes === 4096n ? 4 : 64,
    cpus: partition.processors,
    nrCpus: Math.min(partition.processors, facts.nrCpusMax, limitOf(args, chosen)),
    ...(card === 'ehea' && args.singleQueue ? { multiqueue: false } : {}),
    windowMiB: facts.windowMiB,
  })
}

/** `nr_cpus=`, where the kernel of a capture knows it. */
function limitOf({ nrCpus }: CaptureArguments, preset: PresetName): number {
  return presets[preset].limitsCaptureCpus && nrCpus !== undefined ? nrCpus : Infinity
}

/** systemd-udevd without `udev.children-max=` on a machine of a few GiB. */
const udevWorkersUnlimited = 10

function fromArguments(args: CaptureArguments, preset: PresetName) {
  const isNow = preset === 'now'
  return {
    // The preset `now` stands for kdump-utils, whose additions to the command line are only there when they are there.
    ...(isNow ? { memoryController: !args.noMemoryController } : {}),
    ...(isNow ? { udevWorkers: udevWorkersUnlimited } : {}),
    ...(args.udevWorkers === undefined ? {} : { udevWorkers: args.udevWorkers }),
    ...(args.hugepagesMiB === undefined ? {} : { hugepagesMiB: args.hugepagesMiB }),
    ...(args.memLimitMiB === undefined ? {} : { memLimitMiB: args.memLimitMiB }),
    ...(args.rootfsPercent === undefined ? {} : { rootfsPercent: args.rootfsPercent }),
    ...(args.panicOnOom ? { panicOnOom: true } : {}),
  }
}
