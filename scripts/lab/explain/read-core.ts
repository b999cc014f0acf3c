/** The headers and notes of a vmcore, and nothing else of it. */
import { nextCoreRange, type CorePiece, type CoreRange } from '@fadump-lab/shared/explain'

/** `read` gives fewer bytes than asked for at the end of the vmcore. */
export async function readCore(
  read: (range: CoreRange) => Promise<Uint8Array>,
): Promise<CorePiece[]> {
  const pieces: CorePiece[] = []
  for (;;) {
    const range = nextCoreRange(pieces)
    if (range === undefined) return pieces
    const bytes = range.length === 0 ? new Uint8Array(0) : await read(range)
    pieces.push({ offset: range.offset, bytes })
  }
}
