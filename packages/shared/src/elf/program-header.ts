/** `Elf64_Phdr` (gABI). In an elfcorehdr in memory `p_offset` is a physical address, in a file a file offset. */
import { layout, u32, u64, type ByteOrder, type ValueOf } from '../layout/index.ts'
import { concat } from '../units/index.ts'

const rows = [
  ['type', 0, u32, 'p_type', '1 = PT_LOAD, 4 = PT_NOTE'],
  ['flags', 4, u32, 'p_flags', '7 = RWX for PT_LOAD, 0 for PT_NOTE'],
  ['offset', 8, u64, 'p_offset', 'where the bytes are'],
  ['virtualAddress', 16, u64, 'p_vaddr', '0xc000000000000000 + p_paddr'],
  ['physicalAddress', 24, u64, 'p_paddr', 'where the bytes were when the kernel crashed'],
  ['fileSize', 32, u64, 'p_filesz', 'bytes in the file'],
  ['memorySize', 40, u64, 'p_memsz', 'bytes in memory'],
  ['align', 48, u64, 'p_align', '0; 4 for PT_NOTE since 2023'],
] as const

export const programHeaderLayout = layout('elf64_phdr', 56, rows)
export type ProgramHeader = ValueOf<typeof rows>

export function encodeProgramHeaders(
  headers: readonly ProgramHeader[],
  order: ByteOrder,
): Uint8Array {
  return concat(headers.map((header) => programHeaderLayout.encode(header, order)))
}

/** `count` headers from `offset` on. Throws `LayoutError` when `bytes` is shorter. */
export function decodeProgramHeaders(
  bytes: Uint8Array,
  at: { readonly order: ByteOrder; readonly offset: number; readonly count: number },
): ProgramHeader[] {
  return Array.from({ length: at.count }, (_, index) =>
    programHeaderLayout.decode(bytes, at.order, at.offset + index * programHeaderLayout.size),
  )
}
