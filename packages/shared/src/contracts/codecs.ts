/** JSON forms of wire values: addresses as `0x…` strings, byte counts as integers, bytes as base64. */
import { z } from 'zod'
import {
  byteLength,
  fromBase64,
  hex,
  realAddress,
  toBase64,
  type ByteLength,
  type RealAddress,
} from '../units/index.ts'

const hexText = z
  .string()
  .regex(/^0x[0-9a-f]{1,16}$/, 'must be 0x followed by 1 to 16 lower-case hexadecimal digits')

/** A 64-bit value as `0x…`. */
export const hexU64 = z.codec(hexText, z.bigint(), {
  decode: BigInt,
  encode: (value) => hex(value),
})

/** An address in partition memory as `0x…`. */
export const hexAddress = z.codec(hexText, z.custom<RealAddress>(isBigint), {
  decode: (text) => realAddress(BigInt(text)),
  encode: (value) => hex(value),
})

/** A number of bytes as a JSON integer (exact up to 2⁵³−1, which is 8 PiB). */
export const byteCount = z.codec(z.int().min(0), z.custom<ByteLength>(isBigint), {
  decode: (value) => byteLength(value),
  encode: (value) => Number(value),
})

/** Bytes as base64. */
export const base64Bytes = z.codec(z.base64(), z.custom<Uint8Array>(isBytes), {
  decode: fromBase64,
  encode: toBase64,
})

function isBigint(value: unknown): boolean {
  return typeof value === 'bigint'
}

function isBytes(value: unknown): boolean {
  return value instanceof Uint8Array
}
