/**
 * Addresses and lengths of partition memory.
 *
 * Both are `bigint`: kernel addresses start at 0xc000000000000000, where a `number` has steps of 2048.
 * `toHostLength` is the only door from a wire length to a host `number`.
 */
import type { Tagged } from './brand.ts'
import { invariant } from './invariant.ts'

/** An address in a partition's real (logical) memory: 0 … 2⁶⁴−1. */
export type RealAddress = Tagged<bigint, 'RealAddress'>
/** A number of bytes on the wire: 0 … 2⁶⁴−1. */
export type ByteLength = Tagged<bigint, 'ByteLength'>

const u64Max = 0xffff_ffff_ffff_ffffn

export const KiB = 1024n
export const MiB = 1024n * KiB
export const GiB = 1024n * MiB
export const TiB = 1024n * GiB

/** Brands `value` as an address; anything outside 64 bits is a programmer error. */
export function realAddress(value: bigint | number): RealAddress {
  const address = BigInt(value)
  if (address < 0n || address > u64Max)
    invariant(false, `real address ${address} is outside 64 bits`)
  return address as RealAddress
}

/** Brands `value` as a length; anything outside 64 bits is a programmer error. */
export function byteLength(value: bigint | number): ByteLength {
  const length = BigInt(value)
  if (length < 0n || length > u64Max) invariant(false, `byte length ${length} is outside 64 bits`)
  return length as ByteLength
}

/** `address + length`. */
export function advance(address: RealAddress, length: bigint | number): RealAddress {
  return realAddress(address + BigInt(length))
}

/** `value` rounded up to a multiple of `alignment` (a power of two). */
export function alignUp(value: bigint, alignment: bigint): bigint {
  return (value + alignment - 1n) & ~(alignment - 1n)
}

/** `value` rounded down to a multiple of `alignment` (a power of two). */
export function alignDown(value: bigint, alignment: bigint): bigint {
  return value & ~(alignment - 1n)
}

export function isAligned(value: bigint, alignment: bigint): boolean {
  return (value & (alignment - 1n)) === 0n
}

/** The host `number` for a wire length that must not exceed `max` bytes. */
export function toHostLength(length: bigint, max: number): number {
  invariant(
    length >= 0n && length <= BigInt(max),
    `length ${length} exceeds the bound of ${max} bytes`,
  )
  return Number(length)
}

/** `0x…` in lower case, the form of every address in logs, JSON and errors. */
export function hex(value: bigint | number, digits = 0): string {
  return `0x${value.toString(16).padStart(digits, '0')}`
}

/** `320 MiB`, `1 TiB`, `4097 bytes`: the largest unit that states `length` exactly. */
export function describeLength(length: bigint): string {
  for (const [unit, name] of [
    [TiB, 'TiB'],
    [GiB, 'GiB'],
    [MiB, 'MiB'],
    [KiB, 'KiB'],
  ] as const) {
    if (length >= unit && length % unit === 0n) return `${length / unit} ${name}`
  }
  return `${length} bytes`
}
