/**
 * What a kernel knows beside its memory: the variables that are not modelled as bytes (record `kernel` of the
 * partition's space). With it any host serves any partition; a host itself keeps nothing.
 */
import {
  base64Bytes,
  byteCount,
  hexAddress,
  hexU64,
  records,
  type KernelProfileName,
} from '@fadump-lab/shared/contracts'
import { kernelProfiles, type KernelProfile } from '@fadump-lab/shared/fadump'
import { rememberedCodec } from '@fadump-lab/shared/runtime'
import {
  StoreError,
  type Epoch,
  type MemoryStore,
  type MemoryWrite,
  type SpaceId,
} from '@fadump-lab/shared/store'
import { byteLength } from '@fadump-lab/shared/units'
import { z } from 'zod'
import { captureRecord } from '../capture-memory/capture-record.ts'

const range = z.strictObject({ start: hexAddress, end: hexAddress })

/** Tokens that this boot found in `/rtas`; a service that firmware does not offer is absent. */
const rtasTokens = z.strictObject({
  configureKernelDump: z.int().optional(),
  osTerm: z.int().optional(),
  systemReboot: z.int().optional(),
  powerOff: z.int().optional(),
  nmiRegister: z.int().optional(),
  nmiInterlock: z.int().optional(),
})

/** `struct fw_dump`. */
const fadumpState = z.strictObject({
  isSupported: z.boolean(),
  isEnabled: z.boolean(),
  /** C007: `ibm,os-term` and `ibm,extended-os-term` are both there. */
  canTerminate: z.boolean(),
  /** Set before firmware is asked: a host may die before it hears the answer, and the kernel crash before it is asked again. */
  isRegistering: z.boolean().default(false),
  isRegistered: z.boolean(),
  isDumpActive: z.boolean(),
  /** Whether the dump was active when the kernel booted: the release file stays for the whole uptime. */
  hasReleaseFile: z.boolean(),
  cpuStateSize: byteCount,
  hpteSize: byteCount,
  bootMemorySize: byteCount,
  bootMemoryTop: hexAddress,
  bootRegions: z.array(range),
  /** The reserved dump area; absent when nothing is reserved. */
  area: range.optional(),
  parameterArea: hexAddress.optional(),
  /** The part of the area that is lent to user pages until a crash. */
  cmaArea: range.optional(),
  /** `ibm,kernel-dump` while the dump is active. */
  dump: base64Bytes.optional(),
})
export type FadumpState = z.output<typeof fadumpState>

/** The dump that this capture kernel presents as /proc/vmcore. */
const vmcoreState = z.strictObject({
  dump: z.string(),
  /** `elfcorehdr_addr`. */
  elfCoreHeader: hexAddress,
  elfCoreHeaderBytes: z.int(),
})

const kernelRecord = z.strictObject({
  epoch: z.int().min(0),
  partition: z.string(),
  frame: z.string(),
  profile: z.enum(['v5', 'modern']),
  /** Page size of the kernel: the profile's, or that of the image it was started from. */
  pageSize: byteCount,
  boot: z.enum(['first', 'capture']),
  /** Whether memory is that of an image: its log and VMCOREINFO are not ours to change. */
  isImage: z.boolean(),
  /** Milliseconds since 1970. */
  bootedAtMs: z.number(),
  commandLine: z.string(),
  memoryRegions: z.array(range),
  /** Memory that was added above the configured end, and how far it may go. */
  memory: z.strictObject({ configuredBytes: byteCount, maximumBytes: byteCount }).optional(),
  rmaSize: byteCount,
  processors: z.int(),
  /** `nr_cpu_ids`: CPUs from this number on do not exist for the kernel. */
  nrCpuIds: z.int(),
  /** CPUs that do not run: taken offline, never started, removed, or beyond `nr_cpu_ids`. */
  offlineCpus: z.array(z.int()),
  /** CPUs that dynamic reconfiguration has taken away. */
  removedCpus: z.array(z.int()).default([]),
  rtas: rtasTokens,
  /** `fwnmi_active`: firmware knows the handlers of system reset and machine check. */
  isFwnmiActive: z.boolean().default(false),
  /** Where the dump memory structure and the message of `ibm,os-term` go. */
  fdmAddress: hexAddress,
  osTermAddress: hexAddress,
  vmcoreinfo: z.strictObject({ address: hexAddress, bytes: byteCount }),
  fadump: fadumpState,
  /** Memory that is set aside for kdump, because nothing is for fadump. */
  crashkernelArea: range.optional(),
  vmcore: vmcoreState.optional(),
  /** The memory of a capture kernel. */
  capture: captureRecord.optional(),
  /** Why the capture kernel before this boot has failed, in one sentence; absent when the one before was none, or did not. */
  captureFailureBefore: z.string().optional(),
  /** The CPU that crashes when nobody names one: that of the image. */
  crashingCpu: z.int().optional(),
  /** `pt_regs` of image CPUs that hold more than a save area can tell. */
  imageRegisters: z.record(z.string(), z.array(hexU64)).default({}),
  /** After a crash that nothing took over, with panic=0: memory is there, but nobody answers. */
  isHalted: z.boolean().default(false),
  /** Set when a host begins to carry out a crash: from then on no host registers a dump of this boot. */
  isCrashing: z.boolean().default(false),
  /** Whether user space registers a dump by itself. */
  dumpService: z.boolean(),
  /** Set while a release is under way: a host that dies in it leaves it set, and firmware may have been told. */
  isReleasing: z.boolean().default(false),
  /** Set by a release, until the dump service has registered again: a host that dies in between leaves it set. */
  isServiceDue: z.boolean().default(false),
  /** Defect `release-frees-header`: whether the partition's kernel has it, and whether a release has done it. */
  headerPage: z.enum(['kept', 'freed by release', 'freed']).default('kept'),
  /** How many kernels of this boot came up by kexec, this one included; 0: firmware started it. */
  kexecs: z.int().min(0).default(0),
  /** Set while the next kernel is on its way up: this one answers no more. */
  kexec: z.strictObject({ bootArguments: z.string() }).optional(),
  prstatusPids: z.enum(['truth', 'distinct']),
  correlationId: z.string(),
})
export type KernelRecord = Readonly<z.output<typeof kernelRecord>>

