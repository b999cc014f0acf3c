/**
 * From a stream of bytes to a memory image: whatever the size of the vmcore, one window of memory, its headers and its
 * notes are all that is held.
 */
import {
  flattenedMedia,
  imageSpace,
  Problem,
  type KernelProfileName,
} from '@fadump-lab/shared/contracts'
import {
  CoreFormatError,
  CoreStreamReader,
  FlattenedDecoder,
  type CoreContents,
  type CoreOutline,
} from '@fadump-lab/shared/elf'
import type { Epoch, MemoryStore, SpaceId } from '@fadump-lab/shared/store'
import type { ByteLength } from '@fadump-lab/shared/units'
import { byteOrderOfProfile } from '../partition/new-partition.ts'
import { checkedMemoryBytes, describeCore } from './describe-core.ts'
import type { ReadyImage } from './image-record.ts'
import { MemoryWriter } from './memory-writer.ts'
import { NoteSearch } from './note-search.ts'

export interface ImportRequest {
  readonly id: string
  readonly frame: string
  /** Refuse a core of the other byte order. */
  readonly profile?: KernelProfileName | undefined
  /** Whether the body is a makedumpfile-flattened stream. */
  readonly isFlattened: boolean
  readonly body: AsyncIterable<Uint8Array>
}

export function isFlattenedMedia(contentType: string | undefined): boolean {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase() === flattenedMedia
}

/** How an import gets its place in the store: called once, when the headers tell how much memory there is. */
export type MakeSpace = (space: SpaceId, memoryBytes: ByteLength) => Promise<Epoch>

/** Reads the whole body. Errors: `invalid-image` naming the rule that is broken; whatever `makeSpace` throws. */
export async function importCore(
  store: MemoryStore,
  request: ImportRequest,
  makeSpace: MakeSpace,
): Promise<ReadyImage> {
  const space = imageSpace(request.frame, request.id)
  const search = new NoteSearch()
  const place = async (outline: CoreOutline) =>
    new MemoryWriter({
      store,
      space,
      epoch: await makeSpace(space, checkedMemoryBytes(outline)),
      inspect: (address, bytes) => search.look(address, bytes),
      skipZeros: !request.isFlattened,
    })
  try {
    const contents = await readCore(request, place)
    return await describeCore(contents, { id: request.id, space, store, search })
  } catch (error) {
    if (!(error instanceof CoreFormatError)) throw error
    throw new Problem('invalid-image', error.message, {
      extensions: { rule: error.rule, value: error.value },
      cause: error,
    })
  }
}

async function readCore(
  { body, isFlattened, profile }: ImportRequest,
  place: (outline: CoreOutline) => Promise<MemoryWriter>,
): Promise<CoreContents> {
  const reader = new CoreStreamReader({
    arrival: isFlattened ? 'any-order' : 'file-order',
    ...(profile === undefined ? {} : { expectedOrder: byteOrderOfProfile(profile) }),
  })
  let writer: MemoryWriter | undefined
  for await (const { offset, chunk } of isFlattened ? flattenedPieces(body) : inFileOrder(body)) {
    for (const { address, bytes } of reader.push(offset, chunk)) {
      writer ??= await place(outlineOf(reader))
      await writer.put(address, bytes)
    }
  }
  const contents = reader.end()
  writer ??= await place(contents)
  await writer.flush()
  return contents
}

interface FilePiece {
  readonly offset: bigint
  readonly chunk: Uint8Array
}

async function* inFileOrder(body: AsyncIterable<Uint8Array>): AsyncGenerator<FilePiece> {
  let offset = 0n
  for await (const chunk of body) {
    yield { offset, chunk }
    offset += BigInt(chunk.byteLength)
  }
}

async function* flattenedPieces(body: AsyncIterable<Uint8Array>): AsyncGenerator<FilePiece> {
  const decoder = new FlattenedDecoder()
  for await (const chunk of body) yield* decoder.push(chunk)
  decoder.end()
}

/** Memory comes out of a reader only after its headers. */
function outlineOf(reader: CoreStreamReader): CoreOutline {
  const { outline } = reader
  if (outline === undefined) throw new CoreFormatError('truncated', 'memory before the headers')
  return outline
}
