/** The page table of a space is split in leaves, so that listing and copying a range touch only what lies there. */

/** 4,096 pages of 64 KiB: 256 MiB. */
export const leafPages = 4096

export function leafOf(page: number): number {
  return Math.floor(page / leafPages)
}
