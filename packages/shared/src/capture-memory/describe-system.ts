/** From a description of a system to the complete system, or to what is wrong with it. */
import type { CaptureSystem } from './capture-system.ts'
import { complete, type WellFormedDescription } from './complete-system.ts'
import { consistencyRules } from './consistency.ts'
import { isSettingName, settingNames, settingRow, type SettingName } from './settings.ts'

/** Why a description is refused: the setting, its value, the rule, and what would be right. */
export interface Refusal {
  readonly setting: string
  readonly value: unknown
  readonly rule: string
  readonly valid: string
}

export type DescribedSystem =
  | { readonly isAccepted: true; readonly system: CaptureSystem }
  | { readonly isAccepted: false; readonly refusals: readonly Refusal[] }

/** Checks `description` and fills in the defaults. All refusals are told at once. */
export function describeSystem(description: Readonly<Record<string, unknown>>): DescribedSystem {
  const checked = checkValues(description)
  return checked.isAccepted ? completeSystem(checked.description) : checked
}

export type CheckedDescription =
  | { readonly isAccepted: true; readonly description: WellFormedDescription }
  | { readonly isAccepted: false; readonly refusals: readonly Refusal[] }

/** Checks every value by itself; whether they go together is left open. */
export function checkValues(description: Readonly<Record<string, unknown>>): CheckedDescription {
  const refusals = [...unknownSettings(description), ...badValues(description)]
  return isWellFormed(description, refusals)
    ? { isAccepted: true, description }
    : { isAccepted: false, refusals }
}

/** Fills in the defaults and checks that the values go together: what is left to do when each is valid by itself. */
export function completeSystem(description: WellFormedDescription): DescribedSystem {
  const system = complete(description)
  const broken = consistencyRules.filter(({ isBroken }) => isBroken(system, description))
  if (broken.length === 0) return { isAccepted: true, system }
  const refusals = broken.map(({ setting, rule, valid }) => ({
    setting,
    value: description[setting],
    rule,
    valid: valid(system),
  }))
  return { isAccepted: false, refusals }
}

/** `bootMemoryMiB 4096: boot memory is part of memory; valid: less than 4096 MiB`. */
export function describeRefusal({ setting, value, rule, valid }: Refusal): string {
  const given = value === undefined ? 'missing' : JSON.stringify(value)
  return `${setting} ${given}: ${rule}; valid: ${valid}`
}

/** Settings without which there is no system. */
const required: readonly SettingName[] = ['memoryMiB', 'cpus']

function unknownSettings(description: Readonly<Record<string, unknown>>): readonly Refusal[] {
  return Object.keys(description)
    .filter((name) => !isSettingName(name))
    .map((name) => ({
      setting: name,
      value: description[name],
      rule: 'there is no such setting',
      valid: settingNames.join(', '),
    }))
}

function badValues(description: Readonly<Record<string, unknown>>): readonly Refusal[] {
  return settingNames.flatMap((name) => {
    const value = description[name]
    const row = settingRow(name)
    const refusal = { setting: name, value, valid: row.valid }
    if (value === undefined) {
      return required.includes(name) ? [{ ...refusal, rule: `${row.meaning}: required` }] : []
    }
    return row.accepts(value) ? [] : [{ ...refusal, rule: row.meaning }]
  })
}

/** No refusals, so every value is of its type, and what is required is there. */
function isWellFormed(
  _description: Readonly<Record<string, unknown>>,
  refusals: readonly Refusal[],
): _description is WellFormedDescription {
  return refusals.length === 0
}
