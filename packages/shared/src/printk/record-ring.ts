/**
 * The log of kernels since 5.10: the lockless record ring (kernel/printk/printk_ringbuffer.c), with one writer.
 *
 * - Descriptors have ids; the slot of an id is `id mod count`. `tail_id … head_id` are in use. The first id sits in the
 *   last slot and never holds a record.
 * - Texts have logical positions. A block that would cross or touch the end of the ring is stored at its start instead;
 *   `begin` stays before the end, `next` lies after the start. So no block ever ends exactly at the ring's end.
 * - A text that makes room for a new one leaves its descriptor *reusable*: tools skip it. `tail_id` moves only when its
 *   slot is needed, as in the kernel.
 */
import { linearMapBase, vmcoreinfo, type VmcoreinfoEntry } from '../elf/index.ts'
import { u64, type ByteOrder } from '../layout/index.ts'
import { advance, concat, hex, invariant, viewOf, type RealAddress } from '../units/index.ts'
import {
  LogFormatError,
  type KernelLog,
  type LogChange,
  type LogLayout,
  type LogLine,
  type LogState,
  type LogWrite,
  type ReadMemory,
  type RecordRingState,
  type TextBlock,
} from './kernel-log.ts'
import {
  allocateText,
  firstId,
  reserveDescriptor,
  sequenceOf,
  textBytesMax,
} from './ring-allocation.ts'
import {
  descriptorLayout,
  descriptorState,
  emptyLineLpos,
  failedLpos,
  flagsAndLevel,
  infoLayout,
  ringLayout,
  ringVmcoreinfo,
} from './ring-layout.ts'
import { readRecords, readRing } from './ring-reader.ts'
import { physicalAddress, symbolAddress } from './symbols.ts'
import { checkLayout, checkLine, lineBytesMax, linesOf } from './text.ts'

export const recordRing: KernelLog = {
  name: 'record-ring',
  bytesNeeded: (layout) => places(layout).bytes,
  vmcoreinfo: exported,
  init,
  append,
  appendLine,
  variables: (state) => ringWrites(ours(state)),
  load,
  attach,
  read: (state, read) => readRecords(ours(state), read),
}

/** `PRB_AVGBITS`: the kernel reckons with 32 bytes of text a record. */
const averageTextBits = 5
/** Offsets of `prb`, `printk_rb_static` and `clear_seq` (a `latched_seq`) from `LogLayout.address` on. */
const variables = { pointer: 0, ring: 8, clearSequence: 96, end: 128 } as const

function places({ bits }: LogLayout): {
  readonly countBits: number
  readonly infos: number
  readonly text: number
  readonly bytes: number
} {
  const countBits = bits - averageTextBits
  const infos = variables.end + descriptorLayout.size * 2 ** countBits
  const text = infos + infoLayout.size * 2 ** countBits
  return { countBits, infos, text, bytes: text + 2 ** bits }
}

function exported({ address }: LogLayout): VmcoreinfoEntry[] {
  const symbol = (name: string, offset: number): VmcoreinfoEntry =>
    vmcoreinfo.symbol(name, linearMapBase + address + BigInt(offset))
  return [
    symbol('prb', variables.pointer),
    symbol('printk_rb_static', variables.ring),
    symbol('clear_seq', variables.clearSequence),
    ...ringVmcoreinfo,
  ]
}

function init(layout: LogLayout): LogChange {
  const state = emptyState(layout)
  const { order } = layout
  const count = 2 ** state.countBits
  const unused = { begin: failedLpos, next: failedLpos }
  const stateVar = (descriptorState.reusable << 62n) | state.headId
  const lastDescriptor = descriptorLayout.encode({ stateVar, ...unused }, order)
  // Bootstrap: the first use of slot 0 adds the count to its sequence, which makes 0.
  const firstSequence = word(BigInt.asUintN(64, -BigInt(count)), order)
  const place = places(layout)
  const bytes = concat([
    word(linearMapBase + state.ring, order),
    encodeRing(state, 0n),
    new Uint8Array(variables.end - variables.clearSequence),
    new Uint8Array(descriptorLayout.size * (count - 1)),
    lastDescriptor,
    firstSequence,
    new Uint8Array(place.bytes - place.infos - firstSequence.byteLength),
  ])
  return { writes: [{ address: layout.address, bytes }], state }
}

function append(before: LogState, line: LogLine): LogChange {
  const { writes, state } = appendLine(before, line)
  return { writes: [...writes, ...ringWrites(ours(state))], state }
}

/** `prb_desc_ring.last_finalized_seq` is that of the newest record. */
function ringWrites(state: RecordRingState): LogWrite[] {
  return [{ address: state.ring, bytes: encodeRing(state, sequenceOf(state, state.headId)) }]
}

function appendLine(state: LogState, line: LogLine): LogChange {
  let now = ours(state)
  checkLine(line)
  const writes: LogWrite[] = []
  for (const text of linesOf(line.text, Math.min(lineBytesMax, textBytesMax(now)))) {
    const change = appendRecord(now, line, text)
    writes.push(...change.writes)
    now = change.state
  }
  return { writes, state: now }
}

/** `struct dev_printk_info`: what a kernel without a device says. */
const noSubsystem = new Uint8Array(16)
const noDevice = new Uint8Array(48)

