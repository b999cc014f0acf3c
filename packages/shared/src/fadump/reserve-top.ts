/**
 * The v5 plan: the reserved dump area at the top of memory (Linux 3.4 `fadump_reserve_mem`,
 * `fadump_calculate_reserve_size`, `get_fadump_area_size`).
 */
import {
  alignUp,
  byteLength,
  memoryRange,
  MiB,
  rangeOf,
  realAddress,
  type ByteLength,
  type MemoryRange,
} from '../units/index.ts'
import { crashInfoHeaderLength } from './crash-info-header.ts'
import { sectionsOfType } from './dump-memory-structure.ts'
import {
  address16,
  endOfMemory,
  withoutReservation,
  type PlannedInput,
  type ReservationPlan,
} from './reservation-plan.ts'
import { sectionType } from './section-types.ts'

/** One twentieth of the top address, rounded down to this, unless the minimum is larger. */
const memoryDivisor = 20n
const rounding = 256n * MiB
const elfHeaderBytes = 64n
const programHeaderBytes = 56n
/** Boot chunk and a region split by the area. */
const spareProgramHeaders = 2n

/** `fadump_reserve_mem` of 3.4. */
export function planAtTop(input: PlannedInput): ReservationPlan {
  const { dumpActive, kernelArguments, memoryRegions } = input
  const bootMemorySize = bootMemorySizeOf(input)
  const areaSize = areaSizeOf(input, bootMemorySize)
  const end = endOfMemory(memoryRegions)
  const log: string[] = []
  const memoryLimit = raisedLimit(kernelArguments.memoryLimit, areaSize, end)
  if (memoryLimit !== kernelArguments.memoryLimit) {
    log.push(`Adjusted memory_limit for firmware-assisted dump, now ${address16(memoryLimit)}`)
  }
  const boundary = memoryLimit === 0n ? end : memoryLimit
  const common = {
    isEnabled: true,
    kernelArguments,
    bootMemorySize,
    bootMemoryTop: realAddress(bootMemorySize),
    bootRegions: [memoryRange(0n, bootMemorySize)],
    memoryLimit,
    laterLog: [],
  }
  if (dumpActive !== undefined) {
    log.push('Firmware-assisted dump is active.')
    const preserved = memoryRange(bootMemorySize, max(boundary, bootMemorySize))
    log.push(reservedLine(preserved, 'for saving crash dump'))
    const [cpuState] = sectionsOfType(dumpActive, sectionType.cpuState)
    const area = rangeOf(cpuState?.destinationAddress ?? 0n, areaSize)
    return { ...common, area, preserved: [preserved], log }
  }
  // Linux lets the base wrap around below 0 and writes wherever that is; there is no such memory here.
  if (areaSize > boundary) {
    return withoutReservation(kernelArguments, [
      `Reserved dump area of ${areaSize} bytes exceeds ${boundary} bytes of memory`,
    ])
  }
  const area = memoryRange(boundary - areaSize, boundary)
  log.push(reservedLine(area, 'for firmware-assisted dump'))
  return { ...common, area, preserved: [], log }
}

/** C084: a capture kernel takes what the first one registered; C075: `fadump_reserve_mem=` is taken as it is. */
function bootMemorySizeOf(input: PlannedInput): ByteLength {
  const { dumpActive, kernelArguments, profile } = input
  if (dumpActive !== undefined) {
    return byteLength(sectionsOfType(dumpActive, sectionType.realModeRegion)[0]?.sourceLength ?? 0n)
  }
  if (kernelArguments.reserveMemory > 0n) return kernelArguments.reserveMemory
  const share = (endOfMemory(input.memoryRegions) / memoryDivisor / rounding) * rounding
  const { memoryLimit } = kernelArguments
  const limited = memoryLimit > 0n && share > memoryLimit ? memoryLimit : share
  // MIN_BOOT_MEM: the larger of 256 MiB and the RMA, plus 64 MiB.
  const bootMemoryMin = max(profile.bootMemoryMin, input.rmaSize) + profile.networkAllowance
  return byteLength(max(limited, bootMemoryMin))
}

/** `get_fadump_area_size`: firmware data, boot memory, crash info header, ELF core header; whole pages. */
function areaSizeOf(input: PlannedInput, bootMemorySize: ByteLength): ByteLength {
  const { profile, cpuStateSize, hpteSize, memoryRegions } = input
  const programHeaders = 1n + BigInt(memoryRegions.length) + spareProgramHeaders
  const headers =
    BigInt(crashInfoHeaderLength(profile)) + elfHeaderBytes + programHeaders * programHeaderBytes
  return byteLength(alignUp(cpuStateSize + hpteSize + bootMemorySize + headers, profile.pageSize))
}

/** C078: `mem=` grows by the area, at most to the end of memory, so that the kernel has what was asked for. */
function raisedLimit(limit: ByteLength, areaSize: ByteLength, end: bigint): ByteLength {
  if (limit === 0n || limit >= end) return limit
  return byteLength(limit + areaSize < end ? limit + areaSize : end)
}

function reservedLine(range: MemoryRange, purpose: string): string {
  return `Reserved ${(range.end - range.start) / MiB}MB of memory at ${range.start / MiB}MB ${purpose}`
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
