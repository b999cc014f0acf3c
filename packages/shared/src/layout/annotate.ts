/** Bytes of a structure, field by field, for people: in failing tests, in `lab explain`, in generated docs. */
import { toHex } from '../units/index.ts'
import type { Layout } from './layout.ts'
import type { ByteOrder } from './scalars.ts'

/** One field of a structure in real bytes. */
export interface AnnotatedField {
  /** Where it begins, counted from the start of what is annotated. */
  readonly offset: number
  /** All of its bytes; none for a line of text, whose value says it all. */
  readonly bytes: Uint8Array
  /** Its name in the source. */
  readonly name: string
  readonly value: string
  readonly meaning: string
}

export interface AnnotateOptions<Value> {
  readonly order: ByteOrder
  /** Where the structure begins in `bytes`. Default 0. */
  readonly at?: number
  /** Added to every printed offset. Default 0. */
  readonly base?: number
  readonly meanings?: Meanings<Value>
}

/** What a value means, for fields where the meaning in the table is not enough. */
export type Meanings<Value> = { readonly [Field in keyof Value]?: (value: Value[Field]) => string }

/** The fields in table order. Throws `LayoutError` when `bytes` is too short. */
export function annotateFields<Value>(
  layout: Layout<Value>,
  bytes: Uint8Array,
  options: AnnotateOptions<Value>,
): AnnotatedField[] {
  const { at = 0, base = 0 } = options
  const value = layout.decode(bytes, options.order, at)
  return layout.rows.map(([field, offset, scalar, name, meaning]) => ({
    offset: base + at + offset,
    bytes: bytes.subarray(at + offset, at + offset + scalar.size),
    name,
    value: scalar.print(value[field]),
    meaning: options.meanings?.[field]?.(value[field]) ?? meaning,
  }))
}

/** One line a field, in columns: `0008  00000028  offset_first_dump_section  0x00000028  meaning`. */
export function printFields(fields: readonly AnnotatedField[]): string[] {
  const rows = fields.map((field) => [
    field.offset.toString(16).padStart(4, '0'),
    printBytes(field.bytes),
    field.name,
    field.value,
    field.meaning,
  ])
  const widths = [0, 1, 2, 3].map((column) =>
    Math.min(columnMax, Math.max(0, ...rows.map((row) => row[column]?.length ?? 0))),
  )
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

export function annotate<Value>(
  layout: Layout<Value>,
  bytes: Uint8Array,
  options: AnnotateOptions<Value>,
): string[] {
  return printFields(annotateFields(layout, bytes, options))
}

/** The most bytes of one field that are printed. */
const printedBytesMax = 16
/** A cell that is longer pushes the rest of its line, not that of all lines. */
const columnMax = 44

function printBytes(bytes: Uint8Array): string {
  const shown = toHex(bytes.subarray(0, printedBytesMax))
  return bytes.byteLength > printedBytesMax ? `${shown}…` : shown
}
