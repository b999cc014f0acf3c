/** The pictures of docs/network-dump-oom.md. */
import {
  consumers,
  describeSystem,
  evaluate,
  settingRow,
  sweepTables,
  type Sweep,
  type SweepAxis,
} from '@fadump-lab/shared/capture-memory'
import { sweepExamples } from '../lab/capture-memory/examples.ts'
import { heatMap, type AxisText } from '../lab/capture-memory/heat-map.ts'
import { settingText } from '../lab/capture-memory/options.ts'
import { phaseBars } from './phase-bars.ts'

/** File name below docs/ and what renders its text. */
export const memoryFigures: Readonly<Record<string, () => string>> = {
  'figures/2011-band.svg': () => example('2011-band'),
  'figures/today.svg': () => example('today'),
  'figures/2011-phases.svg': phases2011,
}

function example(name: string): string {
  const { title, sweep } = sweepExamples[name] ?? {}
  if (title === undefined || sweep === undefined) throw new Error(`there is no example ${name}`)
  const [x, y, z] = axes(sweep)
  if (x === undefined || y === undefined) throw new Error(`example ${name} lacks an axis`)
  return heatMap({ title, tables: [...sweepTables(sweep)], x, y, z })
}

function axes({ axes: given }: Sweep): readonly AxisText[] {
  return given.flatMap((axis) => (axis === undefined ? [] : [axisText(axis)]))
}

function axisText({ setting, values }: SweepAxis): AxisText {
  return {
    name: settingRow(setting).option,
    values: values.map((value) => settingText(setting, value)),
  }
}

/** The POWER7 system of the series with 320 MiB, and the line of 256. */
function phases2011(): string {
  const described = describeSystem({
    preset: '2011',
    memoryMiB: 2048,
    cpus: 20,
    card: 'ehea',
    queues: 8,
    bootMemoryMiB: 320,
  })
  if (!described.isAccepted) throw new Error(JSON.stringify(described.refusals))
  return phaseBars({
    title: 'POWER7, 2 GiB, 20 CPUs, ehea with 8 queue pairs, SSH: MiB in use by phase',
    account: evaluate(described.system).account,
    order: consumers.map(({ name }) => name),
    lines: [256, 320],
  })
}
