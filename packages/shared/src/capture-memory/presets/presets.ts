/** The presets by name. */
import { invariant } from '../../units/index.ts'
import { parameterNames, type ParameterName } from '../parameters.ts'
import { preset2011 } from './preset-2011.ts'
import { presetLinux72 } from './preset-linux-7-2.ts'
import { presetNow } from './preset-now.ts'
import type { Numbers, Preset } from './preset.ts'

export const presets = {
  '2011': preset2011,
  now: presetNow,
  'linux-7.2': presetLinux72,
} as const satisfies Readonly<Record<string, Preset>>

export type PresetName = keyof typeof presets

export const presetNames = Object.keys(presets) as readonly PresetName[]

/** The numbers without their sources, taken out once: the formulas run often. */
export const presetNumbers: Readonly<Record<PresetName, Numbers>> = {
  '2011': numbersOf(preset2011),
  now: numbersOf(presetNow),
  'linux-7.2': numbersOf(presetLinux72),
}

function numbersOf({ values }: Preset): Numbers {
  const entries = parameterNames.map((name) => [name, values[name].value] as const)
  for (const [name, value] of entries) {
    invariant(value >= 0, `parameter ${name} is ${value}: no parameter is negative`)
  }
  return Object.fromEntries(entries) as Record<ParameterName, number>
}
