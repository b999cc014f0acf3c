/** The options that describe a system, made from the table of settings. */
import {
  describeRefusal,
  describeSystem,
  isSettingName,
  settingNames,
  settingRow,
  type CaptureSystem,
  type Refusal,
  type SettingName,
} from '@fadump-lab/shared/capture-memory'
import { UsageError, type Valued } from '../command.ts'

export type SettingValue = number | string | boolean

const placeholders = { size: 'SIZE', count: 'N', choice: 'NAME', switch: 'on|off' } as const

/** Option name and row for every setting. */
export const systemOptions: Readonly<Record<string, Valued<SettingValue>>> = Object.fromEntries(
  settingNames.map((name) => {
    const { option, meaning } = settingRow(name)
    const parse = (text: string): SettingValue => parseSetting(name, text)
    return [option, { placeholder: placeholders[settingRow(name).kind], summary: meaning, parse }]
  }),
)

const byOption = new Map(settingNames.map((name) => [settingRow(name).option, name]))

/** The system that the values of `systemOptions` describe; throws `UsageError` with every refusal. */
export function systemOf(values: Readonly<Record<string, unknown>>): CaptureSystem {
  const described = describeSystem(descriptionOf(values))
  if (described.isAccepted) return described.system
  throw refusedUsage(described.refusals)
}

/** From option names to settings; options of other things are left out. */
export function descriptionOf(
  values: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const given = Object.entries(values).flatMap(([option, value]) => {
    const name = byOption.get(option)
    return name === undefined || value === undefined ? [] : [[name, value] as const]
  })
  return Object.fromEntries(given)
}

/** Refusals in the words of the command line: `--nic "x": …`. */
export function refusedUsage(refusals: readonly Refusal[]): UsageError {
  const lines = refusals.map((refusal) => {
    const { setting } = refusal
    const shown = isSettingName(setting) ? `--${settingRow(setting).option}` : setting
    return describeRefusal({ ...refusal, setting: shown })
  })
  return new UsageError(lines.join('\n'))
}

/** The value of a setting from its text. */
export function parseSetting(name: SettingName, text: string): SettingValue {
  const row = settingRow(name)
  const value = name === 'pageKiB' ? parseSizeMiB(text) * 1024 : parsers[row.kind](text)
  if (row.accepts(value)) return value
  const form = row.kind === 'size' ? 'a size like 320M, 4G or 64T, ' : ''
  throw new UsageError(
    `--${row.option} ${JSON.stringify(text)}: ${row.meaning}; valid: ${form}${row.valid}`,
  )
}

const parsers: Readonly<
  Record<'size' | 'count' | 'choice' | 'switch', (text: string) => SettingValue>
> = {
  size: parseSizeMiB,
  count: (text) => (/^-?\d+$/.test(text) ? Number(text) : Number.NaN),
  choice: (text) => text,
  switch: (text) => (text === 'on' ? true : text === 'off' ? false : text),
}

const suffixMiB: Readonly<Record<string, number>> = {
  K: 1 / 1024,
  M: 1,
  G: 1024,
  T: 1024 * 1024,
}

/** `320M`, `4G`, `0.5T`, `64K` as MiB; NaN for anything else. */
function parseSizeMiB(text: string): number {
  const [, digits, suffix = ''] = /^(\d+(?:\.\d+)?)([KMGT])(?:iB)?$/i.exec(text) ?? []
  return digits === undefined ? Number.NaN : Number(digits) * (suffixMiB[suffix.toUpperCase()] ?? 1)
}

/** `320M`, `4G`, `64T`: the largest unit in which the size is a whole number. */
export function sizeText(MiB: number): string {
  for (const suffix of ['T', 'G'] as const) {
    const unit = suffixMiB[suffix] ?? 1
    if (MiB >= unit && MiB % unit === 0) return `${MiB / unit}${suffix}`
  }
  return `${Number.isInteger(MiB) ? MiB : MiB.toFixed(1)}M`
}

/** A value of a setting as one would write it on the command line. */
export function settingText(name: SettingName, value: SettingValue): string {
  if (name === 'pageKiB') return `${String(value)}K`
  if (settingRow(name).kind === 'size' && typeof value === 'number') return sizeText(value)
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  return String(value)
}
