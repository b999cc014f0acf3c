/** How a record gets its descriptor and its room for text in a record ring, and what has to go for it. Pure. */
import { alignUp } from '../units/index.ts'
import type { RecordRingState, TextBlock } from './kernel-log.ts'
import { emptyLineLpos, idMask } from './ring-layout.ts'

export interface Reservation {
  readonly state: RecordRingState
  /** Descriptors that became reusable. */
  readonly reused: readonly bigint[]
}

/** `desc_reserve`: the next id; when its slot is the tail's, the tail and all text up to its text go. */
export function reserveDescriptor(before: RecordRingState): Reservation & { readonly id: bigint } {
  const id = (before.headId + 1n) & idMask
  const count = 1n << BigInt(before.countBits)
  if (((id - count) & idMask) !== before.tailId) {
    return { state: { ...before, headId: id }, id, reused: [] }
  }
  const tail = before.blocks.findIndex((block) => block.id === before.tailId)
  const pushed = dropBlocks(before, tail + 1)
  const tailId = (before.tailId + 1n) & idMask
  return {
    state: { ...pushed.state, headId: id, tailId },
    id,
    reused: [...pushed.reused, before.tailId],
  }
}

/** `data_alloc`: a block for `length` bytes; the oldest blocks make room. */
export function allocateText(
  before: RecordRingState,
  id: bigint,
  length: number,
): Reservation & { readonly block: TextBlock } {
  if (length === 0) {
    return { state: before, reused: [], block: { id, begin: emptyLineLpos, next: emptyLineLpos } }
  }
  const begin = before.headLpos
  const next = nextLpos(begin, alignUp(BigInt(length) + 8n, 8n), before.sizeBits)
  const ringBytes = 1n << BigInt(before.sizeBits)
  const fits = (tailLpos: bigint): boolean => BigInt.asUintN(64, next - tailLpos) <= ringBytes
  const inTheWay = fits(before.tailLpos)
    ? 0
    : before.blocks.findIndex((block) => fits(block.next)) + 1
  const { state, reused } = dropBlocks(before, inTheWay)
  const block = { id, begin, next }
  return { state: { ...state, headLpos: next, blocks: [...state.blocks, block] }, reused, block }
}

/** `get_next_lpos`. */
function nextLpos(begin: bigint, size: bigint, sizeBits: number): bigint {
  const end = BigInt.asUintN(64, begin + size)
  const wraps = (lpos: bigint): bigint => lpos >> BigInt(sizeBits)
  if (wraps(begin) === wraps(end)) return end
  return BigInt.asUintN(64, (wraps(end) << BigInt(sizeBits)) + size)
}

/** `data_push_tail` over the `count` oldest blocks. */
function dropBlocks(state: RecordRingState, count: number): Reservation {
  const dropped = state.blocks.slice(0, count)
  const last = dropped.at(-1)
  if (last === undefined) return { state, reused: [] }
  return {
    state: { ...state, tailLpos: last.next, blocks: state.blocks.slice(count) },
    reused: dropped.map((block) => block.id),
  }
}

/**
 * A block takes less than half of the ring. Of exactly half it could wrap so that `begin` and `next` have the same index,
 * which dump tools take for a record without text.
 */
export function textBytesMax({ sizeBits }: RecordRingState): number {
  return 2 ** (sizeBits - 1) - 16
}

/** The first record has sequence 0. */
export function sequenceOf(state: RecordRingState, id: bigint): bigint {
  return (id - firstId(state.countBits) - 1n) & idMask
}

/** `DESC0_ID`. */
export function firstId(countBits: number): bigint {
  return -((1n << BigInt(countBits)) + 1n) & idMask
}
