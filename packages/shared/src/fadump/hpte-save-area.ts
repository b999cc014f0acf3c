/**
 * The hardware page table save area (section type 0x0002; PAPR appendix "Firmware Assisted Dump Data Format").
 * Linux ignores its content. The appendix gives NumEntriesOffset as 0x1C but draws NumEntries, 8 bytes long, at 0x18;
 * the drawing wins, because 0x1C would make it overlap the first entry.
 */
import { layout, LayoutError, u32, u64 } from '../layout/index.ts'
import { byteLength, invariant, type ByteLength } from '../units/index.ts'
import { registerId } from './register-identifiers.ts'

export const hpteSaveAreaLayout = layout('hpte_save_area', 0x20, [
  ['magicNumber', 0x00, u64, 'Magic Number', '"HPTESAVE"'],
  ['version', 0x08, u32, 'Version', '0'],
  ['numEntriesOffset', 0x0c, u32, 'NumEntriesOffset', 'where the number of entries stands'],
  ['padding', 0x10, u64, 'Padding', '0'],
  ['numEntries', 0x18, u64, 'NumEntries', 'number of entries'],
])
export const hpteEntryLayout = layout('hpt_entry', 0x18, [
  ['index', 0x00, u64, 'HptEntryIndex', 'index into the page table'],
  ['dword0', 0x08, u64, 'Dword0', 'entry high'],
  ['dword1', 0x10, u64, 'Dword1', 'entry low'],
])
export type HpteEntry = ReturnType<typeof hpteEntryLayout.decode>

export const hpteSaveAreaMagic: bigint = registerId('HPTESAVE')
/** What firmware advertises: the size in the kernel documentation's example, room for 169 entries. */
export const hpteSaveAreaLength: ByteLength = byteLength(0x1000)

/** The area of `length` bytes, zero after the last entry. Entries that do not fit are a programmer error. */
export function writeHpteSaveArea(
  entries: readonly HpteEntry[],
  length: ByteLength = hpteSaveAreaLength,
): Uint8Array {
  const used = hpteSaveAreaLayout.size + entries.length * hpteEntryLayout.size
  invariant(
    BigInt(used) <= length,
    `${entries.length} page table entries do not fit ${length} bytes`,
  )
  const area = new Uint8Array(Number(length))
  const numEntriesOffset = hpteSaveAreaLayout.offsetOf('numEntries')
  const start = {
    magicNumber: hpteSaveAreaMagic,
    version: 0,
    numEntriesOffset,
    padding: 0n,
    numEntries: BigInt(entries.length),
  }
  area.set(hpteSaveAreaLayout.encode(start, 'big'))
  entries.forEach((entry, index) => {
    area.set(
      hpteEntryLayout.encode(entry, 'big'),
      hpteSaveAreaLayout.size + index * hpteEntryLayout.size,
    )
  })
  return area
}

/** The entries of an area. Throws `LayoutError` for a wrong magic or a count beyond the area. */
export function readHpteSaveArea(area: Uint8Array): HpteEntry[] {
  const start = hpteSaveAreaLayout.decode(area, 'big')
  if (start.magicNumber !== hpteSaveAreaMagic) throw new LayoutError('no HPTESAVE magic')
  const entriesMax = Math.floor((area.byteLength - hpteSaveAreaLayout.size) / hpteEntryLayout.size)
  if (start.numEntries > BigInt(entriesMax)) {
    throw new LayoutError(
      `${start.numEntries} page table entries, the area has room for ${entriesMax}`,
    )
  }
  return Array.from({ length: Number(start.numEntries) }, (_, index) =>
    hpteEntryLayout.decode(area, 'big', hpteSaveAreaLayout.size + index * hpteEntryLayout.size),
  )
}
