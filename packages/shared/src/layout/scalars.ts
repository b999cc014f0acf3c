/**
 * Scalars of wire structures. Writers check the range: `DataView` setters wrap silently
 * (`setUint32(2³² + 7)` stores 7), and a wrapped length in a dump is a lie.
 */
import { hex } from '../units/index.ts'

export type ByteOrder = 'big' | 'little'

/** Where a field lies. */
export interface Place {
  readonly view: DataView
  readonly offset: number
  readonly order: ByteOrder
}

/** A fixed-width field type. */
export interface Scalar<Value> {
  readonly name: string
  readonly size: number
  read(place: Place): Value
  /** Throws `RangeError` when `value` does not fit. */
  write(place: Place, value: Value): void
  /** The value as a person reads it. */
  print(value: Value): string
}

type NumberAccess = Pick<Scalar<number>, 'name' | 'size' | 'read' | 'write'>

function unsigned({ name, size, read, write }: NumberAccess): Scalar<number> {
  const max = 2 ** (8 * size) - 1
  return {
    name,
    size,
    read,
    write: (place, value) => {
      if (!Number.isInteger(value) || value < 0 || value > max) {
        throw new RangeError(`${value} is not a ${name} (0 … ${max})`)
      }
      write(place, value)
    },
    print: (value) => hex(value, 2 * size),
  }
}

export const u8 = unsigned({
  name: 'u8',
  size: 1,
  read: ({ view, offset }) => view.getUint8(offset),
  write: ({ view, offset }, value) => view.setUint8(offset, value),
})
export const u16 = unsigned({
  name: 'u16',
  size: 2,
  read: ({ view, offset, order }) => view.getUint16(offset, order === 'little'),
  write: ({ view, offset, order }, value) => view.setUint16(offset, value, order === 'little'),
})
export const u32 = unsigned({
  name: 'u32',
  size: 4,
  read: ({ view, offset, order }) => view.getUint32(offset, order === 'little'),
  write: ({ view, offset, order }, value) => view.setUint32(offset, value, order === 'little'),
})

const u64Max = 0xffff_ffff_ffff_ffffn

export const u64: Scalar<bigint> = {
  name: 'u64',
  size: 8,
  read: ({ view, offset, order }) => view.getBigUint64(offset, order === 'little'),
  write: ({ view, offset, order }, value) => {
    if (value < 0n || value > u64Max) throw new RangeError(`${value} is not a u64`)
    view.setBigUint64(offset, value, order === 'little')
  },
  print: (value) => hex(value, 16),
}

/** `size` bytes as they are. */
export function bytes(size: number): Scalar<Uint8Array> {
  return {
    name: `bytes(${size})`,
    size,
    read: ({ view, offset }) => new Uint8Array(view.buffer, view.byteOffset + offset, size).slice(),
    write: ({ view, offset }, value) => {
      if (value.byteLength !== size) {
        throw new RangeError(`${value.byteLength} bytes do not fill a field of ${size}`)
      }
      new Uint8Array(view.buffer, view.byteOffset + offset, size).set(value)
    },
    print: (value) => (value.every((byte) => byte === 0) ? '0' : `${size} bytes`),
  }
}
