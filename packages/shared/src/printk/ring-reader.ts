/** Reads a record ring from memory: its state for the next append, and its records. */
import type { ByteOrder } from '../layout/index.ts'
import { concat, hex, realAddress, toAscii, type RealAddress } from '../units/index.ts'
import {
  LogFormatError,
  type ReadMemory,
  type RecordRingState,
  type StoredLine,
  type TextBlock,
} from './kernel-log.ts'
import {
  descriptorLayout,
  descriptorState,
  idMask,
  infoLayout,
  levelOf,
  ringLayout,
  type Descriptor,
} from './ring-layout.ts'
import { physicalAddress } from './symbols.ts'
import { readAll } from './text.ts'

/** No kernel configures more: 32768 descriptors, 4 MiB of text. */
const countBitsMax = 17
const sizeBitsMax = 22

/** The state of the ring at `ring`. Throws `LogFormatError` when its numbers cannot be those of a ring. */
export async function readRing(
  ring: RealAddress,
  order: ByteOrder,
  read: ReadMemory,
): Promise<RecordRingState> {
  const header = ringLayout.decode(await read(ring, ringLayout.size), order)
  const { countBits, sizeBits, headId, tailId, headLpos, tailLpos } = header
  const isSane =
    countBits > 0 &&
    countBits <= countBitsMax &&
    sizeBits > 3 &&
    sizeBits <= sizeBitsMax &&
    ((headId - tailId) & idMask) < 1n << BigInt(countBits) &&
    BigInt.asUintN(64, headLpos - tailLpos) <= 1n << BigInt(sizeBits)
  if (!isSane) {
    const value = `count_bits ${countBits}, size_bits ${sizeBits}, ids ${hex(tailId)} to ${hex(headId)}`
    throw new LogFormatError(`no record ring at ${hex(ring)}: ${value}`)
  }
  const places = {
    log: 'record-ring',
    order,
    ring,
    descriptors: physicalAddress(header.descriptors),
    infos: physicalAddress(header.infos),
    text: physicalAddress(header.text),
  } as const
  const state = { ...places, countBits, sizeBits, headId, tailId, headLpos, tailLpos, blocks: [] }
  return { ...state, blocks: blocksOf(state, await readDescriptors(state, read)) }
}

/** The records that still have their text, oldest first. */
export async function readRecords(state: RecordRingState, read: ReadMemory): Promise<StoredLine[]> {
  const descriptors = await readDescriptors(state, read)
  const infos = await readAll(read, state.infos, infoLayout.size * 2 ** state.countBits)
  const text = await readAll(read, state.text, 2 ** state.sizeBits)
  return descriptors.map(({ id, begin, next }) => {
    const info = infoLayout.decode(infos, state.order, slotOf(state, id) * infoLayout.size)
    return {
      sequence: info.sequence,
      timestampNs: info.timestampNs,
      level: levelOf(info.flagsAndLevel, state.order),
      callerId: info.callerId,
      text: toAscii(textOf(text, { id, begin, next }, info.textLength)),
    }
  })
}

/** Descriptors of readable records, from tail to head: the walk of every dump tool. */
async function readDescriptors(state: RecordRingState, read: ReadMemory): Promise<TextBlock[]> {
  const found: TextBlock[] = []
  const count = Number((state.headId - state.tailId) & idMask) + 1
  const bytes = await readSlots(state, count, read)
  for (let step = 0; step < count; step += 1) {
    const id = (state.tailId + BigInt(step)) & idMask
    const descriptor = descriptorLayout.decode(bytes, state.order, step * descriptorLayout.size)
    if (isReadable(descriptor, id))
      found.push({ id, begin: descriptor.begin, next: descriptor.next })
  }
  return found
}

/** The descriptors of `count` records from the tail on, which may go on at the begin of the array. */
async function readSlots(
  state: RecordRingState,
  count: number,
  read: ReadMemory,
): Promise<Uint8Array> {
  const { size } = descriptorLayout
  const first = slotOf(state, state.tailId)
  const straight = Math.min(count, 2 ** state.countBits - first)
  const place = realAddress(state.descriptors + BigInt(first * size))
  const parts = [await readAll(read, place, straight * size)]
  if (straight < count) {
    parts.push(await readAll(read, state.descriptors, (count - straight) * size))
  }
  return concat(parts)
}

function isReadable({ stateVar }: Descriptor, id: bigint): boolean {
  const state = stateVar >> 62n
  const isWritten = state === descriptorState.committed || state === descriptorState.finalized
  return isWritten && (stateVar & idMask) === id
}

/** The blocks must follow one another from tail to head; a gap means that memory was overwritten. */
function blocksOf(state: RecordRingState, descriptors: readonly TextBlock[]): TextBlock[] {
  const blocks = descriptors.filter((block) => !isDataless(block))
  let lpos = state.tailLpos
  for (const block of blocks) {
    if (block.begin !== lpos) {
      throw new LogFormatError(`text block at ${hex(block.begin)} where ${hex(lpos)} was expected`)
    }
    lpos = block.next
  }
  if (lpos !== state.headLpos) {
    throw new LogFormatError(`text ends at ${hex(lpos)} instead of ${hex(state.headLpos)}`)
  }
  return blocks
}

/** `LPOS_DATALESS`: odd positions. */
function isDataless({ begin, next }: TextBlock): boolean {
  return (begin & 1n) === 1n && (next & 1n) === 1n
}

function textOf(ring: Uint8Array, block: TextBlock, length: number): Uint8Array {
  if (isDataless(block)) return new Uint8Array(0)
  const mask = BigInt(ring.byteLength - 1)
  const begin = Number(block.begin & mask)
  const end = Number(block.next & mask)
  const start = begin > end ? 8 : begin + 8
  return ring.subarray(start, Math.min(start + length, Math.max(end, start)))
}

function slotOf(state: RecordRingState, id: bigint): number {
  return Number(id & ((1n << BigInt(state.countBits)) - 1n))
}
