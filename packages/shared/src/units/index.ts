/** Leaf room: addresses, ranges, bytes, state machines. Imports nothing from the project. */
export type { Tagged } from './brand.ts'
export { invariant, InvariantError, unreachable } from './invariant.ts'
export {
  advance,
  alignDown,
  alignUp,
  byteLength,
  describeLength,
  GiB,
  hex,
  isAligned,
  KiB,
  MiB,
  realAddress,
  TiB,
  toHostLength,
  type ByteLength,
  type RealAddress,
} from './address.ts'
export {
  coalesce,
  contains,
  intersect,
  isEmpty,
  memoryRange,
  overlaps,
  rangeLength,
  rangeOf,
  subtract,
  type MemoryRange,
} from './range.ts'
export {
  asBuffer,
  compareBytes,
  concat,
  equalBytes,
  fromAscii,
  fromBase64,
  fromHex,
  isZero,
  littleEndianBytes,
  toAscii,
  toBase64,
  toHex,
  viewOf,
} from './bytes.ts'
export { machine, type EventOf, type Machine } from './machine.ts'
