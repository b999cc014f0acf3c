/** One byte range of RFC 9110 §14: what `Range: bytes=…` asks of a resource of known size. */
import { Problem } from '../contracts/index.ts'

/** Half-open byte positions. */
export interface ByteRange {
  readonly start: bigint
  readonly end: bigint
}

/**
 * The asked range, or `undefined` when the whole resource is meant (no header, another unit, several ranges:
 * RFC 9110 lets a server ignore those). Refuses a range that lies outside with `range-not-satisfiable`.
 */
export function parseRange(header: string | undefined, size: bigint): ByteRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '')
  const [, first = '', last = ''] = match ?? []
  if (first === '' && last === '') return undefined
  const range = first === '' ? suffix(BigInt(last), size) : between(BigInt(first), last, size)
  if (range.start < range.end) return range
  throw new Problem(
    'range-not-satisfiable',
    `bytes ${first}-${last} of a resource of ${size} bytes`,
    { extensions: { size: size.toString() } },
  )
}

/** The last `length` bytes. */
function suffix(length: bigint, size: bigint): ByteRange {
  return { start: length < size ? size - length : 0n, end: size }
}

/** From `start` to the byte `last`, both included; to the end when `last` is empty or beyond it. */
function between(start: bigint, last: string, size: bigint): ByteRange {
  const end = last === '' ? size : BigInt(last) + 1n
  return { start, end: end < size ? end : size }
}

/** `bytes 0-99/1000`. */
export function contentRange(range: ByteRange, size: bigint): string {
  return `bytes ${range.start}-${range.end - 1n}/${size}`
}
