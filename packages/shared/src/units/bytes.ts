/** Byte strings. Everything outside deals in `Uint8Array`; `Buffer` appears in this file only. */

/** A view for reading and writing numbers in `bytes`, whatever its place in the underlying buffer. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

/** The bytes that `text` spells; white space is ignored, anything else that is not hexadecimal is refused. */
export function fromHex(text: string): Uint8Array {
  const digits = text.replaceAll(/\s+/g, '')
  if (digits.length % 2 !== 0 || /[^0-9a-fA-F]/.test(digits)) {
    throw new RangeError(`not a hexadecimal byte string: ${JSON.stringify(text.slice(0, 32))}`)
  }
  return new Uint8Array(Buffer.from(digits, 'hex'))
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const total = parts.reduce((sum, part) => sum + part.byteLength, 0)
  const joined = new Uint8Array(total)
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.byteLength
  }
  return joined
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

/** Lexicographic order, as `memcmp`. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b)
}

export function fromAscii(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'))
}

export function toAscii(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

export function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'))
}

/** A `Buffer` over the same memory, for APIs that insist on one. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

const isBigEndianHost = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0

/** The memory of `words`, which is rearranged where this machine does not keep the low byte of a word first. */
export function littleEndianBytes(words: Uint32Array): Uint8Array {
  const bytes = Buffer.from(words.buffer, words.byteOffset, words.byteLength)
  return isBigEndianHost ? bytes.swap32() : bytes
}

const zeros = Buffer.alloc(64 * 1024)

/** Whether every byte is zero. */
export function isZero(bytes: Uint8Array): boolean {
  for (let offset = 0; offset < bytes.byteLength; offset += zeros.byteLength) {
    const length = Math.min(zeros.byteLength, bytes.byteLength - offset)
    if (zeros.compare(bytes, offset, offset + length, 0, length) !== 0) return false
  }
  return true
}
