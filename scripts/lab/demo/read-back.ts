/** What the demo says about a vmcore it read from the file itself, not from the services that made it. */
import { open } from 'node:fs/promises'
import {
  decodeProgramHeaders,
  elfHeaderLayout,
  isPrstatus,
  notesOf,
  readCoreElfHeader,
  segmentType,
} from '@fadump-lab/shared/elf'

/** The most bytes of headers and notes that are read. */
const headBytesMax = 4 * 1024 * 1024

/** NT_PRSTATUS notes in the ELF core at `path`: one per CPU that was online. */
export async function countCpuNotes(path: string): Promise<number> {
  await using file = await open(path)
  const head = new Uint8Array(headBytesMax)
  const { bytesRead } = await file.read(head, 0, headBytesMax, 0)
  const bytes = head.subarray(0, bytesRead)
  const { header, order } = readCoreElfHeader(bytes)
  const [notes] = decodeProgramHeaders(bytes, {
    order,
    offset: elfHeaderLayout.size,
    count: header.programHeaderCount,
  }).filter(({ type }) => type === segmentType.note)
  if (notes === undefined) return 0
  const start = Number(notes.offset)
  const found = notesOf(bytes.subarray(start, start + Number(notes.fileSize)), order)
  return [...found].filter(isPrstatus).length
}
