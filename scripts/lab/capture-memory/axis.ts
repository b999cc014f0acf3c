/** Axes of a sweep from text: `queues=1..16`, `boot=224M..400M:8M`, `memory=4G..64T:*2`, `nic=ehea,ibmveth`. */
import {
  settingNames,
  settingRow,
  type SettingName,
  type SweepAxis,
} from '@fadump-lab/shared/capture-memory'
import { UsageError } from '../command.ts'
import { parseSetting, type SettingValue } from './options.ts'

/** Values on one axis. */
const valuesMax = 100_000

const syntax =
  'write OPTION=FIRST..LAST[:STEP], OPTION=FIRST..LAST:*FACTOR or OPTION=VALUE,VALUE,…, e.g. queues=1..16'

export function parseAxis(text: string): SweepAxis {
  const [, option = '', values = ''] = /^([a-z-]+)=(\S+)$/.exec(text) ?? []
  const setting = settingNames.find((name) => settingRow(name).option === option)
  if (setting === undefined) {
    const options = settingNames.map((name) => settingRow(name).option).join(', ')
    throw new UsageError(`${JSON.stringify(text)} is no axis: ${syntax}; options: ${options}`)
  }
  return { setting, values: rangeOf(setting, values) ?? listOf(setting, values) }
}

function listOf(setting: SettingName, text: string): readonly SettingValue[] {
  return text.split(',').map((value) => parseSetting(setting, value))
}

/** `FIRST..LAST`, `FIRST..LAST:STEP`, `FIRST..LAST:*FACTOR`; undefined for anything else. */
function rangeOf(setting: SettingName, text: string): readonly number[] | undefined {
  const [, first, last, times, step] = /^([^.,]+)\.\.([^:,]+)(?::(\*?)([^,]+))?$/.exec(text) ?? []
  if (first === undefined || last === undefined) return undefined
  const bounds = { first: parseNumber(setting, first), last: parseNumber(setting, last) }
  return times === '*' ? geometric(bounds, step ?? '') : arithmetic(setting, bounds, step ?? '')
}

interface Bounds {
  readonly first: number
  readonly last: number
}

function arithmetic(setting: SettingName, { first, last }: Bounds, step: string): number[] {
  const by = step === '' ? 1 : parseNumber(setting, step)
  return series({ first, last }, (value) => value + by)
}

function geometric(bounds: Bounds, factor: string): number[] {
  const by = Number(factor)
  if (!(by > 1)) throw new UsageError(`*${factor} is no factor: give a number above 1`)
  return series(bounds, (value) => value * by)
}

function series({ first, last }: Bounds, next: (value: number) => number): number[] {
  const values: number[] = []
  for (let value = first; value <= last; value = next(value)) {
    if (values.length === valuesMax || next(value) <= value) {
      throw new UsageError(`an axis from ${first} to ${last} has more than ${valuesMax} values`)
    }
    values.push(value)
  }
  return values
}

/** A bound or step: a size of the setting, or a number. */
function parseNumber(setting: SettingName, text: string): number {
  const value: SettingValue =
    settingRow(setting).kind === 'size' ? parseSetting(setting, text) : Number(text)
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw new UsageError(
    `${JSON.stringify(text)} is no bound of ${settingRow(setting).option}: ${syntax}`,
  )
}
