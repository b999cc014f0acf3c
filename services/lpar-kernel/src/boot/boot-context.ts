/** One boot of one partition, while it is under way. */
import type { ImageNotes, Partition } from '@fadump-lab/shared/contracts'
import { kernelProfiles, type KernelProfile, type ReservationPlan } from '@fadump-lab/shared/fadump'
import type { Clock } from '@fadump-lab/shared/runtime'
import type { Epoch, MemoryStore, SpaceId } from '@fadump-lab/shared/store'
import { byteLength, hex, rangeLength, type RealAddress } from '@fadump-lab/shared/units'
import { vmcoreinfoNoteSize } from '../fadump/crash-info.ts'
import type { FirmwareClient } from '../firmware/firmware-client.ts'
import type { KernelRecord } from '../kernel/kernel-record.ts'
import { symbolAddress } from '../memory/kernel-image.ts'
import type { PartitionMemory } from '../memory/partition-memory.ts'
import { cpuLimitsOf } from './cpu-limits.ts'
import { reserveCrashkernel } from './crashkernel.ts'
import type { SystemFacts } from './system-facts.ts'

/** What the boot before this one has left. */
export interface BootBefore {
  /** Capture boots in a row, up to that one, that could not save the dump. */
  readonly failedBoots: number
  /** Why it has failed to save the dump, in one sentence; absent when it was no capture boot, or did not fail. */
  readonly captureFailure: string | undefined
}

export interface BootContext {
  readonly store: MemoryStore
  readonly clock: Clock
  /** Aborts when this host must let go of the boot. */
  readonly signal: AbortSignal
  readonly space: SpaceId
  readonly epoch: Epoch
  readonly memory: PartitionMemory
  readonly firmware: FirmwareClient
  readonly partition: Partition
  /** With the page size of the kernel that boots. */
  readonly profile: KernelProfile
  readonly facts: SystemFacts
  /** `fwnmi_active`. */
  readonly isFwnmiActive?: boolean
  /** How many kernels of this boot came up by kexec, this one included; 0: firmware starts it. */
  readonly kexecs: number
  /** Present when the partition was made from an image. */
  readonly image: ImageNotes | undefined
  readonly before: BootBefore
}

/** A boot that ends in an error; the message teaches what to change. */
export class BootFailure extends Error {
  override readonly name = 'BootFailure'
}

/** The profile of `partition`; an image brings its own page size. */
export function bootProfile(partition: Partition, image: ImageNotes | undefined): KernelProfile {
  const profile = kernelProfiles[partition.profile]
  return image === undefined ? profile : { ...profile, pageSize: byteLength(image.pageSize) }
}

/** `nr_cpu_ids` of this boot. */
export function nrCpuIdsOf({ facts, profile }: Pick<BootContext, 'facts' | 'profile'>): number {
  return cpuLimitsOf(facts.bootArguments, profile.nrCpus).nrCpuIds
}

/**
 * CPUs that this boot does not start: configured so, beyond what this kernel can have or is told to have, or unknown to
 * the image's kernel.
 */
export function offlineCpusOf(context: BootContext, imageBoots: boolean): number[] {
  const { partition, profile, image, facts } = context
  const configured = new Set(partition.offlineCpus)
  const known = imageBoots ? new Set(image?.cpus.map(({ cpu }) => cpu)) : undefined
  const { nrCpuIds, started } = cpuLimitsOf(facts.bootArguments, profile.nrCpus)
  const all = Array.from({ length: partition.processors }, (_, cpu) => cpu)
  const startable = all.filter(
    (cpu) => !configured.has(cpu) && cpu < nrCpuIds && known?.has(cpu) !== false,
  )
  const online = new Set(startable.slice(0, started))
  return all.filter((cpu) => !online.has(cpu))
}

type LastRecord = Pick<KernelRecord, 'epoch' | 'capture' | 'captureFailureBefore'>

/**
 * `last`: the record that was written last. It is of this boot when a host has died in it and another one starts anew: then
 * it knows of the boot before.
 */
