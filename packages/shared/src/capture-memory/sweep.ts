/**
 * What-if sweeps: the verdict for every combination of values of two or three settings. A cell is one letter, so that a
 * million of them is a megabyte.
 */
import { judge } from './evaluate.ts'
import { phases, type Phase } from './phases.ts'
import { settingRow, type SettingName } from './settings.ts'
import type { WellFormedDescription } from './complete-system.ts'
import { completeSystem, type Refusal } from './describe-system.ts'

export interface SweepAxis {
  readonly setting: SettingName
  readonly values: readonly (number | string | boolean)[]
}

export interface Sweep {
  readonly base: WellFormedDescription
  /** Columns, rows and, as a third, tables. */
  readonly axes: readonly [x: SweepAxis, y: SweepAxis, z?: SweepAxis]
}

export interface SweepTable {
  /** The value of the third axis; undefined without one. */
  readonly z: number | string | boolean | undefined
  /** One text a value of y, one letter a value of x. */
  readonly rows: readonly string[]
}

/** Letters of a cell beside those of the phases, each the phase in which it fails. */
export const passCode = '.'
export const warnCode = '!'
export const refusedCode = '-'

/** Combinations that a sweep may have. */
export const sweepCellsMax = 2 ** 24

/** What each letter means. */
export const sweepLegend: Readonly<Record<string, string>> = {
  [passCode]: 'pass',
  [warnCode]: 'warn: passes with less than 5 percent to spare, or with fewer threads',
  ...Object.fromEntries(phases.map(({ code, name }) => [code, `fail: ${name}`])),
  [refusedCode]: 'refused: the settings do not go together',
}

const phaseCodes = new Map<Phase, string>(phases.map(({ name, code }) => [name, code]))

/** What is wrong with the axes; empty when nothing is. */
export function sweepRefusals({ axes }: Sweep): readonly Refusal[] {
  const given = axes.filter((axis) => axis !== undefined)
  const cells = given.reduce((product, { values }) => product * values.length, 1)
  const names = given.map(({ setting }) => setting)
  return [
    ...given.flatMap(axisRefusals),
    ...refusalIf(cells > sweepCellsMax, {
      setting: 'cells',
      value: cells,
      rule: 'a sweep is bounded',
      valid: `at most ${sweepCellsMax} combinations`,
    }),
    ...refusalIf(new Set(names).size < names.length, {
      setting: names.join(', '),
      value: names.length,
      rule: 'every axis has a setting of its own',
      valid: 'different settings',
    }),
  ]
}

function axisRefusals({ setting, values }: SweepAxis): readonly Refusal[] {
  const { accepts, meaning, valid } = settingRow(setting)
  const wrong = values.filter((value) => !accepts(value))
  return [
    ...wrong.map((value) => ({ setting, value, rule: meaning, valid })),
    ...refusalIf(values.length === 0, {
      setting,
      value: values,
      rule: 'an axis has values',
      valid,
    }),
  ]
}

function refusalIf(isRefused: boolean, refusal: Refusal): readonly Refusal[] {
  return isRefused ? [refusal] : []
}

/** The tables of a sweep whose axes were not refused, one at a time. */
export function* sweepTables({ base, axes: [x, y, z] }: Sweep): Generator<SweepTable> {
  for (const value of z === undefined ? [undefined] : z.values) {
    const table = z === undefined ? base : { ...base, [z.setting]: value }
    const rows = y.values.map((row) => {
      const description = { ...table, [y.setting]: row }
      let codes = ''
      for (const column of x.values) codes += cell({ ...description, [x.setting]: column })
      return codes
    })
    yield { z: value, rows }
  }
}

function cell(description: WellFormedDescription): string {
  const described = completeSystem(description)
  if (!described.isAccepted) return refusedCode
  const { verdict, phase } = judge(described.system)
  if (verdict === 'fail') return phaseCodes.get(phase) ?? refusedCode
  return verdict === 'warn' ? warnCode : passCode
}
