/**
 * What firmware does with each registered section when the partition ends (spec §7.1; PAPR R1-3, R1-6). Pure: the
 * caller carries the actions out in one atomic step and shows `structure` as `ibm,kernel-dump`. A failed section does
 * not stop the others.
 *
 * PAPR names the error bits but not their cases. Our reading: a range that begins outside partition memory has an
 * invalid address; one that begins inside and runs past its end is too long for the source, or too big for the
 * destination. Firmware data must be asked for in the advertised size: less is a destination too small.
 */
import { byteLength, realAddress, type ByteLength, type RealAddress } from '../units/index.ts'
import {
  dumpRequestFlag,
  dumpStatusFlag,
  sectionErrorFlag,
  type DumpMemoryStructure,
  type DumpSection,
} from './dump-memory-structure.ts'
import type { FirmwarePersonality } from './firmware-personalities.ts'
import { sectionType, sectionTypeOf } from './section-types.ts'

export interface PreserveRequest {
  readonly structure: DumpMemoryStructure
  readonly partitionSize: ByteLength
  /** Bytes of the register save area that firmware produces: what it advertised, unless it is QEMU. */
  readonly cpuStateSize: ByteLength
  /** Bytes of the HPTE save area that firmware produces: what it advertised. */
  readonly hpteSize: ByteLength
  readonly personality: FirmwarePersonality
}

export type SectionAction =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'copy'
      readonly source: RealAddress
      readonly target: RealAddress
      readonly length: ByteLength
    }
  | {
      readonly kind: 'write-cpu-state' | 'write-hpte'
      readonly target: RealAddress
      readonly length: ByteLength
    }

export interface SectionOutcome {
  readonly index: number
  readonly section: DumpSection
  readonly errorFlags: number
  readonly bytesDumped: ByteLength
  readonly action: SectionAction
}

export interface PreservePlan {
  readonly outcomes: readonly SectionOutcome[]
  /** The structure as `ibm,kernel-dump` presents it. */
  readonly structure: DumpMemoryStructure
  /** Whether a section failed. */
  readonly hasErrors: boolean
}

export function planPreserve(request: PreserveRequest): PreservePlan {
  const outcomes = request.structure.sections.map((section, index) => ({
    index,
    section,
    ...outcomeOf(section, request),
  }))
  const hasErrors = outcomes.some((outcome) => outcome.errorFlags !== 0)
  const showsError = hasErrors && request.personality.keepsErrorStatus
  const status =
    dumpStatusFlag.performed | dumpStatusFlag.triggered | (showsError ? dumpStatusFlag.error : 0)
  return {
    outcomes,
    hasErrors,
    structure: {
      header: { ...request.structure.header, dumpStatusFlag: status },
      sections: outcomes.map(({ section, errorFlags, bytesDumped }) => ({
        ...section,
        errorFlags,
        bytesDumped,
      })),
    },
  }
}

type Outcome = Pick<SectionOutcome, 'errorFlags' | 'bytesDumped' | 'action'>

const none: SectionAction = { kind: 'none' }
const skipped: Outcome = { errorFlags: 0, bytesDumped: byteLength(0n), action: none }

function outcomeOf(section: DumpSection, request: PreserveRequest): Outcome {
  if (section.requestFlag !== dumpRequestFlag) return skipped
  const type = sectionTypeOf(section.sourceDataType)
  const isKnown = type !== undefined && isCopiedOrProduced(section, request.personality)
  if (!isKnown) return { ...skipped, errorFlags: sectionErrorFlag.invalidType }
  const produced = type.owner === 'firmware' ? producedSize(section, request) : undefined
  const length = byteLength(
    produced === undefined || request.personality.checksFirmwareSectionLengths
      ? section.sourceLength
      : produced,
  )
  const errorFlags = errorsOf[request.personality.sectionErrors]({
    section,
    request,
    produced,
    length,
  })
  if (errorFlags !== 0) return { ...skipped, errorFlags }
  return { errorFlags, bytesDumped: length, action: actionOf(section, length) }
}

