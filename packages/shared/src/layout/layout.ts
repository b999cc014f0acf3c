/**
 * Wire structures as tables: one row per field with the offset written out as in the specification.
 * `layout` checks at import that the rows are contiguous and fill the declared size, so padding must be an
 * explicit row. Value types are inferred from the rows.
 */
import { invariant, viewOf } from '../units/index.ts'
import type { ByteOrder, Scalar } from './scalars.ts'

/** `[camelCase field, offset, scalar, the field's name in the source, what it means]` */
export type Row<Name extends string = string, Value = never> = readonly [
  name: Name,
  offset: number,
  scalar: Scalar<Value>,
  originalName: string,
  meaning: string,
]

/** A scalar whatever its value type: what every `Scalar<Value>` can be assigned to. */
type AnyScalar = Pick<Scalar<unknown>, 'name' | 'size' | 'read'> &
  Pick<Scalar<never>, 'write' | 'print'>
type AnyRow = readonly [string, number, AnyScalar, string, string]

/** The value of a structure: one property per row. */
export type ValueOf<Rows extends readonly AnyRow[]> = {
  -readonly [R in Rows[number] as R[0]]: R[2] extends Scalar<infer Value> ? Value : never
}

export interface Layout<Value> {
  /** The structure's name in the kernel or in PAPR. */
  readonly name: string
  /** Bytes. */
  readonly size: number
  readonly rows: readonly Row<Extract<keyof Value, string>, unknown>[]
  /** Throws `LayoutError` when fewer than `size` bytes are left at `offset`. */
  decode(bytes: Uint8Array, order: ByteOrder, offset?: number): Value
  /** Throws `LayoutError` naming the field whose value does not fit. */
  encode(value: Value, order: ByteOrder): Uint8Array
  offsetOf(field: Extract<keyof Value, string>): number
}

export class LayoutError extends Error {
  override readonly name = 'LayoutError'
}

export function layout<const Rows extends readonly AnyRow[]>(
  name: string,
  size: number,
  rows: Rows,
): Layout<ValueOf<Rows>> {
  const fields = rows as unknown as readonly Row<string, unknown>[]
  checkRows(name, size, fields)
  const decode = (bytes: Uint8Array, order: ByteOrder, offset = 0): ValueOf<Rows> => {
    if (offset < 0 || bytes.byteLength - offset < size) {
      const have = Math.max(0, bytes.byteLength - offset)
      throw new LayoutError(`${name}@${offset}: need ${size} bytes, have ${have}`)
    }
    const view = viewOf(bytes)
    const value: Record<string, unknown> = {}
    for (const [field, at, scalar] of fields) {
      value[field] = scalar.read({ view, offset: offset + at, order })
    }
    return value as ValueOf<Rows>
  }
  const encode = (value: ValueOf<Rows>, order: ByteOrder): Uint8Array => {
    const bytes = new Uint8Array(size)
    const view = viewOf(bytes)
    for (const [field, at, scalar] of fields) {
      try {
        scalar.write({ view, offset: at, order }, (value as Record<string, unknown>)[field])
      } catch (cause) {
        throw new LayoutError(`${name}.${field} cannot be encoded`, { cause })
      }
    }
    return bytes
  }
  const offsetOf = (field: string): number => {
    const row = fields.find(([candidate]) => candidate === field)
    invariant(row !== undefined, `${name} has no field ${field}`)
    return row[1]
  }
  return { name, size, rows: fields as Layout<ValueOf<Rows>>['rows'], decode, encode, offsetOf }
}

function checkRows(name: string, size: number, rows: readonly Row<string, unknown>[]): void {
  let end = 0
  for (const [field, offset, scalar] of rows) {
    invariant(
      offset === end,
      `${name}.${field} is at ${offset}, the field before it ends at ${end}`,
    )
    end = offset + scalar.size
  }
  invariant(end === size, `${name} fields end at ${end}, its size is ${size}`)
  invariant(new Set(rows.map(([field]) => field)).size === rows.length, `${name} repeats a field`)
}
