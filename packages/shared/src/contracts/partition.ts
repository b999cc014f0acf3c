/** Frames, partitions, images and vCPUs as they cross HTTP. */
import { z } from 'zod'
import { captureEnvironment } from './capture-environment.ts'
import { byteCount, hexAddress, hexU64 } from './codecs.ts'
import { dumpId, frameId, imageId, partitionId } from './ids.ts'
import { partitionState } from './lifecycle.ts'

/** A managed system: finite memory and processors. */
export const newFrame = z.strictObject({
  id: frameId,
  memoryBytes: byteCount,
  processors: z.int().min(1).max(65_536),
})
export const frame = z.strictObject({
  ...newFrame.shape,
  memoryBytesFree: byteCount,
  processorsFree: z.int(),
  partitions: z.int().min(0),
})
export type NewFrame = z.output<typeof newFrame>
export type Frame = z.output<typeof frame>

/** `v5`: the 2011 series as merged in Linux 3.4, big-endian. `modern`: 6.10 and later, ppc64le. */
export const kernelProfileName = z.enum(['v5', 'modern'])
export type KernelProfileName = z.output<typeof kernelProfileName>

/**
 * `papr`: firmware as PAPR describes it. `papr-text`: the same with the status codes of its requirement text (−8 already
 * registered, −9 dump active) in place of its table's. `qemu`: what the pseries machine of QEMU does otherwise.
 */
export const firmwareName = z.enum(['papr', 'papr-text', 'qemu'])

/**
 * `release-frees-header` (seen in Linux 7.2, profile modern): releasing a dump frees the page that holds the crash info
 * header and, on the same page or another, the parameter area. Whoever gets it next writes over both.
 * `keeps-tce-entries` (before the second posting of the series, 2011): the capture kernel takes itself for one of kdump and
 * keeps the translation control entries of the crashed kernel, so that adapters still reach its memory.
 */
export const kernelDefect = z.enum(['release-frees-header', 'keeps-tce-entries'])
export type KernelDefect = z.output<typeof kernelDefect>

/** A part of `[0, memoryBytes)` without memory. */
export const memoryHole = z.strictObject({ address: hexAddress, length: byteCount })
export type MemoryHole = z.output<typeof memoryHole>
/** The most holes of one partition. */
const memoryHolesMax = 32

/** What the first kernel fills memory with when no image is given; every byte follows from the seed. */
export const memoryContent = z.strictObject({
  seed: z.int().min(0).max(0xffff_ffff),
  populatedBytes: byteCount,
  /** How much of it are user pages that the kernel may put into its CMA area: a dump loses them. Default: none. */
  movableBytes: byteCount.optional(),
})
export type MemoryContent = z.output<typeof memoryContent>

/** SMT8. */
const threadsPerCoreMax = 8

export const newPartition = z.strictObject({
  id: partitionId,
  frame: frameId.default('server-1'),
  memoryBytes: byteCount,
  /** Virtual CPUs, one thread each. */
  processors: z.int(),
  /** How many there could be; firmware advertises room in its sections for so many. Default: `processors`. */
  maximumProcessors: z.int().optional(),
  /** How many of `processors` make a core. QEMU advertises room for cores and saves threads. Default: 1. */
  threadsPerCore: z.int().min(1).max(threadsPerCoreMax).optional(),
  profile: kernelProfileName.default('v5'),
  /** Whose firmware answers. */
  firmware: firmwareName.default('papr'),
  bootArguments: z.string().max(2047).default('fadump=on'),
  /** Size of the real mode area; the dump memory structure must lie below it. Default: 256 MiB or all memory. */
  rmaBytes: byteCount.optional(),
  image: imageId.optional(),
  content: memoryContent.optional(),
  /** Whether the firmware offers `ibm,configure-kernel-dump` to this partition. */
  dumpOption: z.boolean().default(true),
  /** Whether user space writes 1 to `fadump_registered` once the first kernel is up. */
  dumpService: z.boolean().default(true),
  /** `truth`: `pr_pid` 0 in every note, as Linux writes it. `distinct`: cpu + 1, for gdb before 14. */
  prstatusPids: z.enum(['truth', 'distinct']).default('truth'),
  /** Where the capture kernel sends the dump; the network needs more boot memory. */
  captureTarget: z.enum(['network', 'local']).default('network'),
  /** What else is special about its capture environment. */
  capture: captureEnvironment.optional(),
  /** Up to where memory can be added while it runs; set aside on the frame. Default: `memoryBytes`. */
  maximumMemoryBytes: byteCount.optional(),
  /** Ascending, apart from each other; address 0 is memory. `memoryBytes` counts them as well. */
  memoryHoles: z.array(memoryHole).max(memoryHolesMax).default([]),
  /** Errors of real kernels that this one is to have. */
  kernelDefects: z.array(kernelDefect).default([]),
  /** CPUs that are offline from boot on. */
  offlineCpus: z.array(z.int().min(0)).default([]),
})
export type NewPartition = z.output<typeof newPartition>

export const registrationState = z.enum(['idle', 'registered', 'dumping', 'active'])
export type RegistrationState = z.output<typeof registrationState>

