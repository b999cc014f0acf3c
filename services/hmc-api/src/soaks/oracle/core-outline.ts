/** Headers and notes of a stored vmcore, read on their own: System V ABI, 64-bit PowerPC, ELF64. */

/** A part of memory in the file. */
export interface Load {
  readonly offset: number
  readonly address: bigint
  readonly size: bigint
}

export interface CoreOutline {
  readonly littleEndian: boolean
  readonly machine: number
  readonly type: number
  readonly loads: readonly Load[]
  /** NT_PRSTATUS notes: one for each CPU. */
  readonly cpuNotes: number
  readonly vmcoreinfo: string | undefined
  /** Where the last load ends. */
  readonly end: number
}

/** Reads `[start, end)` of the file. */
export type ReadFile = (start: number, end: number) => Promise<Uint8Array>

const headerBytes = 64
const programHeaderBytes = 56
const programHeadersMax = 4096
const notesBytesMax = 16 * 1024 * 1024
const noteHeaderBytes = 12
const typeLoad = 1
const typeNote = 4
const notePrstatus = 1

/** Throws with the rule that the file breaks. */
export async function readOutline(read: ReadFile): Promise<CoreOutline> {
  const head = viewOf(await read(0, headerBytes))
  if (head.getUint32(0) !== 0x7f45_4c46) throw new Error('the file does not begin with 0x7f ELF')
  if (head.getUint8(4) !== 2) throw new Error('the file is not ELF64')
  const little = head.getUint8(5) === 1
  const count = head.getUint16(56, little)
  if (count === 0 || count > programHeadersMax) throw new Error(`${count} program headers`)
  const start = Number(head.getBigUint64(32, little))
  const table = viewOf(await read(start, start + count * programHeaderBytes))
  const segments = Array.from({ length: count }, (_, index) => segmentAt(table, index, little))
  const loads = segments.filter(({ type }) => type === typeLoad)
  const notes = await readNotes(
    read,
    segments.find(({ type }) => type === typeNote),
    little,
  )
  return {
    littleEndian: little,
    machine: head.getUint16(18, little),
    type: head.getUint16(16, little),
    loads,
    ...notes,
    end: loads.reduce((end, load) => Math.max(end, load.offset + Number(load.size)), 0),
  }
}

interface Segment extends Load {
  readonly type: number
}

function segmentAt(table: DataView, index: number, little: boolean): Segment {
  const at = index * programHeaderBytes
  return {
    type: table.getUint32(at, little),
    offset: Number(table.getBigUint64(at + 8, little)),
    address: table.getBigUint64(at + 24, little),
    size: table.getBigUint64(at + 32, little),
  }
}

async function readNotes(
  read: ReadFile,
  segment: Segment | undefined,
  little: boolean,
): Promise<Pick<CoreOutline, 'cpuNotes' | 'vmcoreinfo'>> {
  if (segment === undefined) return { cpuNotes: 0, vmcoreinfo: undefined }
  const size = Number(segment.size)
  if (size > notesBytesMax) throw new Error(`${size} bytes of notes`)
  return notesIn(await read(segment.offset, segment.offset + size), little)
}

/** What a PT_NOTE segment tells. */
export function notesIn(
  segment: Uint8Array,
  little: boolean,
): Pick<CoreOutline, 'cpuNotes' | 'vmcoreinfo'> {
  const view = viewOf(segment)
  let cpuNotes = 0
  let vmcoreinfo: string | undefined
  for (let at = 0; at + noteHeaderBytes <= view.byteLength;) {
    const nameBytes = view.getUint32(at, little)
    const descriptor = at + noteHeaderBytes + up4(nameBytes)
    const bytes = view.getUint32(at + 4, little)
    const name = textAt(view, at + noteHeaderBytes, nameBytes)
    if (name === 'CORE' && view.getUint32(at + 8, little) === notePrstatus) cpuNotes += 1
    if (name === 'VMCOREINFO') vmcoreinfo = textAt(view, descriptor, bytes)
    at = descriptor + up4(bytes)
  }
  return { cpuNotes, vmcoreinfo }
}

/** Up to the first NUL. */
function textAt(view: DataView, start: number, length: number): string {
  const bounded = Math.max(0, Math.min(length, view.byteLength - start))
  const bytes = new Uint8Array(view.buffer, view.byteOffset + start, bounded)
  return new TextDecoder('latin1').decode(bytes).replace(/\0[\s\S]*$/, '')
}

function up4(length: number): number {
  return (length + 3) & ~3
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
