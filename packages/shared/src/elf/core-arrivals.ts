/** How a core arrives in tests: in pieces, in the order of the file or in any. */
import { TestMemory } from './core-builder.ts'
import { CoreStreamReader, type CoreContents, type CoreReaderOptions } from './core-reader.ts'
import type { ProgramHeader } from './program-header.ts'

export interface Arrival {
  readonly offset: bigint
  readonly chunk: Uint8Array
}

/** Reads what arrives, into `memory`. */
export function read(
  arrivals: Iterable<Arrival>,
  options: CoreReaderOptions,
): { contents: CoreContents; memory: TestMemory } {
  const memory = new TestMemory()
  const reader = new CoreStreamReader(options)
  for (const { offset, chunk } of arrivals) memory.apply([...reader.push(offset, chunk)])
  return { contents: reader.end(), memory }
}

export const inOrder = { arrival: 'file-order' } as const
export const anyOrder = { arrival: 'any-order' } as const

export function* chunks(file: Uint8Array, size: number): Generator<Arrival> {
  for (let at = 0; at < file.byteLength; at += size) {
    yield { offset: BigInt(at), chunk: file.subarray(at, at + size) }
  }
}

export const readFile = (file: Uint8Array): { contents: CoreContents; memory: TestMemory } =>
  read(chunks(file, 1000), inOrder)

export const changeHeaderAt =
  (index: number, change: Partial<ProgramHeader>) =>
  (headers: readonly ProgramHeader[]): readonly ProgramHeader[] =>
    headers.map((header, at) => (at === index ? { ...header, ...change } : header))
