/**
 * The modern plan: the reserved dump area at the lowest free place above boot memory (Linux 6.10
 * `fadump_reserve_mem`, `fadump_calculate_reserve_size`, `fadump_locate_reserve_mem`, `fadump_setup_param_area`).
 */
import {
  alignDown,
  alignUp,
  byteLength,
  coalesce,
  hex,
  intersect,
  memoryRange,
  MiB,
  overlaps,
  rangeLength,
  rangeOf,
  realAddress,
  subtract,
  type ByteLength,
  type MemoryRange,
  type RealAddress,
} from '../units/index.ts'
import { bootRegionsFor } from './boot-regions.ts'
import { bootRegionsOf, parameterAreaOf } from './compose-registration.ts'
import { crashInfoHeaderLength } from './crash-info-header.ts'
import { sectionsOfType, type DumpMemoryStructure } from './dump-memory-structure.ts'
import { crashkernelOf } from './kernel-arguments.ts'
import { commandLineBytesMax } from './kernel-profiles.ts'
import {
  address16,
  endOfMemory,
  withoutReservation,
  type PlannedInput,
  type ReservationPlan,
} from './reservation-plan.ts'
import { sectionType } from './section-types.ts'

/** One twentieth of memory, rounded down to this, unless the minimum is larger. */
const memoryDivisor = 20n
const rounding = 256n * MiB
/** `MAX_BOOT_MEM_RATIO`: `crashkernel=` gets at most this part of memory (C079). */
const bootMemoryRatioMax = 4n
/** `MIN_RMA`: a hash kernel's parameter area lies above what the boot loader may use. */
const hashParameterAreaMin = 768n * MiB

/** `fadump_reserve_mem` of 6.10. */
export function planAtLowestPlace(input: PlannedInput): ReservationPlan {
  return input.dumpActive === undefined
    ? planFirstBoot(input)
    : planCaptureBoot(input, input.dumpActive)
}

function planFirstBoot(input: PlannedInput): ReservationPlan {
  const { profile, kernelArguments, memoryRegions } = input
  const log: string[] = []
  const failed = (line: string): ReservationPlan =>
    withoutReservation(kernelArguments, [...log, `fadump: ${line}`])
  const bootMemorySize = byteLength(alignUp(requestedSize(input, log), profile.pageSize))
  if (bootMemorySize < profile.bootMemoryMin) {
    return failed(
      `Can't enable fadump with boot memory size (${hex(bootMemorySize)}) less than ${hex(profile.bootMemoryMin)}`,
    )
  }
  const boot = bootRegionsFor(memoryRegions, bootMemorySize, profile)
  if (boot === undefined) return failed('Too many holes in boot memory area to enable fadump')
  const areaSize = areaSizeOf(input, bootMemorySize)
  const start = lowestPlace(input, boot.top, areaSize)
  const boundary = kernelArguments.memoryLimit || endOfMemory(memoryRegions)
  if (start === undefined || start + areaSize > boundary) {
    return failed('Failed to find memory chunk for reservation!')
  }
  const memory = memorySizeOf(memoryRegions)
  log.push(
    `fadump: Reserved ${areaSize / MiB}MB of memory at ${address16(start)} (System RAM: ${memory / MiB}MB)`,
  )
  const area = rangeOf(start, areaSize)
  const later = laterReservations({ input, area, bootMemorySize, bootMemoryTop: boot.top })
  return {
    isEnabled: true,
    kernelArguments,
    bootMemorySize,
    bootMemoryTop: boot.top,
    bootRegions: boot.regions,
    area,
    preserved: [],
    memoryLimit: kernelArguments.memoryLimit,
    log,
    ...later,
  }
}

/** C084, C085: sizes come from the structure; every region above boot memory is reserved, holes are skipped. */
function planCaptureBoot(input: PlannedInput, dump: DumpMemoryStructure): ReservationPlan {
  const { kernelArguments, memoryRegions } = input
  const bootRegions = bootRegionsOf(dump)
  const bootMemorySize = memorySizeOf(bootRegions)
  const bootMemoryTop = bootRegions.at(-1)?.end ?? realAddress(0n)
  const [cpuState] = sectionsOfType(dump, sectionType.cpuState)
  const preserved = memoryRegions.flatMap((region) =>
    subtract(region, memoryRange(0n, bootMemoryTop)),
  )
  const parameterArea = parameterAreaOf(dump)
  return {
    isEnabled: true,
    kernelArguments,
    bootMemorySize,
    bootMemoryTop,
    bootRegions,
    area: rangeOf(cpuState?.destinationAddress ?? 0n, areaSizeOf(input, bootMemorySize)),
    preserved,
    ...(parameterArea === undefined ? {} : { parameterArea }),
    memoryLimit: kernelArguments.memoryLimit,
    log: [
      'fadump: Firmware-assisted dump is active.',
      ...preserved.map(
        (range) =>
          `fadump: Reserving ${rangeLength(range) / MiB}MB of memory at ${address16(range.start)} for preserving crash data`,
      ),
    ],
    laterLog: [],
  }
}

