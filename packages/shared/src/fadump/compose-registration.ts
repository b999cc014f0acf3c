/**
 * The dump memory structure that Linux registers: `init_fadump_mem_struct` of 3.4 and `rtas_fadump_init_mem_struct`
 * of 6.10. Destinations lie in the reserved dump area: CPU state, HPTE, then boot memory region by region.
 */
import {
  alignDown,
  alignUp,
  realAddress,
  type ByteLength,
  type MemoryRange,
  type RealAddress,
} from '../units/index.ts'
import { rangeLength } from '../units/index.ts'
import {
  dumpFormatVersion,
  dumpRequestFlag,
  firstDumpSectionOffset,
  sectionsOfType,
  type DumpMemoryStructure,
  type DumpSection,
} from './dump-memory-structure.ts'
import { commandLineBytesMax, type KernelProfile } from './kernel-profiles.ts'
import { sectionType } from './section-types.ts'

export interface RegistrationInput {
  readonly profile: Pick<KernelProfile, 'pageSize' | 'realModeDestination'>
  /** Start of the reserved dump area. */
  readonly areaStart: RealAddress
  readonly cpuStateSize: ByteLength
  readonly hpteSize: ByteLength
  /** Ascending; v5 has one, `[0, boot memory size)`. */
  readonly bootRegions: readonly MemoryRange[]
  /** Where boot arguments for the capture kernel are kept; only modern kernels have it. */
  readonly parameterArea?: RealAddress
}

export function composeRegistration(input: RegistrationInput): DumpMemoryStructure {
  const { profile, cpuStateSize, hpteSize } = input
  const cpuTarget = alignDown(input.areaStart, profile.pageSize)
  const hpteTarget = cpuTarget + cpuStateSize
  const afterFirmwareData = hpteTarget + hpteSize
  let target =
    profile.realModeDestination === 'page-aligned'
      ? alignUp(afterFirmwareData, profile.pageSize)
      : afterFirmwareData
  const sections = [
    section(sectionType.cpuState, { length: cpuStateSize, target: cpuTarget }),
    section(sectionType.hpte, { length: hpteSize, target: hpteTarget }),
  ]
  for (const region of input.bootRegions) {
    const length = rangeLength(region)
    sections.push(section(sectionType.realModeRegion, { source: region.start, length, target }))
    target += length
  }
  if (input.parameterArea !== undefined) {
    const place = { source: input.parameterArea, target: input.parameterArea }
    sections.push(
      section(sectionType.parameterArea, { ...place, length: BigInt(commandLineBytesMax) }),
    )
  }
  return { header: headerOf(sections.length), sections }
}

function headerOf(sections: number): DumpMemoryStructure['header'] {
  return {
    dumpFormatVersion,
    dumpNumSections: sections,
    dumpStatusFlag: 0,
    offsetFirstDumpSection: firstDumpSectionOffset,
    ddBlockSize: 0,
    ddBlockOffset: 0n,
    ddNumBlocks: 0n,
    ddOffsetDiskPath: 0,
    maxTimeAuto: 0,
  }
}

function section(
  type: number,
  place: { readonly source?: bigint; readonly length: bigint; readonly target: bigint },
): DumpSection {
  return {
    requestFlag: dumpRequestFlag,
    sourceDataType: type,
    errorFlags: 0,
    sourceAddress: place.source ?? 0n,
    sourceLength: place.length,
    bytesDumped: 0n,
    destinationAddress: place.target,
  }
}

/** Where the copy of boot memory begins: the destination of the real mode region whose source is 0. */
export function bootMemoryDestination(structure: DumpMemoryStructure): RealAddress {
  const first = sectionsOfType(structure, sectionType.realModeRegion).find(
    (region) => region.sourceAddress === 0n,
  )
  return realAddress(first?.destinationAddress ?? 0n)
}

/** The boot memory regions of a structure, ascending as registered. */
export function bootRegionsOf(structure: DumpMemoryStructure): MemoryRange[] {
  return sectionsOfType(structure, sectionType.realModeRegion).map((region) => ({
    start: realAddress(region.sourceAddress),
    end: realAddress(region.sourceAddress + region.sourceLength),
  }))
}

/** Where the crash info header lies: directly behind the copy of boot memory. */
export function crashInfoAddress(structure: DumpMemoryStructure): RealAddress {
  const length = bootRegionsOf(structure).reduce((sum, region) => sum + rangeLength(region), 0n)
  return realAddress(bootMemoryDestination(structure) + length)
}

/** The parameter area of a structure, when it has one. */
export function parameterAreaOf(structure: DumpMemoryStructure): RealAddress | undefined {
  const [area] = sectionsOfType(structure, sectionType.parameterArea)
  return area === undefined ? undefined : realAddress(area.destinationAddress)
}
