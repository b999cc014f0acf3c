/**
 * The Linux kernels that are modelled, as data. `v5` is the 2011 patch series as merged in 3.4; `modern` is 6.10 and
 * later. A caller that wants another page size or CPU limit spreads a profile: `{ ...kernelProfiles.modern, … }`.
 */
import type { ByteOrder } from '../layout/index.ts'
import { byteLength, KiB, MiB, type ByteLength } from '../units/index.ts'

export type KernelProfileName = 'v5' | 'modern'

/** The release whose texts, checks and order of steps a kernel has; tables of behaviour are keyed by it. */
export type KernelSource = '3.4' | '6.10'

export interface KernelProfile {
  readonly name: KernelProfileName
  readonly kernelSource: KernelSource
  readonly byteOrder: ByteOrder
  readonly pageSize: ByteLength
  /** `CONFIG_NR_CPUS`: bits of a `struct cpumask`. */
  readonly nrCpus: number
  /** `struct pt_regs` in u64: 44 (352 bytes) or 48 (384 bytes). */
  readonly ptRegsCount: number
  /** Magic of the crash info header. */
  readonly crashInfoFormat: 'FADMPINF' | 'FADMPSIG'
  /** Where the reserved dump area goes: below the end of memory, or at the lowest free place above boot memory. */
  readonly areaPlacement: 'top' | 'lowest'
  /** Floor of the boot memory size; v5 takes the RMA instead when that is larger. */
  readonly bootMemoryMin: ByteLength
  /** Added to the v5 floor since capture kernels ran out of memory when they loaded network modules; 0 before. */
  readonly networkAllowance: ByteLength
  readonly bootRegionsMax: number
  /**
   * How boot memory is covered by memory regions. Linux 6.10 subtracts what it has found twice, so that with several
   * regions the last one comes out short; `intended` covers all of it.
   */
  readonly bootRegionWalk: 'intended' | 'linux'
  /** How the real mode region's destination follows the HPTE destination (C035, C036). */
  readonly realModeDestination: 'contiguous' | 'page-aligned'
  /** Whether the kernel writes a parameter area section. */
  readonly parameterArea: boolean
  readonly mmu: 'hash' | 'radix'
  /** `CMA_MIN_ALIGNMENT_BYTES`; absent when the reserved dump area is not lent out. */
  readonly cmaAlignment?: ByteLength
  /** Where the ELF core header is built: in the first kernel behind the crash info header, or in the capture kernel. */
  readonly elfCoreHeader: 'first-kernel' | 'capture-kernel'
  /** `e_flags` of the ELF core header. */
  readonly elfFlags: number
  /** Length argument of unregister and invalidate (C033). */
  readonly workBufferBytesOther: number
  /** Whether the kernel registers by itself while it boots. */
  readonly registersAtBoot: boolean
  /** How the two digits of a `GPRnn` identifier are read. */
  readonly gprIndexSyntax: 'sscanf' | 'kstrtoint'
  /** C113: v5 compares the header status with 0x2000, so 0xE000 passes. `any-bit` is the fixed variant. */
  readonly dumpStatusTest: 'equals' | 'any-bit' | 'ignored'
  /** Prefix of log lines by source file. */
  readonly logPrefix: { readonly fadump: string; readonly platform: string }
}

/** `COMMAND_LINE_SIZE` of powerpc: boot arguments with their NUL, and the parameter area. */
export const commandLineBytesMax = 2048

export const kernelProfiles: Readonly<Record<KernelProfileName, KernelProfile>> = {
  v5: {
    name: 'v5',
    kernelSource: '3.4',
    byteOrder: 'big',
    pageSize: byteLength(64n * KiB),
    nrCpus: 1024,
    ptRegsCount: 44,
    crashInfoFormat: 'FADMPINF',
    areaPlacement: 'top',
    bootMemoryMin: byteLength(256n * MiB),
    networkAllowance: byteLength(64n * MiB),
    bootRegionsMax: 1,
    bootRegionWalk: 'intended',
    realModeDestination: 'contiguous',
    parameterArea: false,
    mmu: 'hash',
    elfCoreHeader: 'first-kernel',
    elfFlags: 0,
    workBufferBytesOther: 160,
    registersAtBoot: false,
    gprIndexSyntax: 'sscanf',
    dumpStatusTest: 'equals',
    // Linux 3.4 uses bare printk in fadump.c: its lines carry no prefix.
    logPrefix: { fadump: '', platform: '' },
  },
  modern: {
    name: 'modern',
    kernelSource: '6.10',
    byteOrder: 'little',
    pageSize: byteLength(64n * KiB),
    nrCpus: 2048,
    ptRegsCount: 48,
    crashInfoFormat: 'FADMPSIG',
    areaPlacement: 'lowest',
    // RTAS_FADUMP_MIN_BOOT_MEM has the allowance in it.
    bootMemoryMin: byteLength(320n * MiB),
    networkAllowance: byteLength(0n),
    bootRegionsMax: 7,
    bootRegionWalk: 'intended',
    realModeDestination: 'page-aligned',
    parameterArea: true,
    mmu: 'radix',
    cmaAlignment: byteLength(2n * MiB),
    elfCoreHeader: 'capture-kernel',
    elfFlags: 2,
    workBufferBytesOther: 440,
    registersAtBoot: true,
    gprIndexSyntax: 'kstrtoint',
    dumpStatusTest: 'ignored',
    logPrefix: { fadump: 'fadump: ', platform: 'rtas fadump: ' },
  },
}
