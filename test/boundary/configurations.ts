/** Random partitions whose least boot memory a kernel takes, with what the model says of it and of one MiB less. */
import { rehearse, type CaptureSystem } from '@fadump-lab/shared/capture-memory'
import { kernelProfiles } from '@fadump-lab/shared/fadump'
import { describeCapture } from '../../services/lpar-kernel/src/capture-memory/describe-capture.ts'
import {
  drawPartitions,
  type DrawnPartition,
} from '../../services/lpar-kernel/src/testing/arbitrary-partition.ts'
import { imageOfSmallPages } from './images.ts'

/** All of a partition but its id and its boot arguments. */
type Form = DrawnPartition['partition'] & {
  readonly memoryBytes: number
  readonly content?: typeof content
  readonly image?: string
}

export interface Configuration {
  readonly form: Form
  readonly minimumMiB: number
  bootArguments(bootMemoryMiB: number): string
}

/** More processors than that tell the same story and take longer. */
export const processorsMax = 8
/** One page beside what kernel and firmware write: what is copied does not matter, only whether it can be. */
const content = { seed: 1, populatedBytes: 65_536 }
/** `MAX_BOOT_MEM_RATIO` for `crashkernel=`; for v5 boot memory, its copy and the capture must fit beside each other. */
const shareMax = 4
/** NR_CPUS of both kernels is larger than `processorsMax`. */
const nrCpusMax = 2048
/** One window of 1 MiB for each of the streams of a host: the least boot memory hardly depends on it. */
const windowMiB = 4

/** How many are drawn for one that is taken. */
const drawnShare = 4

/** The first `count` of what `seed` draws that have a least boot memory. */
export function drawConfigurations(seed: number, count: number): readonly Configuration[] {
  const drawn = drawPartitions(count * drawnShare, seed).flatMap((one) => configurationOf(one))
  return drawn.slice(0, count)
}

function configurationOf({ partition, memoryBytes, ...drawn }: DrawnPartition): Configuration[] {
  const { pageBytes, commandLine } = drawn
  const processors = Math.min(processorsMax, partition.processors)
  const start = pageBytes === 4096n ? { image: imageOfSmallPages(partition.profile) } : { content }
  const form = { ...partition, processors, memoryBytes: Number(memoryBytes), ...start }
  const system = systemOf({ ...drawn, memoryBytes, partition: { ...partition, processors } })
  const { minimumMiB } = system === undefined ? {} : rehearse(system)
  if (minimumMiB === undefined || minimumMiB * shareMax > Number(memoryBytes / 2n ** 20n)) return []
  const floorMiB = Number(kernelProfiles[partition.profile].bootMemoryMin / 2n ** 20n)
  // Below its floor the kernel of 6.10 reserves nothing; that of 3.4 takes whatever it is told.
  if (partition.profile === 'modern' && minimumMiB <= floorMiB) return []
  const name = partition.profile === 'v5' ? 'fadump_reserve_mem' : 'crashkernel'
  return [
    {
      form,
      minimumMiB,
      bootArguments: (bootMemoryMiB) => `${commandLine} ${name}=${bootMemoryMiB}M`,
    },
  ]
}

function systemOf(drawn: DrawnPartition): CaptureSystem | undefined {
  const described = describeCapture({ ...drawn, nrCpusMax, windowMiB })
  return described.isAccepted ? described.system : undefined
}
