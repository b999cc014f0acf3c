/** A stream cut where its own format has its seams. Holds one unit at a time. */
import { flattenedHeaderBytes, flattenedRecordLayout } from '../elf/index.ts'
import { concat } from '../units/index.ts'

type Bytes = AsyncIterable<Uint8Array>

/** The longest record that is held as one; what is longer goes on in pieces of this length. */
const unitBytesMax = 16 * 1024 * 1024
const newline = 0x0a

/** Unit 0 is the header of the stream, each further one a record with its bytes; the last is the end mark. */
export async function* flattenedUnits(source: Bytes): AsyncGenerator<Uint8Array> {
  await using reader = new UnitReader(source)
  let wanted = flattenedHeaderBytes
  for (;;) {
    const head = await reader.take(wanted)
    wanted = flattenedRecordLayout.size
    if (head.byteLength !== flattenedHeaderBytes && head.byteLength < wanted) {
      if (head.byteLength > 0) yield head
      return
    }
    yield head.byteLength === flattenedHeaderBytes ? head : await withBytes(head, reader)
  }
}

async function withBytes(head: Uint8Array, reader: UnitReader): Promise<Uint8Array> {
  const { size } = flattenedRecordLayout.decode(head, 'big')
  return size > BigInt(unitBytesMax) ? head : concat([head, await reader.take(Number(size))])
}

/** Lines with their ends. */
export async function* lineUnits(source: Bytes): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array(0)
  for await (const piece of source) {
    rest = concat([rest, piece])
    for (let end = rest.indexOf(newline); end >= 0; end = rest.indexOf(newline)) {
      yield rest.subarray(0, end + 1)
      rest = rest.subarray(end + 1)
    }
  }
  if (rest.byteLength > 0) yield rest
}

class UnitReader implements AsyncDisposable {
  readonly #pieces: AsyncIterator<Uint8Array>
  #rest: Uint8Array = new Uint8Array(0)

  constructor(source: Bytes) {
    this.#pieces = source[Symbol.asyncIterator]()
  }

  /** Whoever reads no more lets go of the source, and of the connection that it comes from. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pieces.return?.()
  }

  /** So many bytes; fewer at the end of the stream only. */
  async take(length: number): Promise<Uint8Array> {
    const parts = [this.#rest]
    let have = this.#rest.byteLength
    while (have < length) {
      const next = await this.#pieces.next()
      if (next.done === true) break
      parts.push(next.value)
      have += next.value.byteLength
    }
    const all = concat(parts)
    this.#rest = all.subarray(length)
    return all.subarray(0, length)
  }
}
