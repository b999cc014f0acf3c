/** `./lab sweep`: verdicts over two or three settings, as a table, as JSON, as a picture. */
import { writeFileSync } from 'node:fs'
import {
  checkValues,
  settingRow,
  sweepLegend,
  sweepRefusals,
  sweepTables,
  type Sweep,
  type SweepAxis,
  type SweepTable,
} from '@fadump-lab/shared/capture-memory'
import { exitCodes } from '@fadump-lab/shared/runtime'
import { parseAxis } from './capture-memory/axis.ts'
import { sweepExamples, type SweepExample } from './capture-memory/examples.ts'
import { heatMap, pictureCellsMax, type AxisText } from './capture-memory/heat-map.ts'
import { descriptionOf, refusedUsage, settingText } from './capture-memory/options.ts'
import { UsageError } from './command.ts'

/** Cells that are printed as a table; more are counted. */
const printedCellsMax = 20_000

export function sweepCommandLine(
  values: Readonly<Record<string, unknown>>,
  out: (line: string) => void,
): number {
  const { title, sweep } = chosen(values)
  const refusals = sweepRefusals(sweep)
  if (refusals.length > 0) throw refusedUsage(refusals)
  const tables = [...sweepTables(sweep)]
  const file = values['svg']
  if (typeof file === 'string') writeFileSync(file, picture(title, sweep, tables))
  out(
    values['json'] === true
      ? JSON.stringify(asJson(title, sweep, tables))
      : render(title, sweep, tables),
  )
  if (typeof file === 'string' && values['json'] !== true) out(`heat map: ${file}`)
  return exitCodes.ok.code
}

/** The example, or what the axes and the system options say. */
function chosen(values: Readonly<Record<string, unknown>>): SweepExample {
  const { example, x, y, z } = values
  if (typeof example === 'string') return exampleNamed(example)
  if (typeof x !== 'string' || typeof y !== 'string') {
    throw new UsageError(
      `a sweep needs --x and --y, or --example with one of ${Object.keys(sweepExamples).join(', ')}`,
    )
  }
  const [columns, rows] = [parseAxis(x), parseAxis(y)]
  const axes: Sweep['axes'] =
    typeof z === 'string' ? [columns, rows, parseAxis(z)] : [columns, rows]
  return {
    title: [x, y, z].filter(Boolean).join(', '),
    sweep: { base: baseOf(values, axes), axes },
  }
}

function exampleNamed(name: string): SweepExample {
  const example = Object.hasOwn(sweepExamples, name) ? sweepExamples[name] : undefined
  if (example !== undefined) return example
  throw new UsageError(
    `no example ${JSON.stringify(name)}; the examples are ${Object.keys(sweepExamples).join(', ')}`,
  )
}

/** What all cells share. The first value of each axis stands in where nothing else is given. */
function baseOf(values: Readonly<Record<string, unknown>>, axes: Sweep['axes']): Sweep['base'] {
  const firsts = presentAxes(axes).map((axis) => [axis.setting, axis.values[0]] as const)
  const checked = checkValues({ ...descriptionOf(values), ...Object.fromEntries(firsts) })
  if (checked.isAccepted) return checked.description
  throw refusedUsage(checked.refusals)
}

function presentAxes(axes: Sweep['axes']): readonly SweepAxis[] {
  return axes.filter((axis) => axis !== undefined)
}

function picture(title: string, sweep: Sweep, tables: readonly SweepTable[]): string {
  const cells = tables.reduce((sum, { rows }) => sum + rows.join('').length, 0)
  if (cells > pictureCellsMax) {
    throw new UsageError(`--svg: ${cells} cells; a picture has at most ${pictureCellsMax}`)
  }
  return heatMap({ title, tables, ...axesText(sweep) })
}

interface AxesText {
  readonly x: AxisText
  readonly y: AxisText
  readonly z: AxisText | undefined
}

/** The axes in the words of the command line. */
function axesText({ axes: [x, y, z] }: Sweep): AxesText {
  return { x: axisText(x), y: axisText(y), z: z === undefined ? undefined : axisText(z) }
}

function axisText({ setting, values }: SweepAxis): AxisText {
  return { name: settingRow(setting).option, values: values.map((v) => settingText(setting, v)) }
}

/** Letters by row, with the values of the axes and what the letters mean. */
function asJson(title: string, sweep: Sweep, tables: readonly SweepTable[]) {
  return { title, base: sweep.base, axes: sweep.axes, legend: sweepLegend, tables }
}

function render(title: string, sweep: Sweep, tables: readonly SweepTable[]): string {
  const text = axesText(sweep)
  const all = tables.flatMap(({ rows }) => rows).join('')
  const shown = all.length > printedCellsMax ? [] : tables.flatMap((t, i) => tableLines(t, i, text))
  return [title, ...shown, '', ...legendLines(all)].join('\n')
}

function tableLines({ rows }: SweepTable, index: number, { x, y, z }: AxesText): readonly string[] {
  const heading = z === undefined ? [] : [`${z.name} ${z.values[index] ?? ''}`]
  const width = Math.max(...y.values.map(({ length }) => length))
  const columns = `${x.name} ${x.values[0] ?? ''} to ${x.values.at(-1) ?? ''}`
  return [
    '',
    ...heading,
    `${y.name.padStart(width)}  ${columns}`,
    ...rows.map(
      (codes, row) => `${(y.values[row] ?? '').padStart(width)}  ${codes.split('').join(' ')}`,
    ),
  ]
}

/** The letters that occur, what they mean, and how often. */
function legendLines(codes: string): readonly string[] {
  const counts = new Map<string, number>()
  for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1)
  return Object.entries(sweepLegend)
    .filter(([code]) => counts.has(code))
    .map(([code, meaning]) => `${code}  ${String(counts.get(code)).padStart(9)}  ${meaning}`)
}