function isCopiedOrProduced(section: DumpSection, personality: FirmwarePersonality): boolean {
  return personality.copiesOsSections || qemuSectionTypes.has(section.sourceDataType)
}

/** What QEMU's switch over section types has cases for. */
const qemuSectionTypes: ReadonlySet<number> = new Set([
  sectionType.cpuState,
  sectionType.hpte,
  sectionType.realModeRegion,
  sectionType.parameterArea,
])

function producedSize(section: DumpSection, request: PreserveRequest): ByteLength {
  return section.sourceDataType === sectionType.cpuState ? request.cpuStateSize : request.hpteSize
}

function actionOf(section: DumpSection, length: ByteLength): SectionAction {
  const target = realAddress(section.destinationAddress)
  if (length === 0n) return none
  if (section.sourceDataType === sectionType.cpuState)
    return { kind: 'write-cpu-state', target, length }
  if (section.sourceDataType === sectionType.hpte) return { kind: 'write-hpte', target, length }
  const source = realAddress(section.sourceAddress)
  // C042: the parameter area is preserved where it is.
  return source === target ? none : { kind: 'copy', source, target, length }
}

interface JudgedSection {
  readonly section: DumpSection
  readonly request: PreserveRequest
  /** Bytes that firmware has for the section; `undefined` when it copies partition memory. */
  readonly produced: ByteLength | undefined
  readonly length: ByteLength
}

interface SectionCheck {
  readonly flag: number
  readonly applies: (judged: JudgedSection) => boolean
}

const sectionChecks: readonly SectionCheck[] = [
  {
    flag: sectionErrorFlag.invalidSource,
    applies: ({ section, request, produced, length }) =>
      produced === undefined && beginsOutside(section.sourceAddress, length, request),
  },
  {
    flag: sectionErrorFlag.sourceTooShort,
    applies: ({ section, request, produced, length }) =>
      produced === undefined
        ? runsPastEnd(section.sourceAddress, length, request)
        : checksLength(request) && length > produced,
  },
  {
    flag: sectionErrorFlag.invalidDestination,
    applies: ({ section, request, length }) =>
      beginsOutside(section.destinationAddress, length, request),
  },
  {
    flag: sectionErrorFlag.destinationTooSmall,
    applies: ({ section, request, produced, length }) =>
      runsPastEnd(section.destinationAddress, length, request) ||
      (produced !== undefined && checksLength(request) && length < produced),
  },
]

type ErrorFlagsOf = (judged: JudgedSection) => number

const errorsOf: Readonly<Record<FirmwarePersonality['sectionErrors'], ErrorFlagsOf>> = {
  every: (judged) =>
    sectionChecks.filter((row) => row.applies(judged)).reduce((flags, row) => flags | row.flag, 0),
  'first, in host order': ({ section, request, produced, length }) => {
    const isOutside = (address: bigint) => length > 0n && address + length > request.partitionSize
    if (produced !== undefined) {
      return isOutside(section.destinationAddress) ? swapped(sectionErrorFlag.invalidSource) : 0
    }
    if (isOutside(section.sourceAddress)) return swapped(sectionErrorFlag.invalidSource)
    const isLost = isOutside(section.destinationAddress)
    return isLost ? swapped(sectionErrorFlag.invalidDestination) : 0
  },
}

function swapped(flags: number): number {
  return ((flags & 0xff) << 8) | (flags >> 8)
}

function checksLength(request: PreserveRequest): boolean {
  return request.personality.checksFirmwareSectionLengths
}

function beginsOutside(address: bigint, length: bigint, request: PreserveRequest): boolean {
  return length > 0n && address >= request.partitionSize
}

function runsPastEnd(address: bigint, length: bigint, request: PreserveRequest): boolean {
  return address < request.partitionSize && address + length > request.partitionSize
}
