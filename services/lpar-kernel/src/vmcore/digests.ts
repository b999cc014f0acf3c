/**
 * What a manifest vouches for: every part of a vmcore that is not zero, with its digest.
 *
 * The store keeps pages under their SHA-256. Where a page of memory is a granule of the file its digest is looked up and
 * no byte is read, so that a dump is read from memory once, when it is sent. Only what is shifted against the pages of the
 * store (the copy of boot memory of v5, headers, notes) is read and hashed.
 */
import { hash } from 'node:crypto'
import { pageSize } from '@fadump-lab/shared/store'
import { memoryRange } from '@fadump-lab/shared/units'
import type { OpenVmcore } from './open-vmcore.ts'
import { populatedPieces } from './pieces.ts'
import { readAhead } from './read-ahead.ts'
import { windowsOf, type Window } from './windows.ts'

/** Bytes of the file that are not all zero. */
export interface Digest {
  readonly offset: bigint
  readonly length: number
  /** 64 hexadecimal digits. */
  readonly sha256: string
}

/** Ascending. Errors: `errno` EIO as soon as the dump is released. */
export async function* digestsOfVmcore(
  vmcore: OpenVmcore,
  windowsAhead: number,
): AsyncGenerator<Digest, void, void> {
  const { plan, kernel } = vmcore
  const windows = windowsOf(plan, kernel.memory, memoryRange(0n, plan.size))
  const read = async (window: Window) => {
    const { pages } = window
    const digests =
      pages === undefined
        ? hashed(window, await window.read())
        : stated(window, await kernel.memory.digests(pages))
    await vmcore.check()
    return digests
  }
  for await (const digests of readAhead(windows, read, windowsAhead)) {
    yield* digests
    await vmcore.yieldTurn()
  }
}

function hashed(window: Window, bytes: Uint8Array): Digest[] {
  const pieces = [...populatedPieces(window, bytes)]
  return pieces.map((piece) => ({
    offset: piece.offset,
    length: piece.bytes.byteLength,
    sha256: hash('sha256', piece.bytes, 'hex'),
  }))
}

/** A page that is absent is a hole; one that is present is not all zero (`MemoryStore`). */
function stated({ offset }: Window, digests: readonly (string | undefined)[]): Digest[] {
  return digests.flatMap((sha256, index) =>
    sha256 === undefined
      ? []
      : [{ offset: offset + BigInt(index * pageSize), length: pageSize, sha256 }],
  )
}
