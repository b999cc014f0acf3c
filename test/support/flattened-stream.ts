/** makedumpfile's flattened form, written down a second time: big-endian (offset, size) pairs before the bytes. */

export interface FlattenedRecord {
  readonly offset: bigint
  readonly bytes: Uint8Array
  /** Default: the number of bytes. */
  readonly size?: bigint
}

/** The stream in parts; `end` false leaves out the record that ends it. */
export function* flattenedStream(
  records: readonly FlattenedRecord[],
  { end = true }: { readonly end?: boolean } = {},
): Generator<Uint8Array> {
  const head = new Uint8Array(4096)
  head.set(new TextEncoder().encode('makedumpfile'))
  head.set(numbers(1n, 1n), 16)
  yield head
  for (const { offset, bytes, size = BigInt(bytes.byteLength) } of records) {
    yield numbers(offset, size)
    yield bytes
  }
  if (end) yield numbers(-1n, -1n)
}

/** The stream in one piece. */
export function flattenedBytes(...given: Parameters<typeof flattenedStream>): Uint8Array {
  return Uint8Array.from([...flattenedStream(...given)].flatMap((part) => [...part]))
}

function numbers(...values: readonly bigint[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 * values.length))
  values.forEach((value, index) => view.setBigInt64(8 * index, value))
  return new Uint8Array(view.buffer)
}