/** `fadump_calculate_reserve_size`: crashkernel=, then the deprecated fadump_reserve_mem=, then 5 % of memory. */
function requestedSize(input: PlannedInput, log: string[]): bigint {
  const { kernelArguments, profile } = input
  const { reserveMemory, memoryLimit } = kernelArguments
  const memory = memorySizeOf(input.memoryRegions)
  if (reserveMemory > 0n) {
    log.push(
      "fadump: 'fadump_reserve_mem=' parameter is deprecated in favor of 'crashkernel=' parameter.",
    )
  }
  const crashkernel = crashkernelOf(kernelArguments, memory)
  log.push(...crashkernel.log)
  if (crashkernel.size > 0n) {
    if (reserveMemory > 0n) {
      log.push("fadump: Using 'crashkernel=' parameter for memory reservation.")
    }
    const sizeMax = memory / bootMemoryRatioMax
    if (crashkernel.size <= sizeMax) return crashkernel.size
    log.push(`fadump: Adjusted boot memory size to ${sizeMax / MiB}MB`)
    return sizeMax
  }
  if (reserveMemory > 0n) return reserveMemory
  const share = (memory / memoryDivisor / rounding) * rounding
  const limited = memoryLimit > 0n && share > memoryLimit ? memoryLimit : share
  return limited > profile.bootMemoryMin ? limited : profile.bootMemoryMin
}

/** `get_fadump_area_size` (C081): not page-aligned at its end. */
function areaSizeOf(input: PlannedInput, bootMemorySize: ByteLength): ByteLength {
  const { profile, cpuStateSize, hpteSize } = input
  const firmwareData = alignUp(cpuStateSize + hpteSize, profile.pageSize)
  return byteLength(firmwareData + bootMemorySize + BigInt(crashInfoHeaderLength(profile)))
}

/** The lowest page-aligned start at or above `from` with `size` free bytes, clear of what is occupied. */
function lowestPlace(input: PlannedInput, from: bigint, size: bigint): RealAddress | undefined {
  const occupied = coalesce(input.occupiedRanges ?? [])
  let base = from
  for (const region of input.memoryRegions) {
    if (region.start > base) base = alignUp(region.start, input.profile.pageSize)
    while (region.end > base && region.end - base >= size) {
      const place = rangeOf(base, size)
      const obstacle = occupied.find((range) => overlaps(range, place))
      if (obstacle === undefined) return place.start
      base = alignUp(obstacle.end, input.profile.pageSize)
    }
  }
  return undefined
}

interface Reserved {
  readonly input: PlannedInput
  readonly area: MemoryRange
  readonly bootMemorySize: ByteLength
  readonly bootMemoryTop: RealAddress
}

/** What the kernel sets up later in the boot: the parameter area and the contiguous memory allocator. */
function laterReservations(
  reserved: Reserved,
): Pick<ReservationPlan, 'parameterArea' | 'cmaArea' | 'laterLog'> {
  const laterLog: string[] = []
  const parameterArea = placeParameterArea(reserved)
  if (parameterArea === undefined) {
    laterLog.push('fadump: WARNING: Could not setup area to pass additional parameters!')
  }
  const cmaArea = placeCmaArea(reserved)
  if (cmaArea !== undefined) {
    const { area, bootMemorySize } = reserved
    laterLog.push(
      `fadump: Initialized [${hex(cmaArea.start)}, ${rangeLength(cmaArea) / MiB}MB] cma area from [${hex(area.start)}, ${bootMemorySize / MiB}MB] bytes of memory reserved for firmware-assisted dump`,
    )
  }
  return {
    ...(parameterArea === undefined ? {} : { parameterArea }),
    ...(cmaArea === undefined ? {} : { cmaArea }),
    laterLog,
  }
}

/** Radix: the highest place in the upper half of memory. Hash: between 768 MiB and the end of RMA or boot memory. */
function placeParameterArea(reserved: Reserved): RealAddress | undefined {
  const { input, area, bootMemoryTop } = reserved
  const size = BigInt(commandLineBytesMax)
  const end = endOfMemory(input.memoryRegions)
  const limit = input.kernelArguments.memoryLimit
  const usable = limit > 0n && limit < end ? limit : end
  const hashEnd = input.rmaSize < bootMemoryTop ? input.rmaSize : bootMemoryTop
  const [from, to] =
    input.profile.mmu === 'radix' ? [usable / 2n, usable] : [hashParameterAreaMin, hashEnd]
  if (from >= to) return undefined
  const free = input.memoryRegions
    .map((region) => intersect(region, memoryRange(from, to)))
    .filter((range) => range !== undefined)
    .flatMap((range) => subtractAll(range, [area, ...(input.occupiedRanges ?? [])]))
    .map((range) => ({ start: range.start, place: alignDown(range.end - size, size) }))
  const highest = free.findLast(({ start, place }) => place >= start)
  return highest === undefined ? undefined : realAddress(highest.place)
}

/** C086: boot memory size from the start of the area, shrunk to what the allocator can take. */
function placeCmaArea({ input, area, bootMemorySize }: Reserved): MemoryRange | undefined {
  const alignment = input.profile.cmaAlignment
  if (alignment === undefined || !input.kernelArguments.isCmaAllowed) return undefined
  const start = alignUp(area.start, alignment)
  const end = alignDown(area.start + bootMemorySize, alignment)
  return start < end ? memoryRange(start, end) : undefined
}

function subtractAll(range: MemoryRange, holes: readonly MemoryRange[]): MemoryRange[] {
  return holes.reduce<MemoryRange[]>(
    (rest, hole) => rest.flatMap((part) => subtract(part, hole)),
    [range],
  )
}

/** `memblock_phys_mem_size()`: the amount of memory, holes excluded. */
function memorySizeOf(regions: readonly MemoryRange[]): ByteLength {
  return byteLength(regions.reduce((sum, region) => sum + rangeLength(region), 0n))
}
