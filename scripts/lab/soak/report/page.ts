/** The report as one page that needs nothing else: pictures and data are in it, and a few lines of script to look through crashes. */
import type { SoakReport } from '@fadump-lab/shared/contracts'
import {
  bytesOverTime,
  crashesOverTime,
  faultOutcomes,
  memoryOverTime,
  phaseLatencies,
  phaseLegend,
} from './charts.ts'
import { drillDown } from './drill-down.ts'
import { style } from './page-style.ts'
import { phaseFigures } from './statistics.ts'

export function reportPage(report: SoakReport): string {
  const title = `Soak ${report.id}: ${report.verdict}`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>${escape(title)}</title><style>${style}</style></head>
<body><main>
${headline(report)}
${reasons(report)}
<section class="grid">
${figure('Crashes', 'ended, by outcome; the line is when they were ordered', crashesOverTime(report))}
${figure('Phases', 'from the order to crash until the partition has registered again', phaseLatencies(report))}
${figure('Bytes', 'what crossed the network, holes not counted', bytesOverTime(report))}
${report.memory.length === 0 ? '' : figure('Memory', 'of the services’ processes', memoryOverTime(report))}
</section>
${phases(report)}
${scenarios(report)}
${baseLevels(report)}
${faults(report)}
${drillDown(report)}
</main></body></html>
`
}

export function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

function headline(report: SoakReport): string {
  const { crashes, verdict, asked } = report
  const count = (outcome: string) =>
    crashes.filter((row) => row.passed && row.outcome === outcome).length
  const tiles: readonly (readonly [string, string])[] = [
    ['crashes', String(crashes.length)],
    ['dumps, true', String(count('dump'))],
    ['rightly absent', String(count('absent'))],
    ['failed', String(crashes.filter(({ passed }) => !passed).length)],
    ['crashes a second', (crashes.length / Math.max(1, report.crashingSeconds)).toFixed(2)],
    ['slowest start / median', report.fairness === undefined ? '–' : report.fairness.toFixed(1)],
  ]
  return `<header class="${verdict}"><h1><span class="verdict">${verdict}</span> Soak ${escape(report.id)}</h1>
<p>${asked.partitions} partitions, arrival ${asked.arrival}, seed <code>0x${report.seed.toString(16)}</code>, ${escape(report.startedAt)} to ${escape(report.completedAt)}</p>
<p class="again">again: <code>${escape(report.replay)}</code></p>
${(report.notes ?? []).map((note) => `<p>${escape(note)}</p>`).join('')}<dl class="tiles">${tiles.map(([name, value]) => `<div><dd>${value}</dd><dt>${name}</dt></div>`).join('')}</dl></header>`
}

function reasons({ reasons: list }: SoakReport): string {
  if (list.length === 0) return ''
  return `<section class="reasons"><h2>Why it is red</h2><ol>${list
    .map((reason) => `<li>${escape(reason)}</li>`)
    .join('')}</ol></section>`
}

function figure(name: string, says: string, svg: string): string {
  return `<figure><figcaption><b>${name}</b> ${says}</figcaption>${svg}</figure>`
}

type Cell = string | number
const cell = (value: Cell): string =>
  typeof value === 'number' ? `<td class="n">${value}</td>` : `<td>${value}</td>`

function table(heads: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return `<div class="scroll"><table><thead><tr>${heads.map((head) => `<th>${head}</th>`).join('')}</tr></thead>
<tbody>${rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('\n')}</tbody></table></div>`
}

function phases(report: SoakReport): string {
  const says = new Map(phaseLegend())
  const rows = phaseFigures(report).map(({ phase, p50, p95, p99, max }) => [
    `<b>${phase}</b> ${escape(says.get(phase) ?? '')}`,
    ...[p50, p95, p99, max].map((value) => Math.round(value)),
  ])
  return `<section><h2>Phases, ms</h2>${table(['phase', 'p50', 'p95', 'p99', 'max'], rows)}</section>`
}

function scenarios({ crashes }: SoakReport): string {
  const groups = [...Map.groupBy(crashes, ({ scenario }) => scenario)].toSorted(([a], [b]) =>
    a < b ? -1 : 1,
  )
  const rows = groups.map(([scenario, members]) => [
    scenario,
    members.length,
    members.filter((row) => row.passed && row.outcome === 'dump').length,
    members.filter((row) => row.passed && row.outcome === 'absent').length,
    members.filter((row) => !row.passed).length,
  ])
  return `<section><h2>Scenarios</h2>${table(['scenario', 'crashes', 'dumps', 'absent', 'failed'], rows)}</section>`
}

function baseLevels({ base }: SoakReport): string {
  if (base.length === 0) return ''
  const rows = base.map(({ what, unit, before, peak, after, allowed, passed, detail }) => [
    `<span class="${passed ? 'ok' : 'bad'}">${passed ? '✓' : '✗'}</span> ${escape(what)}, ${escape(unit)}` +
      (detail === undefined ? '' : `<br><small>${escape(detail)}</small>`),
    before,
    peak ?? '',
    after,
    allowed,
  ])
  return `<section><h2>Back at base level</h2>${table(['what', 'before', 'peak', 'after', 'allowed'], rows)}</section>`
}

function faults(report: SoakReport): string {
  if (report.faults.length === 0) return ''
  const rows = report.faults.map(({ name, does, armed, struck, dumps, absent, lost }) => [
    `<b>${escape(name)}</b><br><small>${escape(does)}</small>`,
    armed,
    struck,
    dumps,
    absent,
    lost,
  ])
  const heads = ['fault', 'armed', 'struck', 'dumps', 'absent', 'lost']
  return `<section><h2>Faults</h2>${figure('Struck', 'and what came of those crashes', faultOutcomes(report))}${table(heads, rows)}</section>`
}
