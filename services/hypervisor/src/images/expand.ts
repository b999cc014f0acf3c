/** Decoding a request body as it streams in, with a bound on what comes out. */
import { pipeline, Readable } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { Problem } from '@fadump-lab/shared/contracts'
import { describeLength, type ByteLength } from '@fadump-lab/shared/units'

const decoders = {
  gzip: () => createGunzip(),
  zstd: () => createZstdDecompress(),
} as const

/**
 * The body without its content encoding. Errors while it is read: `invalid-image` for a body that is not so encoded
 * or expands to more than `bytesMax`.
 */
export async function* expand(
  body: AsyncIterable<Uint8Array>,
  given: { readonly encoding: string | undefined; readonly bytesMax: ByteLength },
): AsyncGenerator<Uint8Array, void, void> {
  const encoding = given.encoding ?? 'identity'
  const encoded = withoutDestroying(body)
  const decoded = encoding === 'identity' ? encoded : decode(encoded, encoding)
  let length = 0n
  for await (const chunk of decoded) {
    length += BigInt(chunk.byteLength)
    if (length > given.bytesMax) {
      throw new Problem(
        'invalid-image',
        `the vmcore must have at most ${describeLength(given.bytesMax)}; more has come`,
      )
    }
    yield chunk
  }
}

/** Whatever becomes of the reader: an error thrown into a stream's own iterator would destroy the stream. */
async function* withoutDestroying(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  const chunks: AsyncIterable<Uint8Array> =
    body instanceof Readable ? body.iterator({ destroyOnReturn: false }) : body
  for await (const chunk of chunks) yield chunk
}

/** Errors: `unsupported-media-type` for an encoding without a decoder. */
export function requireEncoding(encoding: string | undefined): void {
  if (encoding === undefined || encoding === 'identity' || Object.hasOwn(decoders, encoding)) return
  throw new Problem(
    'unsupported-media-type',
    `the content encoding ${encoding} is not known; send identity, ${Object.keys(decoders).join(' or ')}`,
  )
}

async function* decode(
  body: AsyncIterable<Uint8Array>,
  encoding: string,
): AsyncGenerator<Uint8Array, void, void> {
  requireEncoding(encoding)
  const decoder = encoding === 'gzip' ? decoders.gzip() : decoders.zstd()
  // The error of either end reaches the loop below through the decoder, which `pipeline` destroys.
  pipeline(Readable.from(body), decoder, () => {})
  try {
    for await (const chunk of decoder) yield chunk as Uint8Array
  } catch (cause) {
    if (cause instanceof Problem || !isDecoderError(cause)) throw cause
    throw new Problem(
      'invalid-image',
      `the body is no whole ${encoding} stream: ${cause.message}`,
      {
        cause,
      },
    )
  }
}

function isDecoderError(error: unknown): error is Error {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string')
    return false
  return error.code.startsWith('Z_') || error.code.startsWith('ZSTD_')
}
