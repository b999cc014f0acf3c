/** The flattened stream of one request as pieces of the file, with every way it can end told apart. */
import { CoreFormatError, FlattenedDecoder, type FlattenedPiece } from '@fadump-lab/shared/elf'
import { StreamRefusedError } from './coverage.ts'

/** The connection broke, fell silent, or the stream ended without its end marker: ask again. */
export class StreamCutError extends Error {
  override readonly name = 'StreamCutError'
}

/** Headers and empty records that may come between two bytes of the file. */
export const overheadBytesMax = 1024 * 1024

/**
 * Pieces in the order of the stream; returns after the end marker. Errors: `StreamCutError`, `StreamRefusedError`;
 * the reason of `signal` when that has aborted.
 */
export async function* streamPieces(
  source: AsyncIterable<Uint8Array>,
  options: { readonly sizeBytes: bigint; readonly signal: AbortSignal },
): AsyncGenerator<FlattenedPiece> {
  const decoder = new FlattenedDecoder({ fileBytesMax: options.sizeBytes })
  let overhead = 0
  for await (const chunk of untilCut(source, options.signal)) {
    overhead += chunk.byteLength
    for (const piece of refusing(decoder.push(chunk))) {
      overhead = 0
      yield piece
    }
    if (decoder.ended) return
    if (overhead > overheadBytesMax) {
      throw new StreamRefusedError(
        `more than ${overheadBytesMax} bytes came that belong to no data`,
      )
    }
  }
  throw new StreamCutError('the stream ended without its end marker')
}

async function* untilCut(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    yield* source
  } catch (cause) {
    signal.throwIfAborted()
    throw new StreamCutError('the connection broke', { cause })
  }
}

function* refusing(pieces: Iterable<FlattenedPiece>): Generator<FlattenedPiece> {
  try {
    yield* pieces
  } catch (cause) {
    if (cause instanceof CoreFormatError) {
      throw new StreamRefusedError('the stream breaks its format', { cause })
    }
    throw cause
  }
}
