/**
 * Constants and structures of the flattened device tree (Devicetree Specification 0.4, chapter 5; `libfdt.h`).
 * The format is big-endian on every machine.
 */
import { layout, u32, u64 } from '../layout/index.ts'

/** What is wrong with a blob or a tree; the message names the structure, the rule and the value. */
export class DeviceTreeError extends Error {
  override readonly name = 'DeviceTreeError'
}

export const fdtMagic = 0xd00d_feed
/** The version written here, and the oldest one whose readers understand it. */
export const fdtVersion = 17
export const fdtCompatibleVersion = 16

/** Tokens of the structure block. */
export const structureToken = { beginNode: 1, endNode: 2, property: 3, nop: 4, end: 9 } as const

/** The largest blob read or written: `MAX_FDT_SIZE` of the kernel. */
export const deviceTreeBytesMax = 2 * 1024 * 1024
/** The deepest nesting read or written: `FDT_MAX_DEPTH` of the kernel. The root has depth 1. */
export const nodeDepthMax = 64
/** Name and unit address have 31 characters each, and `@` between them. */
export const nodeNameBytesMax = 63
/** The specification says 31; PAPR itself has longer names (`ibm,configure-kernel-dump-version` has 33). */
export const propertyNameBytesMax = 63
/** The most entries of the memory reservation block. */
export const reservationsMax = 1024

export const fdtHeaderLayout = layout('fdt_header', 40, [
  ['magic', 0, u32, 'magic', '0xd00dfeed'],
  ['totalSize', 4, u32, 'totalsize', 'bytes of the whole blob'],
  ['structureOffset', 8, u32, 'off_dt_struct', 'structure block'],
  ['stringsOffset', 12, u32, 'off_dt_strings', 'strings block'],
  ['reservationsOffset', 16, u32, 'off_mem_rsvmap', 'memory reservation block'],
  ['version', 20, u32, 'version', '17'],
  ['compatibleVersion', 24, u32, 'last_comp_version', '16'],
  ['bootCpu', 28, u32, 'boot_cpuid_phys', 'the CPU that boots the kernel'],
  ['stringsSize', 32, u32, 'size_dt_strings', 'bytes of the strings block'],
  ['structureSize', 36, u32, 'size_dt_struct', 'bytes of the structure block'],
])
export type FdtHeader = ReturnType<typeof fdtHeaderLayout.decode>

export const reservationLayout = layout('fdt_reserve_entry', 16, [
  ['address', 0, u64, 'address', 'start of the reserved range'],
  ['size', 8, u64, 'size', 'bytes; an entry of two zeros ends the block'],
])
