/** docs/confidence.md: what is claimed, and which test proves it. */
import { checklist } from '../../test/conformance/checklist.ts'
import type { ChecklistRow } from '../../test/conformance/checklist.ts'
import { collectProofs } from '../../test/conformance/proofs.ts'
import { heading, table } from './markdown.ts'

const introduction = `
What the project claims about firmware-assisted dump, row by row, and the tests that prove it. A row is proved by tests
whose titles start with its id; a row without one says why. Scope: \`v5\` is the kernel of the 2011 series as merged in
Linux 3.4, \`modern\` is Linux 6.10 and later, \`firmware\` and \`qemu\` are firmware personalities, \`hmc\` is the console.
What the model leaves out on purpose is in [limits.md](limits.md).
`

export function confidence(): string {
  const proofs = collectProofs()
  const proved = checklist.filter(({ id }) => proofs.has(id)).length
  const areas = [...Map.groupBy(checklist, ({ area }) => area)].map(
    ([area, rows]) => `## ${area}\n\n${areaTable(rows, proofs)}\n`,
  )
  return [
    heading('Confidence', 'test/conformance/checklist.ts and the titles of the tests'),
    introduction,
    `${proved} of ${checklist.length} rows are proved.\n`,
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
    ['id', 'claim', 'scope', 'proof'],
    rows.map(({ id, statement, scope, notYet }) => [
      id,
      statement,
      scope,
      proofs.get(id)?.map(link).join(', ') ?? `not yet: ${notYet ?? 'no test'}`,
    ]),
  )
}

function link(path: string): string {
  return `[${path.split('/').at(-1)}](../${path})`
}