/** Partitions whose record is remembered as it was last read or written. */
const rememberedMax = 1024

const codec = rememberedCodec<KernelRecord>(rememberedMax, {
  encode: (record) => JSON.stringify(z.encode(kernelRecord, record)),
  decode: (text) => z.decode(kernelRecord, JSON.parse(text) as never),
})

export const encodeKernelRecord: (record: KernelRecord) => string = codec.encode

/** The result is shared with whoever reads the same text. */
export const decodeKernelRecord: (text: string) => KernelRecord = codec.decode

/** The profile with the page size of this kernel. */
export function profileOf(record: {
  readonly profile: KernelProfileName
  readonly pageSize: bigint
}): KernelProfile {
  return { ...kernelProfiles[record.profile], pageSize: byteLength(record.pageSize) }
}

/** CPUs that are online, ascending. */
export function onlineCpus(record: Pick<KernelRecord, 'processors' | 'offlineCpus'>): number[] {
  const offline = new Set(record.offlineCpus)
  return Array.from({ length: record.processors }, (_, cpu) => cpu).filter(
    (cpu) => !offline.has(cpu),
  )
}

/** `cpu_possible_mask`, ascending: whatever this kernel can ever run on. */
export function possibleCpus(record: Pick<KernelRecord, 'processors' | 'nrCpuIds'>): number[] {
  const count = Math.min(record.processors, record.nrCpuIds)
  return Array.from({ length: count }, (_, cpu) => cpu)
}

/** The record as it was read; `text` is what `saveKernelRecord` compares with. */
export interface LoadedKernel {
  readonly record: KernelRecord
  readonly text: string
}

/** The present kernel's record; `undefined` when no kernel of the present boot is up. */
export async function loadKernelRecord(
  store: MemoryStore,
  space: SpaceId,
): Promise<LoadedKernel | undefined> {
  const { value, epoch } = await store.readRecord(space, records.kernel)
  if (value === undefined) return undefined
  const record = decodeKernelRecord(value)
  return record.epoch === epoch ? { record, text: value } : undefined
}

/** The record that was written last, whatever boot it is of; `undefined` when no kernel has ever been up. */
export async function lastKernelRecord(
  store: MemoryStore,
  space: SpaceId,
): Promise<KernelRecord | undefined> {
  const { value } = await store.readRecord(space, records.kernel)
  return value === undefined ? undefined : decodeKernelRecord(value)
}

/** Writes the first record of a boot. Errors: `stale-epoch`. */
export async function createKernelRecord(
  store: MemoryStore,
  space: SpaceId,
  record: KernelRecord,
): Promise<LoadedKernel> {
  const text = encodeKernelRecord(record)
  await store.commit(space, {
    expect: { epoch: record.epoch as Epoch },
    records: { [records.kernel]: text },
  })
  return { record, text }
}

/** Attempts against commits of others (the hypervisor's) to the same space. */
const saveAttemptsMax = 16

/**
 * Replaces `loaded` by `next`, unless somebody else has changed the record or the boot is over since it was loaded:
 * then `undefined`, and nothing is changed. The hypervisor's commits to the same space do not disturb.
 */
export async function saveKernelRecord(
  store: MemoryStore,
  space: SpaceId,
  change: {
    readonly loaded: LoadedKernel
    readonly next: KernelRecord
    /** What goes into memory with it, or not at all. */
    readonly writes?: readonly MemoryWrite[]
  },
): Promise<LoadedKernel | undefined> {
  const text = encodeKernelRecord(change.next)
  const { writes = [] } = change
  for (let attempt = 1; ; attempt++) {
    const { value, version, epoch } = await store.readRecord(space, records.kernel)
    if (value !== change.loaded.text || epoch !== change.next.epoch) return undefined
    try {
      const expect = { version, epoch }
      await store.commit(space, { expect, records: { [records.kernel]: text }, writes })
      return { record: change.next, text }
    } catch (error) {
      const isRace = error instanceof StoreError && error.code === 'version-conflict'
      if (!isRace || attempt >= saveAttemptsMax) throw error
    }
  }
}
