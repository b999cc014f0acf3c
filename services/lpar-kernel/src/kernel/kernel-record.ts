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
import { StoreError, type Epoch, type MemoryStore, type SpaceId } from '@fadump-lab/shared/store'
import { byteLength } from '@fadump-lab/shared/units'
import { z } from 'zod'

const range = z.strictObject({ start: hexAddress, end: hexAddress })

/** Tokens that this boot found in `/rtas`; a service that firmware does not offer is absent. */
const rtasTokens = z.strictObject({
  configureKernelDump: z.int().optional(),
  osTerm: z.int().optional(),
  systemReboot: z.int().optional(),
  powerOff: z.int().optional(),
})

/** `struct fw_dump`. */
const fadumpState = z.strictObject({
  isSupported: z.boolean(),
  isEnabled: z.boolean(),
  /** C007: `ibm,os-term` and `ibm,extended-os-term` are both there. */
  canTerminate: z.boolean(),
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
  offlineCpus: z.array(z.int()),
  rtas: rtasTokens,
  /** Where the dump memory structure and the message of `ibm,os-term` go. */
  fdmAddress: hexAddress,
  osTermAddress: hexAddress,
  vmcoreinfo: z.strictObject({ address: hexAddress, bytes: byteCount }),
  fadump: fadumpState,
  vmcore: vmcoreState.optional(),
  /** The CPU that crashes when nobody names one: that of the image. */
  crashingCpu: z.int().optional(),
  /** `pt_regs` of image CPUs that hold more than a save area can tell. */
  imageRegisters: z.record(z.string(), z.array(hexU64)).default({}),
  /** After a crash that nothing took over, with panic=0: memory is there, but nobody answers. */
  isHalted: z.boolean().default(false),
  /** Whether user space registers a dump by itself. */
  dumpService: z.boolean(),
  /** Set while a release is under way: a host that dies in it leaves it set, and firmware may have been told. */
  isReleasing: z.boolean().default(false),
  /** Set by a release, until the dump service has registered again: a host that dies in between leaves it set. */
  isServiceDue: z.boolean().default(false),
  /** Defect `release-frees-header`: whether the partition's kernel has it, and whether a release has done it. */
  headerPage: z.enum(['kept', 'freed by release', 'freed']).default('kept'),
  prstatusPids: z.enum(['truth', 'distinct']),
  correlationId: z.string(),
})
export type KernelRecord = Readonly<z.output<typeof kernelRecord>>

export function encodeKernelRecord(record: KernelRecord): string {
  return JSON.stringify(z.encode(kernelRecord, record))
}

export function decodeKernelRecord(text: string): KernelRecord {
  return z.decode(kernelRecord, JSON.parse(text) as never)
}

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
  change: { readonly loaded: LoadedKernel; readonly next: KernelRecord },
): Promise<LoadedKernel | undefined> {
  const text = encodeKernelRecord(change.next)
  for (let attempt = 1; ; attempt++) {
    const { value, version, epoch } = await store.readRecord(space, records.kernel)
    if (value !== change.loaded.text || epoch !== change.next.epoch) return undefined
    try {
      await store.commit(space, { expect: { version, epoch }, records: { [records.kernel]: text } })
      return { record: change.next, text }
    } catch (error) {
      const isRace = error instanceof StoreError && error.code === 'version-conflict'
      if (!isRace || attempt >= saveAttemptsMax) throw error
    }
  }
}
