/** The rules a new partition must keep, and the record it starts with. */
import { describeSystem } from '@fadump-lab/shared/capture-memory'
import {
  Problem,
  refusedDescription,
  type Image,
  type KernelProfileName,
  type NewPartition,
} from '@fadump-lab/shared/contracts'
import { pageSize } from '@fadump-lab/shared/store'
import {
  byteLength,
  describeLength,
  hex,
  isAligned,
  MiB,
  type ByteLength,
} from '@fadump-lab/shared/units'
import type { FirmwareRecord } from './firmware-record.ts'

/** The real mode area of a partition that does not ask for another size. */
const rmaBytesDefault = 256n * MiB
/** The most virtual CPUs of one partition. */
export const partitionProcessorsMax = 4096
/** The device tree states a partition's memory in one range below the kernel's linear map. */
const memoryBytesMax = 64n * 1024n * 1024n * MiB

/** Byte order of each kernel profile: Linux on POWER was big-endian in 2011. */
const byteOrderOf: Readonly<Record<KernelProfileName, Image['byteOrder']>> = {
  v5: 'big',
  modern: 'little',
}

interface Rule {
  readonly breaks: (partition: NewPartition) => boolean
  readonly demand: string
  readonly value: (partition: NewPartition) => string
}

const rules: readonly Rule[] = [
  {
    breaks: ({ memoryBytes }) =>
      memoryBytes === 0n ||
      memoryBytes > memoryBytesMax ||
      !isAligned(memoryBytes, BigInt(pageSize)),
    demand: 'memoryBytes must be a multiple of 65536 (64 KiB) from 64 KiB to 64 TiB',
    value: ({ memoryBytes }) => `${memoryBytes}`,
  },
  {
    breaks: ({ processors }) => processors < 1 || processors > partitionProcessorsMax,
    demand: `processors must be 1 to ${partitionProcessorsMax}`,
    value: ({ processors }) => `${processors}`,
  },
  {
    breaks: ({ processors, maximumProcessors }) =>
      maximumProcessors !== undefined &&
      (maximumProcessors < processors || maximumProcessors > partitionProcessorsMax),
    demand: `maximumProcessors must be from processors to ${partitionProcessorsMax}`,
    value: ({ maximumProcessors }) => `${maximumProcessors}`,
  },
  {
    breaks: ({ processors, maximumProcessors = processors, threadsPerCore = 1 }) =>
      processors % threadsPerCore !== 0 || maximumProcessors % threadsPerCore !== 0,
    demand: 'processors and maximumProcessors must be whole cores of threadsPerCore',
    value: ({ processors, threadsPerCore }) => `${processors} threads of ${threadsPerCore} a core`,
  },
  {
    breaks: ({ rmaBytes, memoryBytes }) =>
      rmaBytes !== undefined &&
      (rmaBytes === 0n || rmaBytes > memoryBytes || !isAligned(rmaBytes, BigInt(pageSize))),
    demand: 'rmaBytes must be a multiple of 65536 (64 KiB), at least that and at most memoryBytes',
    value: ({ rmaBytes }) => `${rmaBytes}`,
  },
  {
    breaks: ({ bootArguments }) => /[^\u0020-\u007e]/.test(bootArguments),
    demand: 'bootArguments must be printable ASCII',
    value: ({ bootArguments }) => JSON.stringify(bootArguments.slice(0, 64)),
  },
  {
    breaks: ({ offlineCpus, processors }) => offlineCpus.some((cpu) => cpu >= processors),
    demand: 'offlineCpus must name CPUs below processors',
    value: ({ offlineCpus, processors }) =>
      `${offlineCpus.find((cpu) => cpu >= processors)} of ${processors}`,
  },
  {
    breaks: ({ offlineCpus, processors }) => new Set(offlineCpus).size >= processors,
    demand: 'at least one CPU must be online',
    value: ({ offlineCpus }) => `${new Set(offlineCpus).size} offline`,
  },
  {
    breaks: ({ maximumMemoryBytes, memoryBytes }) =>
      maximumMemoryBytes !== undefined &&
      (maximumMemoryBytes < memoryBytes ||
        maximumMemoryBytes > memoryBytesMax ||
        !isAligned(maximumMemoryBytes, BigInt(pageSize))),
    demand: 'maximumMemoryBytes must be a multiple of 65536 from memoryBytes to 64 TiB',
    value: ({ maximumMemoryBytes }) => `${maximumMemoryBytes}`,
  },
  {
    breaks: ({ memoryHoles, memoryBytes }) => !areHolesInOrder(memoryHoles, memoryBytes),
    demand:
      'memoryHoles must be ascending, apart from each other, multiples of 65536 and inside memory, whose first and last page stay',
    value: ({ memoryHoles }) =>
      memoryHoles.map(({ address, length }) => `${hex(address)}+${hex(length)}`).join(' '),
  },
  {
    breaks: ({ content }) =>
      content?.movableBytes !== undefined && content.movableBytes > content.populatedBytes,
    demand: 'content.movableBytes must be at most content.populatedBytes',
    value: ({ content }) => `${content?.movableBytes}`,
  },
  {
    breaks: ({ content, memoryBytes }) =>
      content !== undefined && content.populatedBytes > memoryBytes,
    demand: 'content.populatedBytes must be at most memoryBytes',
    value: ({ content }) => `${content?.populatedBytes}`,
  },
]

