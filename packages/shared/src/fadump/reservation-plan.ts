/** What goes into and comes out of the reservation of memory for fadump; see boot-memory.ts. */
import {
  byteLength,
  realAddress,
  type ByteLength,
  type MemoryRange,
  type RealAddress,
} from '../units/index.ts'
import type { DumpMemoryStructure } from './dump-memory-structure.ts'
import type { KernelArguments } from './kernel-arguments.ts'
import type { KernelProfile } from './kernel-profiles.ts'

export interface ReservationInput {
  readonly profile: KernelProfile
  /** `memblock.memory`: ascending, not touching. */
  readonly memoryRegions: readonly MemoryRange[]
  /** Ranges that are taken already: firmware's `reserved-ranges`, kernel image, initrd. Only 6.10 looks at them. */
  readonly occupiedRanges?: readonly MemoryRange[]
  /** Real mode area; it is part of the 3.4 minimum and of the place of a hash kernel's parameter area. */
  readonly rmaSize: ByteLength
  readonly bootArguments: string
  /** From the scan of `/rtas`. */
  readonly isSupported: boolean
  readonly cpuStateSize: ByteLength
  readonly hpteSize: ByteLength
  /** `ibm,kernel-dump` of a capture boot. */
  readonly dumpActive?: DumpMemoryStructure
}

export interface ReservationPlan {
  /** `fw_dump.fadump_enabled` afterwards. When false nothing is reserved and `crashkernel=` counts for kdump (C083). */
  readonly isEnabled: boolean
  readonly kernelArguments: KernelArguments
  readonly bootMemorySize: ByteLength
  /** End of boot memory, holes included: the capture kernel uses only what lies below. */
  readonly bootMemoryTop: RealAddress
  readonly bootRegions: readonly MemoryRange[]
  /**
   * The reserved dump area; in a capture boot where the first kernel has put it, so what stays reserved after the
   * release. Absent when nothing is reserved.
   */
  readonly area?: MemoryRange
  /** What a capture kernel keeps its hands off: everything above boot memory (C085). Empty in a first boot. */
  readonly preserved: readonly MemoryRange[]
  /** Where boot arguments for the capture kernel are kept. */
  readonly parameterArea?: RealAddress
  /** The part of the area that user pages may use until a crash, and then are missing from the dump (C086). */
  readonly cmaArea?: MemoryRange
  /** `memory_limit` afterwards; 0 when there is none. */
  readonly memoryLimit: ByteLength
  /** The kernel's own lines, in order. */
  readonly log: readonly string[]
  /** Lines that come later in the boot: parameter area and CMA. */
  readonly laterLog: readonly string[]
}

export interface PlannedInput extends ReservationInput {
  readonly kernelArguments: KernelArguments
}

/** The plan that reserves nothing. */
export function withoutReservation(
  kernelArguments: KernelArguments,
  log: readonly string[],
): ReservationPlan {
  return {
    isEnabled: false,
    kernelArguments,
    bootMemorySize: byteLength(0n),
    bootMemoryTop: realAddress(0n),
    bootRegions: [],
    preserved: [],
    memoryLimit: kernelArguments.memoryLimit,
    log,
    laterLog: [],
  }
}

/** `memblock_end_of_DRAM()`: the top address, holes included. */
export function endOfMemory(regions: readonly MemoryRange[]): bigint {
  return regions.at(-1)?.end ?? 0n
}

/** `%#016llx`: 16 characters with the 0x. */
export function address16(value: bigint): string {
  return `0x${value.toString(16).padStart(14, '0')}`
}
