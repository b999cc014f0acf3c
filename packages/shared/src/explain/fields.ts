/** Fields with their paths, and the checks that every structure begins with. */
import { annotateFields, type AnnotateOptions, type Layout } from '../layout/index.ts'
import { hex, isZero, toHex } from '../units/index.ts'
import { StructureError, type Field } from './explanation.ts'
import { recognise } from './recognise.ts'

/** What a layout's rows say about `bytes`. `path` comes before the names of the fields. */
export function layoutFields<Value>(
  layout: Layout<Value>,
  bytes: Uint8Array,
  options: AnnotateOptions<Value> & { readonly path: string },
): Field[] {
  const { at = 0, base = 0, path } = options
  requireBytes(bytes, { at, base, size: layout.size, what: layout.name })
  return annotateFields(layout, bytes, options).map((field, index) => ({
    ...field,
    path: `${path}${isWord(field.name) ? field.name : (layout.rows[index]?.[0] ?? '')}`,
    meaning: constantText(field) ?? field.meaning,
  }))
}

/** Where a table says no more than the value that must stand there. */
function constantText({ value, meaning }: Pick<Field, 'value' | 'meaning'>): string | undefined {
  if (!isNumber(meaning)) return undefined
  const isRight = isNumber(value) && BigInt(value) === BigInt(meaning)
  return isRight ? `always ${meaning}` : `${meaning} is expected here`
}

function isWord(name: string): boolean {
  return /^[\w-]*\w$/.test(name)
}

function isNumber(text: string): boolean {
  return /^(?:0x[\da-f]+|\d+)$/.test(text)
}

/** Bytes without a table: padding, data of another kind. */
export function rawField(
  place: Pick<Field, 'offset' | 'bytes' | 'name'> & { readonly path?: string },
  meaning: string,
): Field {
  const { offset, bytes, name, path = name } = place
  const value = isZero(bytes) ? '0' : `${bytes.byteLength} bytes`
  return { offset, bytes, name, path, value, meaning: constantText({ value, meaning }) ?? meaning }
}

/** What is left after a structure: nothing, or one remark. */
export function restRemarks(rest: Uint8Array, offset: number): string[] {
  if (rest.byteLength === 0) return []
  const content = isZero(rest) ? 'all zero' : 'not zero, and no part of the structure'
  return [`${rest.byteLength} bytes from ${hex(offset)} on are left: ${content}`]
}

interface Needed {
  readonly at: number
  /** Added to the offset that is told. */
  readonly base?: number
  readonly size: number
  readonly what: string
}

export function requireBytes(bytes: Uint8Array, { at, base = 0, size, what }: Needed): void {
  const have = Math.max(0, bytes.byteLength - at)
  if (have < size) {
    throw expected(
      base + at,
      `the ${size} bytes of ${what}`,
      have === 0 ? 'nothing' : `${have} bytes`,
    )
  }
}

export interface Magic {
  readonly what: string
  /** Each of them is right. */
  readonly bytes: readonly Uint8Array[]
}

/** The structure must begin with one of the magics; a known other one is named, with what to do about it. */
export function requireMagic(bytes: Uint8Array, magic: Magic): void {
  const [first = new Uint8Array(0)] = magic.bytes
  requireBytes(bytes, { at: 0, size: first.byteLength, what: magic.what })
  const found = toHex(bytes.subarray(0, first.byteLength))
  const right = magic.bytes.map(toHex)
  if (right.includes(found)) return
  const other = recognise(bytes)
  throw expected(
    0,
    `${right.join(' or ')} (${magic.what})`,
    other === undefined ? found : `${found}: ${other}`,
  )
}

/** The error of a place where something else is expected. */
export function expected(offset: number, rule: string, found: string): StructureError {
  return new StructureError(`at offset ${hex(offset)}: expected ${rule}; found ${found}`)
}
