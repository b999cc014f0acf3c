/** Bounded reading of request and reply bodies. */
import { Problem } from '../contracts/index.ts'
import { concat } from '../units/index.ts'

/** A copy of a whole body of at most `maxBytes`; more is refused as soon as it is seen. */
export async function readBounded(
  body: AsyncIterable<Uint8Array> | Uint8Array,
  maxBytes: number,
): Promise<Uint8Array> {
  if (body instanceof Uint8Array) {
    checkLength(body.byteLength, maxBytes)
    return new Uint8Array(body)
  }
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of body) {
    length += part.byteLength
    checkLength(length, maxBytes)
    parts.push(part)
  }
  return concat(parts)
}

function checkLength(length: number, maxBytes: number): void {
  if (length <= maxBytes) return
  throw new Problem('payload-too-large', `the body exceeds the bound of ${maxBytes} bytes`)
}

export function parseJson(bytes: Uint8Array): unknown {
  if (bytes.byteLength === 0) return {}
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new Problem('invalid-request', 'the body is not JSON', { cause })
  }
}
