/** `./lab estimate`: what to reserve for a capture kernel. */
import { estimate, presets, type Estimate } from '@fadump-lab/shared/capture-memory'
import { exitCodes } from '@fadump-lab/shared/runtime'
import Table from 'cli-table3'
import { systemOf } from './capture-memory/options.ts'
import { consumersText, systemText } from './capture-memory/words.ts'

export function estimateCommandLine(
  values: Readonly<Record<string, unknown>>,
  out: (line: string) => void,
): number {
  const estimated = estimate(systemOf(values))
  out(values['json'] === true ? JSON.stringify(estimated, undefined, 2) : render(estimated))
  return exitCodes.ok.code
}

function render(estimated: Estimate): string {
  const { system, minimumMiB, recommendedMiB, peakPhase } = estimated
  const argument = presets[system.preset].bootMemoryArgument
  const setting = (MiB: number | undefined): string =>
    MiB === undefined ? 'none: no part of memory is enough' : `${argument}=${MiB}M`
  return [
    systemText(system),
    '',
    `minimum      ${setting(minimumMiB)}`,
    `recommended  ${setting(recommendedMiB)}`,
    `peak         ${peakPhase}: ${consumersText(estimated.topConsumers)}`,
    '',
    comparisonTable(estimated),
  ].join('\n')
}

function comparisonTable({ comparisons }: Estimate): string {
  const table = new Table({
    head: ['what others reserve', 'MiB', 'verdict here'],
    style: { head: [], border: [] },
    colAligns: ['left', 'right', 'left'],
  })
  for (const { rule, reservedMiB, verdict } of comparisons) {
    table.push([rule, reservedMiB === 0 ? 'nothing' : reservedMiB, verdict ?? '-'])
  }
  return table.toString()
}
