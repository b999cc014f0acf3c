/**
 * The text of debugfs `powerpc/fadump_region`, byte for byte: `fadump_region_show` of 3.4 and
 * `rtas_fadump_region_show` of 6.10. Ends are inclusive here, as the kernel prints them.
 */
import { hex, type RealAddress } from '../units/index.ts'
import {
  sectionsOfType,
  type DumpMemoryStructure,
  type DumpSection,
} from './dump-memory-structure.ts'
import type { KernelProfile } from './kernel-profiles.ts'
import { sectionType } from './section-types.ts'

export interface FadumpRegionInput {
  readonly profile: Pick<KernelProfile, 'kernelSource'>
  readonly isEnabled: boolean
  /** `ibm,kernel-dump` while a dump is active, else the structure that is or would be registered. */
  readonly structure?: DumpMemoryStructure
  readonly dumpActive: boolean
  /** Start of what the capture kernel has reserved: boot memory size in 3.4, `boot_mem_top` in 6.10. */
  readonly preservedStart: RealAddress
  /** Content of the parameter area up to its NUL. */
  readonly appendedArguments?: string
}

/** Empty when fadump is not enabled (C135) or there is no structure yet. */
export function fadumpRegionText(input: FadumpRegionInput): string {
  if (!input.isEnabled || input.structure === undefined) return ''
  return { '3.4': text34, '6.10': text610 }[input.profile.kernelSource](input, input.structure)
}

const titles34: readonly (readonly [type: number, title: string])[] = [
  [sectionType.cpuState, 'CPU : '],
  [sectionType.hpte, 'HPTE: '],
  [sectionType.realModeRegion, 'DUMP: '],
]

function text34(input: FadumpRegionInput, structure: DumpMemoryStructure): string {
  const lines = titles34.flatMap(([type, title]) =>
    sectionsOfType(structure, type).map((section) => `${title}${rangeText(section)}\n`),
  )
  const [cpuState] = sectionsOfType(structure, sectionType.cpuState)
  const end = cpuState?.destinationAddress ?? 0n
  if (input.dumpActive && end !== input.preservedStart) {
    const length = hex(end - input.preservedStart)
    lines.push(
      `    : [${padded(input.preservedStart)}-${padded(end - 1n)}] ${length} bytes, Dumped: ${length}\n`,
    )
  }
  return lines.join('')
}

function text610(input: FadumpRegionInput, structure: DumpMemoryStructure): string {
  const parts = structure.sections.map((section) =>
    (texts610.get(section.sourceDataType) ?? unknown610)(section, input.appendedArguments ?? ''),
  )
  if (input.dumpActive) {
    parts.push(`\nMemory above ${padded(input.preservedStart)} is reserved for saving crash dump\n`)
  }
  return parts.join('')
}

type SectionText = (section: DumpSection, appended: string) => string

const texts610: ReadonlyMap<number, SectionText> = new Map<number, SectionText>([
  [sectionType.cpuState, (section) => `CPU :${rangeText(section)}\n`],
  [sectionType.hpte, (section) => `HPTE:${rangeText(section)}\n`],
  [
    sectionType.realModeRegion,
    (section) =>
      `DUMP: ${placeText(section)}Size: ${hex(section.sourceLength)}, Dumped: ${hex(section.bytesDumped)} bytes\n`,
  ],
  [
    sectionType.parameterArea,
    (section, appended) => `\n${spanText(section)}: cmdline append: '${appended}'\n`,
  ],
])

// The kernel ends this one without a newline.
function unknown610(section: DumpSection): string {
  return `Unknown region type ${section.sourceDataType} : ${placeText(section)}`
}

function placeText(section: DumpSection): string {
  return `Src: ${padded(section.sourceAddress)}, Dest: ${padded(section.destinationAddress)}, `
}

function rangeText(section: DumpSection): string {
  return `${spanText(section)} ${hex(section.sourceLength)} bytes, Dumped: ${hex(section.bytesDumped)}`
}

/** A section of length 0 ends one below its start, as printed. */
function spanText(section: DumpSection): string {
  const start = section.destinationAddress
  return `[${padded(start)}-${padded(BigInt.asUintN(64, start + section.sourceLength - 1n))}]`
}

/** `%#016llx`: 16 characters with the 0x. */
function padded(value: bigint): string {
  return hex(value, 14)
}
