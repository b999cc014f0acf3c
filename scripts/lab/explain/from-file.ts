/** The structure in a file: the whole file is the structure, but for a vmcore, of which only the headers are read. */
import { open, type FileHandle } from 'node:fs/promises'
import { structureBytesMax } from '@fadump-lab/shared/contracts'
import {
  explain,
  explainCore,
  type CoreRange,
  type Explanation,
  type ExplainOptions,
  type StructureKind,
} from '@fadump-lab/shared/explain'
import { concat } from '@fadump-lab/shared/units'
import { DataError, NoInputError } from './errors.ts'
import { readCore } from './read-core.ts'

/** Errors: `NoInputError`, `DataError` for a file that is too large. */
export async function explainFile(
  kind: StructureKind,
  path: string,
  options: ExplainOptions,
): Promise<Explanation> {
  await using file = await orNoInput(path, () => open(path))
  if (kind === 'elf') {
    const read = (range: CoreRange) => orNoInput(path, () => readRange(file, range))
    return explainCore(await readCore(read), options)
  }
  const bytes = await orNoInput(path, () => readStart(file, structureBytesMax + 1))
  if (bytes.byteLength <= structureBytesMax) return explain(kind, bytes, options)
  throw new DataError(
    `${path} has more than ${structureBytesMax} bytes, the most that are read as ${kind}`,
  )
}

async function orNoInput<Value>(path: string, task: () => Promise<Value>): Promise<Value> {
  try {
    return await task()
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new NoInputError(
      `${path} cannot be read (${why}); for a partition give --api URL, which ./lab up prints`,
    )
  }
}

/** At the end of the file fewer bytes. */
async function readRange(file: FileHandle, { offset, length }: CoreRange): Promise<Uint8Array> {
  const { size } = await file.stat()
  const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)))
  let done = 0
  while (done < bytes.byteLength) {
    const { bytesRead } = await file.read(bytes, done, bytes.byteLength - done, offset + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return bytes.subarray(0, done)
}

const chunkBytes = 64 * 1024

/** From the start to the end, but not beyond `bytesMax`; of pipes and files that state no size as well. */
async function readStart(file: FileHandle, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for (let done = 0; done < bytesMax;) {
    const { bytesRead, buffer } = await file.read(new Uint8Array(chunkBytes), 0, chunkBytes, null)
    if (bytesRead === 0) break
    chunks.push(buffer.subarray(0, bytesRead))
    done += bytesRead
  }
  return concat(chunks)
}
