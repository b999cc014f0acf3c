/** Bytes of a structure, field by field, for people: in failing tests, in `lab explain`, in generated docs. */
import { toHex } from '../units/index.ts'
import type { Layout } from './layout.ts'
import type { ByteOrder } from './scalars.ts'

/** One line a field: `0008  00000028  offset_first_dump_section  0x00000028  meaning`. */
export function annotate<Value>(
  layout: Layout<Value>,
  bytes: Uint8Array,
  options: { readonly order: ByteOrder; readonly base?: number },
): string[] {
  const base = options.base ?? 0
  const value = layout.decode(bytes, options.order) as Record<string, unknown>
  return layout.rows.map(([field, offset, scalar, originalName, meaning]) => {
    const raw = toHex(bytes.subarray(offset, offset + Math.min(scalar.size, 16)))
    const place = (base + offset).toString(16).padStart(4, '0')
    return `${place}  ${raw.padEnd(32)}  ${originalName.padEnd(26)} ${scalar.print(value[field])}  ${meaning}`
  })
}
