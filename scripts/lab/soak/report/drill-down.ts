/** The crashes of a report, each to be opened: the data is in the page, rows are made when they are looked at. */
import type { SoakReport } from '@fadump-lab/shared/contracts'
import { replayCrash } from './replay.ts'

const shownMax = 200

export function drillDown(report: SoakReport): string {
  // In a script element nothing but its end has a meaning.
  const data = JSON.stringify(report.crashes).replaceAll('<', String.raw`\u003c`)
  const replay = JSON.stringify(replayCrash(report, 0)).replaceAll('<', String.raw`\u003c`)
  return `<section><h2>Crash by crash</h2>
<p class="filter"><label>find <input id="find" type="search" placeholder="partition, scenario, cause, check"></label>
<label><input id="red" type="checkbox"> failed only</label> <span id="count"></span></p>
<div id="crashes"></div></section>
<script type="application/json" id="data">${data}</script>
<script>${script.replace('REPLAY', () => replay)}</script>`
}

const script = `
const all = JSON.parse(document.getElementById('data').textContent)
const list = document.getElementById('crashes'), find = document.getElementById('find')
const red = document.getElementById('red'), count = document.getElementById('count')
const make = (tag, text, parent, name) => {
  const node = document.createElement(tag)
  if (text !== undefined) node.textContent = text
  if (name) node.className = name
  parent.append(node)
  return node
}
const again = (number) => REPLAY.replace(/--only 0$/, '--only ' + number)
function open(row, box) {
  const facts = make('dl', undefined, box, 'facts')
  const fact = (name, value) => {
    if (value === undefined || value === '') return
    make('dt', name, facts); make('dd', value, facts)
  }
  fact('expected', row.expected.outcome + (row.expected.reason ? ': ' + row.expected.reason : ''))
  fact('came', row.outcome + ' by ' + row.mechanism)
  fact('dump', row.dump)
  fact('vmcore', row.sizeBytes && (row.sizeBytes / 1048576).toFixed(1) + ' MiB, ' + (row.transferredBytes / 1024).toFixed(0) + ' KiB sent, ' + (row.isWhole ? 'read from end to end' : 'read where populated'))
  fact('runs of the capture', row.attempts && String(row.attempts))
  fact('armed', row.armed)
  fact('struck', row.faults.join(', '))
  fact('phases, ms', Object.entries(row.phases).map(([name, ms]) => name + ' ' + Math.round(ms)).join(' · '))
  fact('correlation id', row.correlationId)
  fact('again', again(row.number))
  const checks = make('ul', undefined, box, 'checks')
  for (const check of row.checks) {
    make('li', (check.passed ? '✓ ' : '✗ ') + check.name + (check.detail ? ': ' + check.detail : ''), checks, check.passed ? 'ok' : 'bad')
  }
}
function show() {
  const words = find.value.toLowerCase()
  const rows = all.filter((row) => (!red.checked || !row.passed) && (words === '' || JSON.stringify(row).toLowerCase().includes(words)))
  count.textContent = rows.length + ' of ' + all.length + (rows.length > ${shownMax} ? ', the first ${shownMax} shown' : '')
  list.replaceChildren()
  for (const row of rows.slice(0, ${shownMax})) {
    const box = make('details', undefined, list)
    const head = make('summary', undefined, box)
    make('span', row.passed ? '✓' : '✗', head, row.passed ? 'ok' : 'bad')
    make('span', ' ' + row.number + ' ', head, 'number')
    make('span', row.partition, head)
    make('span', row.scenario, head, 'tag')
    make('span', row.cause, head, 'tag')
    for (const name of row.faults) make('span', name, head, 'tag fault')
    make('span', row.startMs === undefined ? '' : Math.round(row.startMs) + ' ms', head, 'ms')
    box.addEventListener('toggle', () => { if (box.open && box.childElementCount === 1) open(row, box) })
  }
}
find.addEventListener('input', show)
red.addEventListener('change', show)
red.checked = all.some((row) => !row.passed)
show()
`
