/** Property values: big-endian 32-bit cells, 64-bit pairs of cells, NUL-terminated text and lists of it. */
import { u32, u64 } from '../layout/index.ts'
import { concat, fromAscii, toAscii, viewOf } from '../units/index.ts'
import { DeviceTreeError } from './format.ts'

/** A property whose presence is its value. */
export const emptyProperty: Uint8Array = new Uint8Array(0)

/** 32-bit cells. Throws `RangeError` when a value does not fit. */
export function fromCells(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length)
  const view = viewOf(bytes)
  values.forEach((value, index) => u32.write({ view, offset: 4 * index, order: 'big' }, value))
  return bytes
}

/** 64-bit values, each as two cells. Throws `RangeError` when a value does not fit. */
export function fromCells64(...values: readonly bigint[]): Uint8Array {
  const bytes = new Uint8Array(8 * values.length)
  const view = viewOf(bytes)
  values.forEach((value, index) => u64.write({ view, offset: 8 * index, order: 'big' }, value))
  return bytes
}

/** Text with its NUL. Throws `DeviceTreeError` when the text itself holds a NUL or is not Latin-1. */
export function fromText(text: string): Uint8Array {
  if (text.includes('\0') || !isLatin1(text)) {
    throw new DeviceTreeError(
      `${JSON.stringify(text)} cannot be a text property: NUL or not Latin-1`,
    )
  }
  return fromAscii(`${text}\0`)
}

/** A string list: texts one after the other, each with its NUL. */
export function fromTextList(texts: readonly string[]): Uint8Array {
  return concat(texts.map(fromText))
}

/** Throws `DeviceTreeError` unless the value is whole 32-bit cells. */
export function toCells(value: Uint8Array): number[] {
  requireMultiple(value, 4)
  const view = viewOf(value)
  return Array.from({ length: value.byteLength / 4 }, (_, index) =>
    u32.read({ view, offset: 4 * index, order: 'big' }),
  )
}

/** Throws `DeviceTreeError` unless the value is whole 64-bit pairs of cells. */
export function toCells64(value: Uint8Array): bigint[] {
  requireMultiple(value, 8)
  const view = viewOf(value)
  return Array.from({ length: value.byteLength / 8 }, (_, index) =>
    u64.read({ view, offset: 8 * index, order: 'big' }),
  )
}

/** The text up to its NUL. Throws `DeviceTreeError` when there is not exactly one NUL, at the end. */
export function toText(value: Uint8Array): string {
  const [text, ...more] = toTextList(value)
  if (text === undefined || more.length > 0) {
    throw new DeviceTreeError(`a text property holds one text, this value holds ${1 + more.length}`)
  }
  return text
}

/** The texts of a string list. Throws `DeviceTreeError` when the last one has no NUL. */
export function toTextList(value: Uint8Array): string[] {
  if (value.byteLength === 0) return []
  if (value.at(-1) !== 0) throw new DeviceTreeError('a text property must end with NUL')
  return toAscii(value.subarray(0, -1)).split('\0')
}

function requireMultiple(value: Uint8Array, cellBytes: number): void {
  if (value.byteLength % cellBytes !== 0) {
    throw new DeviceTreeError(
      `a property of ${value.byteLength} bytes is not made of ${cellBytes}-byte values`,
    )
  }
}

function isLatin1(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) > 0xff) return false
  }
  return true
}
