/** What the sections of the page are made of. */
import type { Layout } from '@fadump-lab/shared/layout'
import { table } from '../markdown.ts'

/** A structure under a heading of the given level, field by field. */
export function layoutTable<Value>(layout: Layout<Value>, level = '###'): string {
  const rows = layout.rows.map(([, offset, scalar, name, meaning]) => [
    `0x${offset.toString(16).padStart(2, '0')}`,
    `${scalar.size}`,
    `\`${name}\``,
    meaning,
  ])
  return [
    `${level} \`${layout.name}\`\n`,
    `${layout.size} bytes.\n`,
    `${table(['offset', 'bytes', 'field', 'meaning'], rows)}\n`,
  ].join('\n')
}

/** Lines as they are. */
export function block(lines: readonly string[]): string {
  return ['```text', ...lines, '```\n'].join('\n')
}

/** `0x8000`. */
export function code(value: number, digits: number): string {
  return `\`0x${value.toString(16).padStart(digits, '0')}\``
}
