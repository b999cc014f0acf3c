/** Reads and writes that are done only when all of it is done: the system calls may stop anywhere. */
import type { FileHandle } from 'node:fs/promises'
import { asBuffer, concat } from '@fadump-lab/shared/units'

/** writev(2) may write less than asked, for example just before the disk is full; the rest then tells the error. */
export async function writeAll(
  handle: Pick<FileHandle, 'writev' | 'write'>,
  parts: readonly Uint8Array[],
  position: number,
): Promise<void> {
  const total = parts.reduce((sum, part) => sum + part.byteLength, 0)
  const { bytesWritten } = await handle.writev(parts.map(asBuffer), position)
  if (bytesWritten === total) return
  const rest = concat(parts).subarray(bytesWritten)
  for (let done = 0; done < rest.byteLength;) {
    const left = rest.byteLength - done
    done += (await handle.write(rest, done, left, position + bytesWritten + done)).bytesWritten
  }
}

/** Fills `target` as far as the file goes; returns the bytes read. */
export async function readFully(
  handle: Pick<FileHandle, 'read'>,
  target: Uint8Array,
  position: number,
): Promise<number> {
  let done = 0
  while (done < target.byteLength) {
    const left = target.byteLength - done
    const { bytesRead } = await handle.read(target, done, left, position + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return done
}
