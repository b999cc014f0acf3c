/** A vmcore as a reader of the flattened stream gets it: sparse, with a way to look at any byte. */
import { flattenedMedia } from '@fadump-lab/shared/contracts'
import {
  decodePrstatus,
  FlattenedDecoder,
  isPrstatus,
  isVmcoreinfo,
  notesOf,
  parseVmcoreinfo,
  segmentType,
  vmcoreinfoText,
  type FoundNote,
  type ProgramHeader,
  type Prstatus,
} from '@fadump-lab/shared/elf'
import { decodeProgramHeaders, readCoreElfHeader } from '@fadump-lab/shared/elf'
import { characterLog, recordRing } from '@fadump-lab/shared/printk'
import { toHex } from '@fadump-lab/shared/units'
import type { StartedKernel } from './started-kernel.ts'

export interface Piece {
  readonly offset: bigint
  readonly bytes: Uint8Array
}

/** The records of the flattened stream, in order. */
export async function flattenedPieces(kernel: StartedKernel, from = 0): Promise<Piece[]> {
  const { body } = await kernel.client.readVmcore({
    params: { partition: kernel.firmware.partition.id },
    query: { from },
    headers: { accept: flattenedMedia },
  })
  const decoder = new FlattenedDecoder()
  const parts: { offset: bigint; chunks: Uint8Array[]; end: bigint }[] = []
  for await (const chunk of body) {
    for (const piece of decoder.push(chunk)) {
      const last = parts.at(-1)
      const end = piece.offset + BigInt(piece.chunk.byteLength)
      if (last?.end === piece.offset) {
        last.chunks.push(piece.chunk.slice())
        last.end = end
      } else parts.push({ offset: piece.offset, chunks: [piece.chunk.slice()], end })
    }
  }
  decoder.end()
  return parts.map(({ offset, chunks }) => ({ offset, bytes: join(chunks) }))
}

function join(chunks: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0))
  let offset = 0
  for (const chunk of chunks) {
    joined.set(chunk, offset)
    offset += chunk.byteLength
  }
  return joined
}

export class VmcoreFile {
  readonly pieces: readonly Piece[]
  readonly programHeaders: readonly ProgramHeader[]
  readonly order: 'big' | 'little'
  readonly flags: number

  constructor(pieces: readonly Piece[]) {
    this.pieces = pieces
    const { order, header } = readCoreElfHeader(this.bytes(0n, 64))
    this.order = order
    this.flags = header.flags
    const count = header.programHeaderCount
    this.programHeaders = decodeProgramHeaders(this.bytes(0n, 64 + 56 * count), {
      order,
      offset: 64,
      count,
    })
  }

  static async read(kernel: StartedKernel): Promise<VmcoreFile> {
    return new VmcoreFile(await flattenedPieces(kernel))
  }

  /** Bytes of the file; what no piece covers is zero. */
  bytes(offset: bigint, length: number): Uint8Array {
    const result = new Uint8Array(length)
    for (const piece of this.pieces) {
      const from = Number(piece.offset - offset)
      const start = Math.max(0, from)
      const end = Math.min(length, from + piece.bytes.byteLength)
      if (start < end) result.set(piece.bytes.subarray(start - from, end - from), start)
    }
    return result
  }

  /** Bytes of the crashed kernel's memory, found through the PT_LOADs as a tool does. */
  memory(address: bigint, length: number): Uint8Array {
    const load = this.loads.find(
      ({ physicalAddress, memorySize }) =>
        physicalAddress <= address && address < physicalAddress + memorySize,
    )
    if (load === undefined) throw new Error(`0x${address.toString(16)} is in no PT_LOAD`)
    return this.bytes(load.offset + (address - load.physicalAddress), length)
  }

  get loads(): readonly ProgramHeader[] {
    return this.programHeaders.filter(({ type }) => type === segmentType.load)
  }

  get notes(): FoundNote[] {
    const note = this.programHeaders.find(({ type }) => type === segmentType.note)
    if (note === undefined) throw new Error('there is no PT_NOTE')
    return [...notesOf(this.bytes(note.offset, Number(note.fileSize)), this.order)]
  }

  /** `pr_pid` and `pr_reg` of every NT_PRSTATUS. */
  get cpus(): Prstatus[] {
    return this.notes
      .filter(isPrstatus)
      .map(({ descriptor }) => decodePrstatus(descriptor, this.order))
  }

  get vmcoreinfo(): string {
    return this.notes.filter(isVmcoreinfo).map(vmcoreinfoText).join('')
  }

  /** The crashed kernel's log, found as `vmcore-dmesg` finds it. */
  async log(): Promise<string[]> {
    const exported = parseVmcoreinfo(this.vmcoreinfo)
    const read = async (address: bigint, length: number) => this.memory(address, length)
    for (const log of [recordRing, characterLog]) {
      const state = await log.attach(exported, this.order, read)
      if (state !== undefined) return (await log.read(state, read)).map(({ text }) => text)
    }
    throw new Error('VMCOREINFO exports no log')
  }

  /** Of all pieces: what a reader has received. */
  get populatedBytes(): number {
    return this.pieces.reduce((sum, { bytes }) => sum + bytes.byteLength, 0)
  }

  toString(): string {
    return this.pieces
      .map(({ offset, bytes }) => `${offset}:${toHex(bytes.subarray(0, 8))}`)
      .join(' ')
  }
}
