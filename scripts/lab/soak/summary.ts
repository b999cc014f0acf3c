/** The end of a soak on a terminal. */
import type { SoakReport } from '@fadump-lab/shared/contracts'
import Table from 'cli-table3'

const reasonsTold = 10

export function summary(report: SoakReport): string[] {
  const table = new Table({
    head: ['scenario', 'crashes', 'dumps', 'absent', 'failed', 'start p50', 'start max'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  })
  const groups = Map.groupBy(report.crashes, ({ scenario }) => scenario)
  for (const [scenario, rows] of [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const starts = rows.flatMap(({ startMs }) => startMs ?? []).toSorted((a, b) => a - b)
    const passed = rows.filter((row) => row.passed)
    table.push([
      scenario,
      rows.length,
      passed.filter(({ outcome }) => outcome === 'dump').length,
      passed.filter(({ outcome }) => outcome === 'absent').length,
      rows.length - passed.length,
      milliseconds(starts[Math.floor((starts.length - 1) / 2)]),
      milliseconds(starts.at(-1)),
    ])
  }
  const more = report.reasons.length - reasonsTold
  return [
    table.toString(),
    ...report.reasons.slice(0, reasonsTold),
    ...(more > 0 ? [`and ${more} more`] : []),
    ...(report.notes ?? []),
    `${report.verdict}: ${report.crashes.length} crashes in ${report.crashingSeconds.toFixed(1)} s, seed 0x${report.seed.toString(16)}`,
    `again: ${report.replay}`,
  ]
}

function milliseconds(value: number | undefined): string {
  return value === undefined ? '' : `${Math.round(value)} ms`
}
