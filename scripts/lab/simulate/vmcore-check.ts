/** A stored vmcore compared with what memory was. It reads ELF by itself: code that makes vmcores must not judge them. */
import { pageSize } from '@fadump-lab/shared/store'
import { equalBytes, isZero } from '@fadump-lab/shared/units'
import { blockBytes, type Content } from './disk-content.ts'
import type { KnownCrash } from './oracle.ts'
import { wrongNotes, type NoteSegment } from './vmcore-notes.ts'

/** Bytes of the file. */
export interface Hole {
  readonly offset: bigint
  readonly length: bigint
}

interface Segment extends NoteSegment {
  readonly type: number
  readonly address: number
}

const headerBytes = 64
const programHeaderBytes = 56
const loadType = 1
const noteType = 4

/** What is wrong; `undefined` when nothing is. Bytes in `missing` are not looked at. */
export function differenceOf(
  crash: KnownCrash,
  vmcore: Content,
  missing: readonly Hole[],
): string | undefined {
  const isMissing = (from: number, to: number) =>
    missing.some(({ offset, length }) => from < Number(offset + length) && Number(offset) < to)
  if (isMissing(0, headerBytes)) return undefined
  const all = segmentsOf(vmcore)
  if (typeof all === 'string') return all
  const segments = all.filter(({ type }) => type === loadType)
  const notes = all.find(({ type }) => type === noteType)
  const areNotesThere = notes === undefined || !isMissing(notes.offset, notes.offset + notes.length)
  return (
    wrongPage(crash, { vmcore, segments, isMissing }) ??
    strayBytes(crash, { vmcore, segments, isMissing }) ??
    (areNotesThere ? wrongNotes(crash.notes, vmcore, notes) : undefined)
  )
}

interface Reading {
  readonly vmcore: Content
  readonly segments: readonly Segment[]
  readonly isMissing: (from: number, to: number) => boolean
}

/** Every page of memory is in the file, as it was, unless it was set aside for the dump. */
function wrongPage(crash: KnownCrash, reading: Reading): string | undefined {
  for (const number of crash.memory.keys()) {
    const start = number * pageSize
    const parts = reading.segments
      .map((segment) => partOf(segment, start))
      .filter(({ from, to }) => from < to)
    const covered = parts.reduce((sum, { from, to }) => sum + to - from, 0)
    if (covered < pageSize && !touchesReserved(start, crash)) {
      return `memory at 0x${start.toString(16)} is in no segment of the vmcore`
    }
    const wrong = parts.find((part) => !isAsItWas(part, start, { crash, ...reading }))
    if (wrong !== undefined) {
      return `memory at 0x${wrong.from.toString(16)} is not what it was when the partition crashed`
    }
  }
  return undefined
}

/** What a segment has of the page at `start`: addresses, and where in the file they begin. */
interface Part {
  readonly from: number
  readonly to: number
  readonly at: number
}

function partOf({ offset, address, length }: Segment, start: number): Part {
  const from = Math.max(start, address)
  const to = Math.min(start + pageSize, address + length)
  return { from, to, at: offset + (from - address) }
}

function isAsItWas(
  { from, to, at }: Part,
  start: number,
  { crash, vmcore, isMissing }: Reading & { readonly crash: KnownCrash },
): boolean {
  if (isMissing(at, at + (to - from))) return true
  const stored = new Uint8Array(to - from)
  vmcore.read(stored, at)
  const page = crash.memory.get(start / pageSize)
  return page !== undefined && equalBytes(stored, page.subarray(from - start, to - start))
}

/** What was set aside need not begin or end with a page of the store. */
function touchesReserved(start: number, { reserved }: KnownCrash): boolean {
  return reserved === undefined || (reserved.start < start + pageSize && start < reserved.end)
}

/** Where memory was empty the file has nothing. */
function strayBytes(crash: KnownCrash, reading: Reading): string | undefined {
  const block = new Uint8Array(blockBytes)
  for (const at of reading.vmcore.blockOffsets()) {
    for (const { offset, address, length } of reading.segments) {
      const from = Math.max(at, offset)
      const to = Math.min(at + blockBytes, offset + length)
      if (from >= to || reading.isMissing(from, to)) continue
      const part = block.subarray(0, to - from)
      reading.vmcore.read(part, from)
      const stray = strayIn(part, address + (from - offset), crash)
      if (stray !== undefined) return stray
    }
  }
  return undefined
}

function strayIn(bytes: Uint8Array, address: number, { memory }: KnownCrash): string | undefined {
  for (let done = 0; done < bytes.byteLength;) {
    const physical = address + done
    const left = Math.min(pageSize - (physical % pageSize), bytes.byteLength - done)
    const isEmpty = memory.get(Math.floor(physical / pageSize)) === undefined
    if (isEmpty && !isZero(bytes.subarray(done, done + left))) {
      return `the vmcore has bytes at 0x${physical.toString(16)}, where memory was empty`
    }
    done += left
  }
  return undefined
}

function segmentsOf(vmcore: Content): readonly Segment[] | string {
  const head = viewOf(vmcore, 0, headerBytes)
  if (head.getUint32(0) !== 0x7f45_4c46) return 'the vmcore does not begin with the magic of ELF'
  const isLittle = head.getUint8(5) === 1
  const count = head.getUint16(56, isLittle)
  const table = viewOf(vmcore, Number(head.getBigUint64(32, isLittle)), programHeaderBytes * count)
  return Array.from({ length: count }, (_, index) => index * programHeaderBytes).map((at) => ({
    isLittle,
    type: table.getUint32(at, isLittle),
    offset: Number(table.getBigUint64(at + 8, isLittle)),
    address: Number(table.getBigUint64(at + 24, isLittle)),
    length: Number(table.getBigUint64(at + 32, isLittle)),
  }))
}

function viewOf(vmcore: Content, position: number, length: number): DataView {
  const bytes = new Uint8Array(length)
  vmcore.read(bytes, position)
  return new DataView(bytes.buffer)
}
