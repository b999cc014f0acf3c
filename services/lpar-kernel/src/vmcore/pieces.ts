/** The parts of a vmcore that are not zero, in order: what is sent and kept on disk. */
import { pageSize } from '@fadump-lab/shared/store'
import { isZero, memoryRange } from '@fadump-lab/shared/units'
import type { OpenVmcore } from './open-vmcore.ts'
import { readAhead } from './read-ahead.ts'
import { windowBytesMax, windowsOf, type Window } from './windows.ts'

/** The most bytes of one piece. */
export const pieceBytesMax = windowBytesMax

/** Bytes of the file, at most `pieceBytesMax`, beginning and ending with a granule that is not all zero. */
export interface Piece {
  readonly offset: bigint
  readonly bytes: Uint8Array
}

export interface PieceOptions {
  /** Only bytes in `[from, to)` of the file; pieces are cut there. */
  readonly from?: bigint
  readonly to?: bigint
  /** Windows read ahead. */
  readonly windows: number
}

/** Errors: `errno` EIO as soon as the dump is released, before a byte that was read later is given out. */
export async function* piecesOfVmcore(
  vmcore: OpenVmcore,
  options: PieceOptions,
): AsyncGenerator<Piece, void, void> {
  const from = options.from ?? 0n
  const to = options.to ?? vmcore.plan.size
  const windows = windowsOf(vmcore.plan, vmcore.kernel.memory, memoryRange(from, to))
  const read = async (window: Window) => {
    const bytes = await window.read()
    await vmcore.check()
    return { window, bytes }
  }
  for await (const { window, bytes } of readAhead(windows, read, options.windows)) {
    for (const piece of populatedPieces(window, bytes)) {
      const cut = cutTo(piece, from, to)
      if (cut !== undefined) yield cut
    }
    // A store in this process answers at once: others must have their turn.
    await vmcore.yieldTurn()
  }
}

/** The runs of granules that are not all zero. */
export function* populatedPieces(window: Window, bytes: Uint8Array): Generator<Piece, void, void> {
  if (window.isKept) {
    yield { offset: window.offset, bytes }
    return
  }
  let start: number | undefined
  for (const [from, to] of granulesOf(window, bytes.byteLength)) {
    const isEmpty = isZero(bytes.subarray(from, to))
    if (!isEmpty) start ??= from
    else if (start !== undefined) {
      yield { offset: window.offset + BigInt(start), bytes: bytes.subarray(start, from) }
      start = undefined
    }
  }
  if (start !== undefined) {
    yield { offset: window.offset + BigInt(start), bytes: bytes.subarray(start) }
  }
}

function* granulesOf(window: Window, length: number): Generator<readonly [number, number]> {
  const skipped = Number(window.offset - window.grid)
  for (let from = 0; from < length;) {
    const to = Math.min(length, (Math.floor((from + skipped) / pageSize) + 1) * pageSize - skipped)
    yield [from, to]
    from = to
  }
}

function cutTo(piece: Piece, from: bigint, to: bigint): Piece | undefined {
  const end = piece.offset + BigInt(piece.bytes.byteLength)
  const start = largest(piece.offset, from)
  const stop = end < to ? end : to
  if (start >= stop) return undefined
  if (start === piece.offset && stop === end) return piece
  const bytes = piece.bytes.subarray(Number(start - piece.offset), Number(stop - piece.offset))
  return { offset: start, bytes }
}

function largest(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
