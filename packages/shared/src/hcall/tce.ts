/**
 * Translation control entries (PAPR 3.3, "TCE"): what an I/O adapter may reach. One entry maps a page of 4 KiB on the I/O
 * bus: a 64-bit word of the page's address and two bits of page mapping and control. 0 in those is "page fault": the
 * adapter reaches nothing, and gets an error for trying.
 */

export const tcePageShift = 12
export const tcePageBytes: number = 1 << tcePageShift

/** Page mapping and control, `TCE_PCI_READ` and `TCE_PCI_WRITE` of Linux. */
export const tcePermission = {
  /** The adapter may read memory. */
  read: 0b01n,
  /** The adapter may write memory. */
  write: 0b10n,
} as const

/** H_STUFF_TCE and H_PUT_TCE_INDIRECT take at most so many entries at once. */
export const tceCountMax = 512

const permissionMask = 0b11n
const addressMask: bigint = ~BigInt(tcePageBytes - 1)

/** The entry that maps the page of `address`. */
export function tceOf(address: bigint, permissions: bigint): bigint {
  return BigInt.asUintN(64, address & addressMask) | permissions
}

/** The address of the page that `tce` maps. */
export function tceAddress(tce: bigint): bigint {
  return tce & addressMask
}

/** False for "page fault". */
export function isTceMapped(tce: bigint): boolean {
  return (tce & permissionMask) !== 0n
}

export function allowsWrite(tce: bigint): boolean {
  return (tce & tcePermission.write) !== 0n
}
