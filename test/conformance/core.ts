/** Reads /proc/vmcore over its range requests, sharing nothing with the code that makes it. */
import { toAscii, viewOf } from '@fadump-lab/shared/units'
import type { Lpar } from '../support/lpar.ts'

/** Places in `pr_reg` (spec §9). */
export const prRegister = { nip: 32, msr: 33, trap: 40 } as const

export interface ProgramHeader {
  readonly type: number
  readonly flags: number
  readonly offset: bigint
  readonly vaddr: bigint
  readonly paddr: bigint
  readonly filesz: bigint
  readonly memsz: bigint
  readonly align: bigint
}

export interface FoundNote {
  readonly name: string
  readonly type: number
  /** Header, name and descriptor. */
  readonly bytes: number
  readonly descriptor: DataView
}

export interface CpuNote extends FoundNote {
  readonly pid: number
  /** `pr_reg`, 48 values. */
  readonly registers: readonly bigint[]
}

const pad = (length: number) => (length + 3) & ~3

/** Program headers in `bytes`, an ELF64 file's start. */
export function programHeaders(bytes: Uint8Array): readonly ProgramHeader[] {
  const view = viewOf(bytes)
  const little = bytes[5] === 1
  return Array.from({ length: view.getUint16(56, little) }, (_, index) => {
    const at = 64 + 56 * index
    const u64 = (offset: number) => view.getBigUint64(at + offset, little)
    return {
      type: view.getUint32(at, little),
      flags: view.getUint32(at + 4, little),
      offset: u64(8),
      vaddr: u64(16),
      paddr: u64(24),
      filesz: u64(32),
      memsz: u64(40),
      align: u64(48),
    }
  })
}

/** The headers of /proc/vmcore; at most `headerBytes` of it are looked at. */
const headerBytes = 1024

export async function vmcoreHeaders(lpar: Lpar): Promise<readonly ProgramHeader[]> {
  return programHeaders(await lpar.vmcore(0, headerBytes))
}

export function notesIn(bytes: Uint8Array, little: boolean): readonly FoundNote[] {
  const view = viewOf(bytes)
  const notes: FoundNote[] = []
  for (let at = 0; at + 12 <= bytes.byteLength;) {
    const nameSize = view.getUint32(at, little)
    const size = view.getUint32(at + 4, little)
    const start = at + 12 + pad(nameSize)
    const end = start + pad(size)
    if (nameSize === 0) break
    notes.push({
      name: toAscii(bytes.subarray(at + 12, at + 11 + nameSize)),
      type: view.getUint32(at + 8, little),
      bytes: end - at,
      descriptor: new DataView(bytes.buffer, bytes.byteOffset + start, size),
    })
    at = end
  }
  return notes
}

export async function vmcoreNotes(lpar: Lpar): Promise<readonly FoundNote[]> {
  const head = await lpar.vmcore(0, headerBytes)
  const [note] = programHeaders(head)
  if (note?.type !== 4) throw new Error('the first program header is no PT_NOTE')
  return notesIn(await lpar.vmcore(Number(note.offset), Number(note.filesz)), head[5] === 1)
}

/** NT_PRSTATUS notes in file order. */
export async function cpuNotes(lpar: Lpar): Promise<readonly CpuNote[]> {
  const head = await lpar.vmcore(0, 16)
  const little = head[5] === 1
  return (await vmcoreNotes(lpar))
    .filter(({ name, type }) => name === 'CORE' && type === 1)
    .map((note) => ({
      ...note,
      pid: note.descriptor.getInt32(32, little),
      registers: Array.from({ length: 48 }, (_, index) =>
        note.descriptor.getBigUint64(112 + 8 * index, little),
      ),
    }))
}
