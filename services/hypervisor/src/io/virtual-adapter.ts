/**
 * The one I/O adapter of a partition: virtual Ethernet, node `/vdevice/l-lan@30000002`. Its window on the I/O bus is small,
 * so that a kernel clears the whole table with few calls; a real one differs in size only.
 */
import { tcePageBytes } from '@fadump-lab/shared/hcall'

export const virtualAdapter = {
  unitAddress: 0x3000_0002,
  /** Logical I/O bus number: names the table of translation control entries. */
  liobn: 0x1000_0002,
  windowBytes: 8 * 1024 * 1024,
} as const

/** Entries of the table: 2048. */
export const tceEntriesMax: number = virtualAdapter.windowBytes / tcePageBytes
