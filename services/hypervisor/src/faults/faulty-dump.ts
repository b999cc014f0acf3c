/** The faults that strike while memory is preserved: in the results of sections, the header, the register save area. */
import type { FirmwareFaultName } from '@fadump-lab/shared/contracts'
import {
  cpuEndId,
  cpuStartId,
  dumpSectionsMax,
  dumpStatusFlag,
  readRegisterSaveAreaStart,
  registerEntryLayout,
  sectionErrorFlag,
  sectionType,
  type PreservePlan,
  type SectionOutcome,
} from '@fadump-lab/shared/fadump'
import { byteLength, viewOf } from '@fadump-lab/shared/units'
import type { FirmwareRecord } from '../partition/firmware-record.ts'
import type { Transition } from '../partition/lifecycle.ts'
import { strike, type Strike } from './armed-faults.ts'

/** Collects strikes of one step. */
export class Strikes {
  #record: FirmwareRecord
  readonly #transitions: Transition[] = []

  constructor(record: FirmwareRecord) {
    this.#record = record
  }

  /** With every strike counted. */
  get record(): FirmwareRecord {
    return this.#record
  }

  get transitions(): readonly Transition[] {
    return this.#transitions
  }

  take(name: FirmwareFaultName): Pick<Strike, 'value'> | undefined {
    const struck = strike(this.#record, name)
    if (struck === undefined) return undefined
    this.#record = struck.record
    this.#transitions.push(struck.transition)
    return struck
  }
}

const sectionFaults: readonly {
  readonly type: number
  readonly error: FirmwareFaultName
  readonly short: FirmwareFaultName
}[] = [
  { type: sectionType.cpuState, error: 'cpu-state-error', short: 'cpu-state-short' },
  { type: sectionType.hpte, error: 'hpte-error', short: 'hpte-short' },
  { type: sectionType.realModeRegion, error: 'real-mode-error', short: 'real-mode-short' },
  { type: sectionType.parameterArea, error: 'parameters-error', short: 'parameters-short' },
]

/** What a `short` fault without a value leaves out: one entry of the register save area. */
const shortBy = 16n

/** `plan` as the armed faults make it. `keepsErrorStatus`: whether a failed section shows in the header (C041). */
export function faultyPlan(
  plan: PreservePlan,
  strikes: Strikes,
  keepsErrorStatus: boolean,
): PreservePlan {
  const outcomes = [...plan.outcomes]
  for (const row of sectionFaults) {
    const index = outcomes.findIndex(({ section }) => section.sourceDataType === row.type)
    const outcome = outcomes[index]
    if (outcome !== undefined) outcomes[index] = faultyOutcome(outcome, row, strikes)
  }
  const hasErrors = outcomes.some(({ errorFlags }) => errorFlags !== 0)
  const base = plan.structure.header.dumpStatusFlag
  const status = hasErrors && keepsErrorStatus ? base | dumpStatusFlag.error : base
  const set = strikes.take('header-status-set')?.value ?? 0
  const lost = strikes.take('header-status-lost')?.value ?? 0
  const sections = [
    ...outcomes.map(({ section, errorFlags, bytesDumped }) => ({
      ...section,
      errorFlags,
      bytesDumped,
    })),
    ...unknownSection(outcomes.length, strikes),
  ]
  return {
    outcomes,
    hasErrors,
    structure: {
      header: {
        ...plan.structure.header,
        dumpNumSections: sections.length,
        dumpStatusFlag: (status | set) & ~lost,
      },
      sections,
    },
  }
}

function faultyOutcome(
  outcome: SectionOutcome,
  names: { readonly error: FirmwareFaultName; readonly short: FirmwareFaultName },
  strikes: Strikes,
): SectionOutcome {
  const failed = strikes.take(names.error)
  if (failed !== undefined) {
    const errorFlags = failed.value ?? 0
    return { ...outcome, errorFlags, bytesDumped: byteLength(0n), action: { kind: 'none' } }
  }
  const short = strikes.take(names.short)
  if (short === undefined) return outcome
  const { bytesDumped } = outcome
  const less = bytesDumped > shortBy ? bytesDumped - shortBy : 0n
  return { ...outcome, bytesDumped: byteLength(short.value ?? less) }
}

function unknownSection(sections: number, strikes: Strikes): PreservePlan['structure']['sections'] {
  const unknown = sections < dumpSectionsMax ? strikes.take('unknown-section') : undefined
  if (unknown === undefined) return []
  return [
    {
      requestFlag: 1,
      sourceDataType: unknown.value ?? 0,
      errorFlags: sectionErrorFlag.invalidType,
      sourceAddress: 0n,
      sourceLength: 0n,
      bytesDumped: 0n,
      destinationAddress: 0n,
    },
  ]
}

/** Changes `area`, a register save area, as the armed faults ask. */
export function spoilRegisterSaveArea(area: Uint8Array, strikes: Strikes): void {
  if (!strikes.record.faults.some(({ name }) => name.startsWith('regsave-'))) return
  const starts = placesOf(area, cpuStartId)
  const fewer = strikes.take('regsave-fewer-cpus')?.value ?? 0
  const firstMissing = starts[Math.max(0, starts.length - fewer)]
  if (fewer > 0 && firstMissing !== undefined) area.fill(0, firstMissing)
  const view = viewOf(area)
  const cleared: readonly (readonly [name: FirmwareFaultName, place: number | undefined])[] = [
    ['regsave-no-cpustrt', starts[0]],
    ['regsave-no-cpuend', placesOf(area, cpuEndId).at(-1)],
    ['regsave-magic', 0],
  ]
  for (const [name, place] of cleared) {
    if (place !== undefined && strikes.take(name) !== undefined) view.setBigUint64(place, 0n)
  }
}

/** Where the entries with identifier `id` stand. */
function placesOf(area: Uint8Array, id: bigint): number[] {
  const view = viewOf(area)
  const { size } = registerEntryLayout
  const first = readRegisterSaveAreaStart(area).entriesOffset
  const entries = Math.floor((area.byteLength - first) / size)
  return Array.from({ length: entries }, (_, index) => first + index * size).filter(
    (place) => view.getBigUint64(place) === id,
  )
}
