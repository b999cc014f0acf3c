/** Which pages an adapter of a partition may be let to: those of its memory. */
import { tceAddress } from '@fadump-lab/shared/hcall'
import type { FirmwareRecord } from '../partition/firmware-record.ts'

/** Whether the page of 4 KiB that `tce` maps is memory of the partition. Holes and blocks are whole pages. */
export function ownsPage(
  { memoryBytes, memoryHoles, addedMemory }: FirmwareRecord,
  tce: bigint,
): boolean {
  const address = tceAddress(tce)
  const isIn = (range: { readonly address: bigint; readonly length: bigint }) =>
    address >= range.address && address < range.address + range.length
  return address < memoryBytes ? !memoryHoles.some(isIn) : addedMemory.some(isIn)
}
