/**
 * NT_PRSTATUS of ppc64: `struct elf_prstatus` (include/linux/elfcore.h), 504 bytes, at the same offsets in either
 * byte order. Kernels fill `pr_reg` only; every other field is zero in a fadump core, `pr_pid` included.
 */
import { bytes, layout, u16, u32, u64, type ByteOrder, type ValueOf } from '../layout/index.ts'
import { invariant, viewOf } from '../units/index.ts'
import { CoreFormatError } from './core-format-error.ts'
import { encodeNote, noteLength, type Note } from './note.ts'

/** `NT_PRSTATUS`. */
export const noteTypePrstatus = 1
export const prstatusNoteName = 'CORE'
/** `ELF_NGREG`. */
export const registerCount = 48

const rows = [
  ['signal', 0, u32, 'si_signo', '0'],
  ['signalCode', 4, u32, 'si_code', '0'],
  ['signalErrno', 8, u32, 'si_errno', '0'],
  ['currentSignal', 12, u16, 'pr_cursig', '0'],
  ['reserved0', 14, u16, '-', 'padding'],
  ['pendingSignals', 16, u64, 'pr_sigpend', '0'],
  ['heldSignals', 24, u64, 'pr_sighold', '0'],
  ['pid', 32, u32, 'pr_pid', '0 as fadump kernels write it; gdb before 14 needs distinct values'],
  ['parentPid', 36, u32, 'pr_ppid', '0'],
  ['processGroup', 40, u32, 'pr_pgrp', '0'],
  ['session', 44, u32, 'pr_sid', '0'],
  ['times', 48, bytes(64), 'pr_utime, pr_stime, pr_cutime, pr_cstime', '0'],
  ['registers', 112, bytes(384), 'pr_reg', 'struct pt_regs as 48 × u64'],
  ['floatingPointValid', 496, u32, 'pr_fpvalid', '0'],
  ['reserved1', 500, u32, '-', 'padding'],
] as const

export const prstatusLayout = layout('elf_prstatus', 504, rows)
export type PrstatusFields = ValueOf<typeof rows>

/** Bytes of one NT_PRSTATUS note. */
export const prstatusNoteBytes = noteLength(prstatusNoteName, prstatusLayout.size)

export interface Prstatus {
  readonly pid: number
  /** `pr_reg`, a `struct pt_regs`: 48 values when decoded; fewer may be encoded, the rest is zero. */
  readonly registers: readonly bigint[]
}

/** The 504 bytes; more than 48 registers are a programmer error. */
export function encodePrstatus(status: Prstatus, order: ByteOrder): Uint8Array {
  const { registers } = status
  invariant(registers.length <= registerCount, `pr_reg has 48 places, not ${registers.length}`)
  const area = new Uint8Array(registerCount * 8)
  const view = viewOf(area)
  registers.forEach((value, index) => u64.write({ view, offset: index * 8, order }, value))
  return prstatusLayout.encode({ ...emptyPrstatus, pid: status.pid, registers: area }, order)
}

/** The whole note, 524 bytes. */
export function encodePrstatusNote(status: Prstatus, order: ByteOrder): Uint8Array {
  return encodeNote(
    { name: prstatusNoteName, type: noteTypePrstatus, descriptor: encodePrstatus(status, order) },
    order,
  )
}

export function isPrstatus(note: Note): boolean {
  return note.name === prstatusNoteName && note.type === noteTypePrstatus
}

/** Throws `CoreFormatError` (`prstatusSize`) unless the descriptor is 504 bytes. */
export function decodePrstatus(descriptor: Uint8Array, order: ByteOrder): Prstatus {
  if (descriptor.byteLength !== prstatusLayout.size) {
    throw new CoreFormatError('prstatusSize', `${descriptor.byteLength} bytes`)
  }
  const fields = prstatusLayout.decode(descriptor, order)
  const view = viewOf(fields.registers)
  return {
    pid: fields.pid,
    registers: Array.from({ length: registerCount }, (_, index) =>
      u64.read({ view, offset: index * 8, order }),
    ),
  }
}

const emptyPrstatus: PrstatusFields = {
  signal: 0,
  signalCode: 0,
  signalErrno: 0,
  currentSignal: 0,
  reserved0: 0,
  pendingSignals: 0n,
  heldSignals: 0n,
  pid: 0,
  parentPid: 0,
  processGroup: 0,
  session: 0,
  times: new Uint8Array(64),
  registers: new Uint8Array(registerCount * 8),
  floatingPointValid: 0,
  reserved1: 0,
}
