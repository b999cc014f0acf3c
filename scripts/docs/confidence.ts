/** docs/confidence.md: what is claimed, where it was checked, and which tests go deeper. */
import { checklist, type ChecklistRow } from '../../test/conformance/checklist.ts'
import { checkFile } from '../../test/conformance/checks.ts'
import { cellName, cells } from '../../test/conformance/given.ts'
import { collectProofs } from '../../test/conformance/proofs.ts'
import { heading, table } from './markdown.ts'

const introduction = `
What the project claims about firmware-assisted dump, row by row, and what proves it. Rows up to C139 have a check of their
own in [test/conformance](../test/conformance/checks), with the expected bytes and words written out; it runs against the
real hypervisor and kernel host in every cell that the row names: kernel profile \`v5\` (the 2011 series as merged in Linux
3.4) or \`modern\` (Linux 6.10 and later), on firmware personality \`papr\` or \`qemu\`. Further tests whose titles start with
the id stand beside it. A row that nothing proves says why. What the model leaves out on purpose is in
[limits.md](limits.md); what a real kernel under a real firmware did, and that ours does the same, in
[test/truth](../test/truth).
`

export function confidence(): string {
  const proofs = collectProofs()
  const isProved = ({ id }: ChecklistRow) => checkFile(id) !== undefined || proofs.has(id)
  const checked = checklist.filter(({ id }) => checkFile(id) !== undefined)
  const runs = checked.reduce((sum, row) => sum + row.cells.length, 0)
  const areas = [...Map.groupBy(checklist, ({ area }) => area)].map(
    ([area, rows]) => `## ${area}\n\n${areaTable(rows, proofs)}\n`,
  )
  return [
    heading('Confidence', 'test/conformance and the titles of the tests'),
    introduction,
    `${checklist.filter(isProved).length} of ${checklist.length} rows are proved; ${checked.length} of them have checks, which run ${runs} times.\n`,
    areas.join('\n'),
  ]
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n')
}

function areaTable(
  rows: readonly ChecklistRow[],
  proofs: ReadonlyMap<string, readonly string[]>,
): string {
  return table(
    ['id', 'claim', 'source', 'checked on', 'proof'],
    rows.map((row) => [
      row.id,
      row.statement,
      row.source,
      cellsOf(row),
      proofOf(row, proofs.get(row.id) ?? []),
    ]),
  )
}

/** The cells in which the check of the row runs. */
function cellsOf({ id, cells: where, narrowed }: ChecklistRow): string {
  if (checkFile(id) === undefined) return '–'
  const names = where.length === cells.length ? 'all four' : where.map(cellName).join(', ')
  return narrowed === undefined ? names : `${names}; ${narrowed}`
}

function proofOf({ id, notYet }: ChecklistRow, deeper: readonly string[]): string {
  const check = checkFile(id)
  const paths = [...(check === undefined ? [] : [check]), ...deeper]
  return paths.length === 0 ? `not yet: ${notYet ?? 'no test'}` : paths.map(link).join(', ')
}

function link(path: string): string {
  return `[${path.split('/').at(-1)}](../${path})`
}
