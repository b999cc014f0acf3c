/** Flattened device trees, and the dump properties of /rtas. */
import { explain, printExplanation, type Part } from '@fadump-lab/shared/explain'
import { dumpSizeLayout, dumpVersionLayout } from '@fadump-lab/shared/fadump'
import { fdtHeaderLayout, reservationLayout, structureToken } from '@fadump-lab/shared/fdt'
import { truthBytes } from '../../../test/fixtures/truth/index.ts'
import { table } from '../markdown.ts'
import { block, code, layoutTable } from './pieces.ts'

export function deviceTreeSection(): string {
  const { kind, parts } = explain('fdt', truthBytes('second.dtb'))
  return [
    '## Flattened device tree\n',
    'What firmware hands to a kernel at boot (Devicetree Specification 0.4, chapter 5). Big-endian.\n',
    layoutTable(fdtHeaderLayout),
    layoutTable(reservationLayout),
    '### Tokens of the structure block\n',
    `${table(
      ['token', 'name'],
      Object.entries(structureToken).map(([name, token]) => [code(token, 8), name]),
    )}\n`,
    layoutTable(dumpSizeLayout),
    layoutTable(dumpVersionLayout),
    '### `/rtas` of a capture boot under QEMU 11.1\n',
    block(printExplanation({ kind, parts: nodeParts(parts, '/rtas') })),
  ].join('\n')
}

/** The node and what lies in it. */
function nodeParts(parts: readonly Part[], path: string): readonly Part[] {
  const start = parts.findIndex(({ title }) => title === path)
  const depth = parts[start]?.depth ?? 0
  const length = parts.slice(start + 1).findIndex((part) => (part.depth ?? 0) <= depth)
  return parts.slice(start, start + 1 + length)
}