export const partition = z.strictObject({
  ...newPartition.shape,
  rmaBytes: byteCount,
  /** Memory added while it runs, above `memoryBytes`: one entry a block, ascending. */
  addedMemory: z.array(memoryHole).default([]),
  state: partitionState,
  registration: registrationState,
  /** Generation of the present boot; requests of a kernel carry it. */
  epoch: z.int().min(0),
  crashes: z.int().min(0),
  /** The dump that waits or is being captured. */
  pendingDump: dumpId.optional(),
  /** The dump of the latest crash that firmware preserved, whatever became of it. */
  lastDump: dumpId.optional(),
  /** Base URL of the partition on its kernel host. */
  partitionUrl: z.url().optional(),
  /** Why the last boot or dump failed, for people. */
  lastFailure: z.string().max(1024).optional(),
  correlationId: z.string().max(64),
})
export type Partition = z.output<typeof partition>

export const registers = z.record(z.string().max(8), hexU64)

/** One virtual CPU; registers under their PAPR register save area identifiers (`GPR00`, `NIA`, `MSR`, …). */
export const vcpu = z.strictObject({ cpu: z.int().min(0), online: z.boolean(), registers })
export type Vcpu = z.output<typeof vcpu>
export const vcpuUpdate = z.strictObject({ epoch: z.int().min(0), vcpus: z.array(vcpu).max(4096) })

/** Which memory a partition has from now on; what it gives back is cleared. */
export const memoryAssignment = z.strictObject({
  epoch: z.int().min(0),
  memoryHoles: z.array(memoryHole).max(4096),
  addedMemory: z.array(memoryHole).max(4096),
})
export type MemoryAssignment = z.output<typeof memoryAssignment>

export const bootProgress = z.strictObject({
  epoch: z.int().min(0),
  event: z.enum(['booted', 'rejected', 'bootFailed']),
  partitionUrl: z.url().optional(),
  detail: z.string().max(1024).optional(),
})
export type BootProgress = z.output<typeof bootProgress>

/** What one CPU held in an imported vmcore: `pr_reg`, 48 × u64 in `pt_regs` order. */
export const imageCpu = z.strictObject({
  cpu: z.int().min(0),
  registers: z.array(hexU64).length(48),
})

/** A memory image made from an ELF vmcore. */
export const image = z.strictObject({
  id: imageId,
  frame: frameId,
  byteOrder: z.enum(['big', 'little']),
  /** Page size of the kernel that made it, from VMCOREINFO. */
  pageSize: z.int(),
  osRelease: z.string().max(256),
  /** End of the highest PT_LOAD. */
  memoryBytes: byteCount,
  populatedBytes: byteCount,
  loads: z.array(z.strictObject({ address: hexAddress, length: byteCount })),
  /** The CPU whose registers the kernel itself saved (the others came from firmware). */
  crashingCpu: z.int().min(0),
  cpus: z.int().min(0),
})
export type Image = z.output<typeof image>

/** What a kernel needs beside memory to boot from an image. */
export const imageNotes = z.strictObject({
  cpus: z.array(imageCpu).max(4096),
  crashingCpu: z.int().min(0),
  /** The VMCOREINFO text as it stands in the note, base64. */
  vmcoreinfo: z.base64(),
  /** Where the whole VMCOREINFO note lies in the image's memory; absent when it was not found there. */
  vmcoreinfoAddress: hexAddress.optional(),
  pageSize: z.int(),
  byteOrder: z.enum(['big', 'little']),
})
export type ImageNotes = z.output<typeof imageNotes>

export const crashCause = z.enum([
  'sysrq',
  'null-dereference',
  'bug',
  'panic',
  'hard-lockup',
  'system-reset',
])
export type CrashCause = z.output<typeof crashCause>
export const crashRequest = z.strictObject({
  cause: crashCause.default('sysrq'),
  /** The CPU it happens on. Default: the image's crashing CPU, else the first online one. */
  cpu: z.int().min(0).optional(),
})
export type CrashRequest = z.output<typeof crashRequest>

/** The CPUs that take an exception. */
export const interruptedCpus = z.array(z.int().min(0).max(65_535)).min(1).max(2048)

export const systemResetRequest = z.strictObject({
  epoch: z.int().min(0),
  /** Default: all that are online. */
  cpus: interruptedCpus.optional(),
})

export const shutdownRequest = z.strictObject({
  action: z.enum(['reboot', 'power-off', 'kexec']),
  /** The command line of the kernel that kexec starts. Default: the present one. */
  bootArguments: z.string().max(2047).optional(),
})
export type ShutdownRequest = z.output<typeof shutdownRequest>

/** The most pages that one request rewrites: 256 MiB. */
const workloadPagesMax = 4096

/** What user space is to write: pages of 64 KiB, each made from the seed and its own address. */
export const workload = z.strictObject({
  seed: z.int().min(0).max(0xffff_ffff),
  pages: z.int().min(1).max(workloadPagesMax),
})
export type Workload = z.output<typeof workload>

/** Where it was written, in the order of writing; whole pages. */
export const workloadDone = z.strictObject({
  ranges: z.array(z.strictObject({ start: hexAddress, end: hexAddress })),
})
export type WorkloadDone = z.output<typeof workloadDone>
