/** A rehearsal as `./lab rehearse` prints it, whether the model was asked here or by a running partition's kernel. */
import type { CaptureSystem, PhaseAccount, Verdict } from '@fadump-lab/shared/capture-memory'
import Table from 'cli-table3'
import { consumersText, systemText } from './capture-memory/words.ts'

export interface ToldRehearsal {
  readonly system: CaptureSystem
  readonly verdict: Verdict
  readonly explanation: string
  readonly phases: readonly PhaseAccount[]
  readonly fixes: readonly { readonly setting: string; readonly costMiB: number }[]
}

export function rehearsalText({
  system,
  verdict,
  explanation,
  phases,
  fixes,
}: ToldRehearsal): string {
  return [
    systemText(system),
    '',
    phaseTable(phases),
    '',
    `${verdict}: ${explanation}`,
    ...(fixes.length === 0 ? [] : ['', 'each of these alone mends it:']),
    ...fixes.map(({ setting, costMiB }) =>
      costMiB === 0 ? `  ${setting}` : `  ${setting} (${costMiB} MiB that production gives up)`,
    ),
  ].join('\n')
}

function phaseTable(phases: readonly PhaseAccount[]): string {
  const table = new Table({
    head: ['phase', 'MiB in use', 'largest consumers'],
    style: { head: [], border: [] },
    colAligns: ['left', 'right', 'left'],
  })
  for (const { phase, usedMiB, consumers } of phases) {
    const largest = consumers.toSorted((a, b) => b.MiB - a.MiB).slice(0, 3)
    table.push([phase, usedMiB.toFixed(1), consumersText(largest)])
  }
  return table.toString()
}
