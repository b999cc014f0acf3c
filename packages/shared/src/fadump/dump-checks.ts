/** Which results of firmware a capture kernel believes: the section checks of 3.4 and 6.10 (spec §11.6). */
import { hex } from '../units/index.ts'
import {
  dumpStatusFlag,
  sectionsOfType,
  type DumpMemoryStructure,
  type DumpSection,
} from './dump-memory-structure.ts'
import type { KernelProfile, KernelSource } from './kernel-profiles.ts'
import { sectionType } from './section-types.ts'

export interface SectionVerdict {
  /** Why the dump is rejected; absent when it is not. */
  readonly reason?: string
  readonly isParameterAreaUsable?: boolean
  readonly log: readonly string[]
}

/** The checks by kernel: 3.4 knows three fixed sections, 6.10 goes through what the structure lists. */
export const sectionChecks: Readonly<
  Record<KernelSource, (structure: DumpMemoryStructure, profile: KernelProfile) => SectionVerdict>
> = { '3.4': checkFixedSections, '6.10': checkListedSections }

interface FixedSections {
  readonly statusFlag: number
  readonly cpuState: DumpSection
  readonly realMode: DumpSection
}

const dumpStatusTests: Readonly<
  Record<KernelProfile['dumpStatusTest'], (statusFlag: number) => boolean>
> = {
  equals: (statusFlag) => statusFlag === dumpStatusFlag.error,
  'any-bit': (statusFlag) => (statusFlag & dumpStatusFlag.error) !== 0,
  ignored: () => false,
}

const notValid = 'Dump taken by platform is not valid'
const incomplete = 'Dump taken by platform is incomplete'

/** 3.4, in its order. Errors of the HPTE section and a short CPU state section pass (C111, C112). */
const fixedChecks: readonly {
  readonly reason: string
  readonly message: string
  readonly isViolated: (sections: FixedSections, profile: KernelProfile) => boolean
}[] = [
  {
    reason: 'dump-error',
    message: notValid,
    isViolated: ({ statusFlag }, profile) => dumpStatusTests[profile.dumpStatusTest](statusFlag),
  },
  {
    reason: 'cpu-state-error',
    message: notValid,
    isViolated: ({ cpuState }) => cpuState.errorFlags !== 0,
  },
  {
    reason: 'real-mode-error',
    message: notValid,
    isViolated: ({ realMode }) => realMode.errorFlags !== 0,
  },
  {
    reason: 'real-mode-incomplete',
    message: incomplete,
    isViolated: ({ realMode }) => realMode.bytesDumped !== realMode.sourceLength,
  },
  {
    reason: 'cpu-state-missing',
    message: incomplete,
    isViolated: ({ cpuState }) => cpuState.bytesDumped === 0n,
  },
]

function checkFixedSections(
  structure: DumpMemoryStructure,
  profile: KernelProfile,
): SectionVerdict {
  const [cpuState] = sectionsOfType(structure, sectionType.cpuState)
  const [realMode] = sectionsOfType(structure, sectionType.realModeRegion)
  if (cpuState === undefined || realMode === undefined) {
    return { reason: 'section-missing', log: [notValid] }
  }
  const sections = { statusFlag: structure.header.dumpStatusFlag, cpuState, realMode }
  const row = fixedChecks.find(({ isViolated }) => isViolated(sections, profile))
  return row === undefined ? { log: [] } : { reason: row.reason, log: [row.message] }
}

/** Sections without which there is no dump. */
const requiredTypes: ReadonlySet<number> = new Set([
  sectionType.cpuState,
  sectionType.hpte,
  sectionType.realModeRegion,
])

/** 6.10: firmware sections and boot memory must be whole; parameters may be lost; unknown types are skipped (C114). */
function checkListedSections(
  structure: DumpMemoryStructure,
  profile: KernelProfile,
): SectionVerdict {
  const log: string[] = []
  let isParameterAreaUsable = true
  for (const [index, section] of structure.sections.entries()) {
    const verdict = requiredTypes.has(section.sourceDataType)
      ? checkRequired(section, index)
      : checkOptional(section)
    log.push(...verdict.log.map((line) => `${profile.logPrefix.platform}${line}`))
    if (verdict.reason !== undefined) return { reason: verdict.reason, log }
    isParameterAreaUsable &&= verdict.isParameterAreaUsable ?? true
  }
  return { isParameterAreaUsable, log }
}

function checkRequired(section: DumpSection, index: number): SectionVerdict {
  const hasError = section.errorFlags !== 0
  const isShort = section.bytesDumped !== section.sourceLength
  if (!hasError && !isShort) return { log: [] }
  return {
    reason: hasError ? 'section-error' : 'section-incomplete',
    log: [
      ...(hasError ? [`${notValid} (${index})`] : []),
      ...(isShort ? [`${incomplete} (${index})`] : []),
      `Region type: ${section.sourceDataType} ${placeOf(section)}`,
    ],
  }
}

function checkOptional(section: DumpSection): SectionVerdict {
  if (section.sourceDataType !== sectionType.parameterArea) {
    return { log: [`Unknown region found: type: ${section.sourceDataType} ${placeOf(section)}`] }
  }
  if (section.bytesDumped === section.sourceLength && section.errorFlags === 0) return { log: [] }
  return {
    isParameterAreaUsable: false,
    log: ['Failed to process additional parameters! Proceeding anyway..'],
  }
}

function placeOf(section: DumpSection): string {
  return `src addr: ${hex(section.sourceAddress)} dest addr: ${hex(section.destinationAddress)}`
}
