/** `./lab rehearse`: whether a dump of a described system would fit, without crashing anything. */
import { rehearse, type Rehearsal } from '@fadump-lab/shared/capture-memory'
import { exitCodes } from '@fadump-lab/shared/runtime'
import Table from 'cli-table3'
import { systemOf } from './capture-memory/options.ts'
import { consumersText, systemText } from './capture-memory/words.ts'

/** The exit code of a rehearsal whose dump does not fit. */
const failsCode = 1

export function rehearseCommandLine(
  values: Readonly<Record<string, unknown>>,
  out: (line: string) => void,
): number {
  const rehearsal = rehearse(systemOf(values))
  out(values['json'] === true ? JSON.stringify(rehearsal, undefined, 2) : render(rehearsal))
  return rehearsal.verdict === 'fail' ? failsCode : exitCodes.ok.code
}

function render(rehearsal: Rehearsal): string {
  const { system, verdict, explanation, fixes } = rehearsal
  return [
    systemText(system),
    '',
    phaseTable(rehearsal),
    '',
    `${verdict}: ${explanation}`,
    ...(fixes.length === 0 ? [] : ['', 'each of these alone mends it:']),
    ...fixes.map(({ setting, costMiB }) =>
      costMiB === 0 ? `  ${setting}` : `  ${setting} (${costMiB} MiB that production gives up)`,
    ),
  ].join('\n')
}

function phaseTable({ account }: Rehearsal): string {
  const table = new Table({
    head: ['phase', 'MiB in use', 'largest consumers'],
    style: { head: [], border: [] },
    colAligns: ['left', 'right', 'left'],
  })
  for (const { phase, usedMiB, consumers } of account) {
    const largest = consumers.toSorted((a, b) => b.MiB - a.MiB).slice(0, 3)
    table.push([phase, usedMiB.toFixed(1), consumersText(largest)])
  }
  return table.toString()
}
