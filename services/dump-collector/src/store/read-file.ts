/** A part of a file as a stream of bounded pieces. */
import { toHostLength } from '@fadump-lab/shared/units'
import type { Files } from './files.ts'

/** Read at once for a download. */
export const downloadPieceBytesMax = 256 * 1024

/** The file is open from the first piece to the last, so a deletion meanwhile does not cut the download. */
export async function* readFileRange(
  files: Files,
  path: string,
  range: { readonly start: bigint; readonly end: bigint },
): AsyncGenerator<Uint8Array> {
  await using file = await files.open(path, 'read')
  for (let offset = range.start; offset < range.end;) {
    const left = range.end - offset
    const length = left < BigInt(downloadPieceBytesMax) ? Number(left) : downloadPieceBytesMax
    const piece = new Uint8Array(length)
    const read = await file.read(piece, toHostLength(offset, Number.MAX_SAFE_INTEGER))
    if (read === 0) throw new Error(`${path} ends at ${offset}, before ${range.end}`)
    yield piece.subarray(0, read)
    offset += BigInt(read)
  }
}
