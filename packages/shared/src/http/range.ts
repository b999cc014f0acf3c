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
  if (match === null) return undefined
  const [, first = '', last = ''] = match
  if (first === '' && last === '') return undefined
  const start = first === '' ? maxOf(size - BigInt(last), 0n) : BigInt(first)
  const end = first === '' || last === '' ? size : minOf(BigInt(last) + 1n, size)
  if (start >= end) {
    throw new Problem(
      'range-not-satisfiable',
      `bytes ${first}-${last} of a resource of ${size} bytes`,
      {
        extensions: { size: size.toString() },
      },
    )
  }
  return { start, end }
}

/** `bytes 0-99/1000`. */
export function contentRange(range: ByteRange, size: bigint): string {
  return `bytes ${range.start}-${range.end - 1n}/${size}`
}

function maxOf(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}

function minOf(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