/** `prb_reserve`, `prb_final_commit`. */
function appendRecord(
  before: RecordRingState,
  line: LogLine,
  text: Uint8Array,
): { readonly writes: LogWrite[]; readonly state: RecordRingState } {
  const { order } = before
  const { state: reserved, id, reused } = reserveDescriptor(before)
  const { state, block, reused: overwritten } = allocateText(reserved, id, text.byteLength)
  const sequence = sequenceOf(state, id)
  const info = {
    sequence,
    timestampNs: line.timestampNs,
    textLength: text.byteLength,
    facility: 0,
    flagsAndLevel: flagsAndLevel(line.level, order),
    callerId: line.callerId ?? 0,
    subsystem: noSubsystem,
    device: noDevice,
  }
  const descriptor = {
    stateVar: (descriptorState.finalized << 62n) | id,
    begin: block.begin,
    next: block.next,
  }
  const writes = [
    ...[...reused, ...overwritten].map((oldId) => reusableWrite(state, oldId)),
    ...textWrites(state, block, text),
    { address: slotAddress(state, 'infos', id), bytes: infoLayout.encode(info, order) },
    {
      address: slotAddress(state, 'descriptors', id),
      bytes: descriptorLayout.encode(descriptor, order),
    },
  ]
  return { writes, state }
}

/** The block's id and text; a wrapped block also leaves its id where it would have begun. */
function textWrites(state: RecordRingState, block: TextBlock, text: Uint8Array): LogWrite[] {
  if (block.begin === emptyLineLpos) return []
  const mask = (1n << BigInt(state.sizeBits)) - 1n
  const begin = advance(state.text, block.begin & mask)
  const bytes = new Uint8Array(8 + text.byteLength)
  u64.write({ view: viewOf(bytes), offset: 0, order: state.order }, block.id)
  bytes.set(text, 8)
  if ((block.begin & mask) < (block.next & mask)) return [{ address: begin, bytes }]
  return [
    { address: begin, bytes: bytes.subarray(0, 8) },
    { address: state.text, bytes },
  ]
}

function word(value: bigint, order: ByteOrder): Uint8Array {
  const bytes = new Uint8Array(8)
  u64.write({ view: viewOf(bytes), offset: 0, order }, value)
  return bytes
}

function reusableWrite(state: RecordRingState, id: bigint): LogWrite {
  const bytes = word((descriptorState.reusable << 62n) | id, state.order)
  return { address: slotAddress(state, 'descriptors', id), bytes }
}

function slotAddress(
  state: RecordRingState,
  array: 'descriptors' | 'infos',
  id: bigint,
): RealAddress {
  const slot = id & ((1n << BigInt(state.countBits)) - 1n)
  const { size } = array === 'descriptors' ? descriptorLayout : infoLayout
  return advance(state[array], slot * BigInt(size))
}

function encodeRing(state: RecordRingState, lastFinalizedSequence: bigint): Uint8Array {
  return ringLayout.encode(
    {
      countBits: state.countBits,
      reserved0: 0,
      descriptors: linearMapBase + state.descriptors,
      infos: linearMapBase + state.infos,
      headId: state.headId,
      tailId: state.tailId,
      lastFinalizedSequence,
      sizeBits: state.sizeBits,
      reserved1: 0,
      text: linearMapBase + state.text,
      headLpos: state.headLpos,
      tailLpos: state.tailLpos,
      failures: 0n,
    },
    state.order,
  )
}

function emptyState(layout: LogLayout): RecordRingState {
  checkLayout(layout)
  const { order, address, bits } = layout
  const { countBits, infos, text } = places(layout)
  // BLK0_LPOS
  const lpos = BigInt.asUintN(64, -(1n << BigInt(bits)))
  return {
    log: 'record-ring',
    order,
    ring: advance(address, variables.ring),
    descriptors: advance(address, variables.end),
    infos: advance(address, infos),
    text: advance(address, text),
    countBits,
    sizeBits: bits,
    headId: firstId(countBits),
    tailId: firstId(countBits),
    headLpos: lpos,
    tailLpos: lpos,
    blocks: [],
  }
}

async function load(layout: LogLayout, read: ReadMemory): Promise<RecordRingState> {
  const expected = emptyState(layout)
  const state = await readRing(expected.ring, layout.order, read)
  const fields = ['descriptors', 'infos', 'text', 'countBits', 'sizeBits'] as const
  const wrong = fields.find((field) => state[field] !== expected[field])
  if (wrong !== undefined) {
    const value = `${wrong} ${hex(state[wrong])} instead of ${hex(expected[wrong])}`
    throw new LogFormatError(`no record ring of ours at ${hex(layout.address)}: ${value}`)
  }
  return state
}

async function attach(
  symbols: ReadonlyMap<string, string>,
  order: ByteOrder,
  read: ReadMemory,
): Promise<RecordRingState | undefined> {
  const pointer = symbolAddress(symbols, 'prb')
  const isOurLayout = ringVmcoreinfo.every(([key, value]) => (symbols.get(key) ?? value) === value)
  if (pointer === undefined || !isOurLayout || !symbols.has('SIZE(printk_ringbuffer)')) {
    return undefined
  }
  const ring = u64.read({ view: viewOf(await read(pointer, 8)), offset: 0, order })
  return readRing(physicalAddress(ring), order, read)
}

function ours(state: LogState): RecordRingState {
  invariant(state.log === 'record-ring', `the state of a ${state.log} is not a record ring's`)
  return state
}
