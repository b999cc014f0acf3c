/**
 * VMCOREINFO: the text by which dump tools find their way in a vmcore, one `KEY=VALUE` a line
 * (kernel/crash_core.c; Documentation/admin-guide/kdump/vmcoreinfo.rst). The kernel keeps it in one note of type 0.
 */
import type { ByteOrder } from '../layout/index.ts'
import { concat, fromAscii, invariant, toAscii } from '../units/index.ts'
import { encodeNote, noteLength, noteTerminator, type Note } from './note.ts'

export const vmcoreinfoNoteName = 'VMCOREINFO'

/** `[key, value]`, e.g. `['SYMBOL(log_buf)', 'c000000000b2c000']`. */
export type VmcoreinfoEntry = readonly [key: string, value: string]

/** The macros of include/linux/vmcore_info.h: how each kind of entry is written. */
export const vmcoreinfo = {
  osRelease: (release: string): VmcoreinfoEntry => ['OSRELEASE', release],
  buildId: (hexDigits: string): VmcoreinfoEntry => ['BUILD-ID', hexDigits],
  pageSize: (bytes: number): VmcoreinfoEntry => ['PAGESIZE', `${bytes}`],
  /** A virtual address, without `0x`. */
  symbol: (name: string, address: bigint): VmcoreinfoEntry => [
    `SYMBOL(${name})`,
    address.toString(16).padStart(16, '0'),
  ],
  size: (structure: string, bytes: number): VmcoreinfoEntry => [`SIZE(${structure})`, `${bytes}`],
  offset: (member: string, bytes: number): VmcoreinfoEntry => [`OFFSET(${member})`, `${bytes}`],
  length: (array: string, items: number): VmcoreinfoEntry => [`LENGTH(${array})`, `${items}`],
  number: (name: string, value: number | bigint): VmcoreinfoEntry => [
    `NUMBER(${name})`,
    `${value}`,
  ],
  /** `NUMBER(VMALLOC_START)` is the one number with `0x`. */
  hexNumber: (name: string, value: bigint): VmcoreinfoEntry => [
    `NUMBER(${name})`,
    `0x${value.toString(16)}`,
  ],
  kernelOffset: (bytes: bigint): VmcoreinfoEntry => ['KERNELOFFSET', bytes.toString(16)],
} as const

/** What a kernel generation does with VMCOREINFO, as data. */
export interface VmcoreinfoRules {
  /** `vmcoreinfo_max_size`: what would go beyond is cut off without a word. */
  readonly bytesMax: number
  /** Whether the CRASHTIME line ends with a newline; it does since 2017. */
  readonly crashTimeNewline: boolean
}

/** 3.4: `VMCOREINFO_BYTES` is 4096 whatever the page size. Since 4.13 it is the page size. */
export function vmcoreinfoRules(generation: 'v5' | 'modern', pageSize: number): VmcoreinfoRules {
  return generation === 'v5'
    ? { bytesMax: 4096, crashTimeNewline: false }
    : { bytesMax: pageSize, crashTimeNewline: true }
}

/** The text of `entries` in their order. */
export function composeVmcoreinfo(
  entries: readonly VmcoreinfoEntry[],
  rules: VmcoreinfoRules,
): string {
  return entries.map(line).join('').slice(0, rules.bytesMax)
}

/** `text` with the CRASHTIME line that `crash_save_vmcoreinfo` appends; seconds since 1970. */
export function appendCrashTime(text: string, seconds: number, rules: VmcoreinfoRules): string {
  const crashTime = `CRASHTIME=${seconds}${rules.crashTimeNewline ? '\n' : ''}`
  return `${text}${crashTime}`.slice(0, rules.bytesMax)
}

/** Key → value; a line without `=` is left out, the last of equal keys wins, as in the tools. */
export function parseVmcoreinfo(text: string): ReadonlyMap<string, string> {
  const entries = text.split('\n').flatMap((entry): VmcoreinfoEntry[] => {
    const equals = entry.indexOf('=')
    return equals <= 0 ? [] : [[entry.slice(0, equals), entry.slice(equals + 1)]]
  })
  return new Map(entries)
}

/** The note that carries `text`. */
export function encodeVmcoreinfoNote(text: string, order: ByteOrder): Uint8Array {
  return encodeNote({ name: vmcoreinfoNoteName, type: 0, descriptor: fromAscii(text) }, order)
}

/** `VMCOREINFO_NOTE_SIZE`: what the kernel reserves in memory; 4132 for 3.4, 65572 with 64 KiB pages. */
export function vmcoreinfoNoteBytes(rules: VmcoreinfoRules): number {
  return noteLength(vmcoreinfoNoteName, rules.bytesMax) + noteTerminator.byteLength
}

/** The kernel's whole note buffer: the note and zeros up to `vmcoreinfoNoteBytes`. */
export function encodeVmcoreinfoArea(
  text: string,
  order: ByteOrder,
  rules: VmcoreinfoRules,
): Uint8Array {
  const note = encodeVmcoreinfoNote(text, order)
  const rest = vmcoreinfoNoteBytes(rules) - note.byteLength
  invariant(rest >= noteTerminator.byteLength, `VMCOREINFO exceeds ${rules.bytesMax} bytes`)
  return concat([note, new Uint8Array(rest)])
}

export function isVmcoreinfo(note: Note): boolean {
  return note.name === vmcoreinfoNoteName && note.type === 0
}

export function vmcoreinfoText(note: Note): string {
  return toAscii(note.descriptor).replace(/\0+$/, '')
}

/** `vmcoreinfo_append_str` formats into a buffer of 80 bytes, so an entry has at most 79. */
const lineBytesMax = 79

function line([key, value]: VmcoreinfoEntry): string {
  const text = `${key}=${value}\n`
  invariant(text.length <= lineBytesMax, `VMCOREINFO entry is longer than ${lineBytesMax}: ${key}`)
  return text
}