/** Holes leave memory at 0, between each other, and at the end. */
function areHolesInOrder(holes: NewPartition['memoryHoles'], memoryBytes: bigint): boolean {
  const page = BigInt(pageSize)
  let lastEnd = 0n
  return holes.every(({ address, length }) => {
    const isApart = address > lastEnd && length > 0n && address + length < memoryBytes
    lastEnd = address + length
    return isApart && isAligned(address, page) && isAligned(length, page)
  })
}

/** Errors: `invalid-configuration` for the first rule of the table that is broken. */
export function checkNewPartition(partition: NewPartition): void {
  const broken = rules.find((rule) => rule.breaks(partition))
  if (broken === undefined) {
    checkCaptureEnvironment(partition)
    return
  }
  throw new Problem(
    'invalid-configuration',
    `partition ${partition.id}: ${broken.demand}, not ${broken.value(partition)}`,
  )
}

/** The network card of each profile's capture kernel when nobody names one. */
const usualCard = { v5: 'ehea', modern: 'ibmveth' } as const

/**
 * The settings by themselves and together; how much boot memory there is, only the kernel knows. Errors:
 * `invalid-configuration` with every refusal, its rule and the valid values.
 */
function checkCaptureEnvironment(partition: Omit<NewPartition, 'rmaBytes'>): void {
  const { failureAction: _action, ...environment } = partition.capture ?? {}
  const isLocal = partition.captureTarget === 'local'
  const described = describeSystem({
    ...environment,
    card: environment.card ?? usualCard[partition.profile],
    target: isLocal ? 'local' : (environment.target ?? 'ssh'),
    memoryMiB: memoryMiBJudged,
    bootMemoryMiB: memoryMiBJudged / 2,
    cpus: partition.processors,
  })
  if (!described.isAccepted)
    throw refusedDescription(`partition ${partition.id}: capture`, described)
}

/** Any memory will do: the rules of an environment do not look at it. */
const memoryMiBJudged = 65_536

/** Errors: `invalid-configuration` when the partition cannot start from `image`. */
export function checkImageFits(partition: NewPartition, image: Image): void {
  const refuse = (detail: string) => {
    throw new Problem('invalid-configuration', `partition ${partition.id}: ${detail}`)
  }
  if (image.frame !== partition.frame) {
    refuse(`image ${image.id} is on frame ${image.frame}, the partition on ${partition.frame}`)
  }
  if (image.memoryBytes > partition.memoryBytes) {
    refuse(
      `image ${image.id} needs ${describeLength(image.memoryBytes)} of memory, memoryBytes is ${describeLength(partition.memoryBytes)}`,
    )
  }
  if (image.byteOrder !== byteOrderOf[partition.profile]) {
    refuse(
      `image ${image.id} is ${image.byteOrder}-endian, profile ${partition.profile} is ${byteOrderOf[partition.profile]}-endian`,
    )
  }
}

export function byteOrderOfProfile(profile: KernelProfileName): Image['byteOrder'] {
  return byteOrderOf[profile]
}

/** A partition that is off and has never been on. */
export function newFirmwareRecord(
  partition: NewPartition,
  given: Pick<FirmwareRecord, 'incarnation' | 'correlationId'>,
): FirmwareRecord {
  return {
    ...partition,
    ...given,
    rmaBytes: partition.rmaBytes ?? defaultRma(partition.memoryBytes),
    addedMemory: [],
    state: 'not-activated',
    registration: 'idle',
    crashes: 0,
    faults: [],
  }
}

function defaultRma(memoryBytes: ByteLength): ByteLength {
  return byteLength(memoryBytes < rmaBytesDefault ? memoryBytes : rmaBytesDefault)
}