export function bootBefore(last: LastRecord | undefined, epoch: Epoch): BootBefore {
  const { failedBoots = 0, failure } = last?.capture ?? {}
  if (last?.epoch !== epoch) return { failedBoots, captureFailure: failure }
  const ownFailures = failure === undefined ? 0 : 1
  return { failedBoots: failedBoots - ownFailures, captureFailure: last.captureFailureBefore }
}

/** Where this kernel keeps what firmware reads; default: our kernel image. */
export interface KernelPlaces {
  readonly fdm: RealAddress
  readonly osTerm: RealAddress
  readonly vmcoreinfo: RealAddress
}

export const ownPlaces: KernelPlaces = {
  fdm: symbolAddress('fdm'),
  osTerm: symbolAddress('rtas_os_term_buf'),
  vmcoreinfo: symbolAddress('vmcoreinfo_note'),
}

/** The record of a kernel that has just come up; what is special about a boot is spread over it. */
export function freshRecord(
  context: BootContext,
  plan: ReservationPlan,
  places: KernelPlaces,
): KernelRecord {
  const { partition, facts, profile } = context
  const { firmwareDump } = facts
  const pageSize = profile.pageSize
  return {
    epoch: context.epoch,
    partition: partition.id,
    frame: partition.frame,
    profile: partition.profile,
    pageSize,
    boot: 'first',
    isImage: false,
    bootedAtMs: context.clock.now(),
    commandLine: facts.bootArguments,
    memoryRegions: [...facts.memoryRegions],
    memory: {
      configuredBytes: partition.memoryBytes,
      maximumBytes: partition.maximumMemoryBytes ?? partition.memoryBytes,
    },
    rmaSize: facts.rmaSize,
    processors: partition.processors,
    nrCpuIds: nrCpuIdsOf(context),
    offlineCpus: offlineCpusOf(context, false),
    removedCpus: [],
    rtas: facts.rtas,
    isFwnmiActive: context.isFwnmiActive ?? false,
    fdmAddress: places.fdm,
    osTermAddress: places.osTerm,
    vmcoreinfo: {
      address: places.vmcoreinfo,
      bytes: vmcoreinfoNoteSize({ profile: partition.profile, pageSize }),
    },
    fadump: {
      isSupported: firmwareDump.isSupported,
      isEnabled: plan.isEnabled,
      canTerminate: firmwareDump.canTerminate,
      isRegistering: false,
      isRegistered: false,
      isDumpActive: false,
      hasReleaseFile: false,
      cpuStateSize: firmwareDump.cpuStateSize,
      hpteSize: firmwareDump.hpteSize,
      bootMemorySize: plan.bootMemorySize,
      bootMemoryTop: plan.bootMemoryTop,
      bootRegions: [...plan.bootRegions],
      area: plan.area,
      parameterArea: plan.parameterArea,
      cmaArea: plan.cmaArea,
    },
    crashkernelArea: reserveCrashkernel(context, plan).area,
    captureFailureBefore: context.before.captureFailure,
    imageRegisters: {},
    isHalted: false,
    isCrashing: false,
    dumpService: partition.dumpService,
    isReleasing: false,
    isServiceDue: false,
    headerPage:
      partition.profile === 'modern' && partition.kernelDefects.includes('release-frees-header')
        ? 'freed by release'
        : 'kept',
    kexecs: context.kexecs,
    prstatusPids: partition.prstatusPids,
    correlationId: context.firmware.boot.correlationId,
  }
}

/** All memory of a partition, without holes. */
export function memoryBytesOf(facts: Pick<SystemFacts, 'memoryRegions'>): bigint {
  return facts.memoryRegions.reduce((sum, region) => sum + rangeLength(region), 0n)
}

/** `memblock_end_of_DRAM()`. */
export function memoryEndOf(facts: Pick<SystemFacts, 'memoryRegions'>): bigint {
  return facts.memoryRegions.at(-1)?.end ?? 0n
}

export function tooSmall(context: BootContext, needed: bigint): BootFailure {
  const { partition, facts } = context
  return new BootFailure(
    `partition ${partition.id} has ${hex(memoryBytesOf(facts))} bytes of memory; a kernel for ` +
      `${partition.processors} CPUs needs ${hex(needed)}. Give it more memory.`,
  )
}
