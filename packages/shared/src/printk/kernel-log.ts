/**
 * The kernel's log as it lies in partition memory. Each generation of kernels has its own structure; they share this
 * interface, so that a kernel profile picks one as data. Pure: functions return the memory writes, the caller does them.
 * All that a log knows lies in memory: `load` and `attach` derive the state from there.
 */
import type { VmcoreinfoEntry } from '../elf/index.ts'
import type { ByteOrder } from '../layout/index.ts'
import type { RealAddress } from '../units/index.ts'

/** Where a log of ours lies and how large it is. */
export interface LogLayout {
  readonly order: ByteOrder
  /** 64-byte aligned; the log takes `bytesNeeded(layout)` bytes from here on. */
  readonly address: RealAddress
  /** log2 of the bytes of text: `CONFIG_LOG_BUF_SHIFT`, `logBitsMin` … `logBitsMax`. */
  readonly bits: number
}

export const logBitsMin = 10
export const logBitsMax = 20

/** What one `printk` says. */
export interface LogLine {
  /** Since boot. */
  readonly timestampNs: bigint
  /** 0 emergency … 7 debug. */
  readonly level: number
  /**
   * One line. Each newline starts a further line with the same stamp; what is not printable ASCII or a tab becomes `?`;
   * beyond `lineBytesMax` it is cut off. So all tools print it alike.
   */
  readonly text: string
  /** Thread id, or 0x80000000 + CPU. The record ring keeps it, the character log does not. */
  readonly callerId?: number
}

/** A line as it stands in memory. */
export interface StoredLine extends LogLine {
  /** The number of the record since boot; the character log counts the whole lines it still holds from 0. */
  readonly sequence: bigint
}

export interface LogWrite {
  readonly address: RealAddress
  readonly bytes: Uint8Array
}

/** Writes are to be done in order: later ones may overwrite earlier ones. */
export interface LogChange {
  readonly writes: readonly LogWrite[]
  readonly state: LogState
}

/** Reads memory; at most 1 MiB is asked for at a time. */
export type ReadMemory = (address: RealAddress, length: number) => Promise<Uint8Array>

/** What `append` needs to know. A value of one kind of log is no use to the other. */
export type LogState = CharacterLogState | RecordRingState

export interface CharacterLogState {
  readonly log: 'character-log'
  readonly order: ByteOrder
  /** Addresses of the kernel's variables; the two that are not exported may be unknown. */
  readonly variables: {
    readonly logEnd: RealAddress
    readonly loggedChars: RealAddress
    readonly logStart?: RealAddress
    readonly consoleStart?: RealAddress
  }
  /** Where the characters are, and how many fit. */
  readonly buffer: RealAddress
  readonly bufferBytes: number
  /** `log_end`, `log_start`, `logged_chars`: unsigned 32-bit counts of characters. */
  readonly end: number
  readonly start: number
  readonly loggedChars: number
}

export interface RecordRingState {
  readonly log: 'record-ring'
  readonly order: ByteOrder
  /** Addresses of `struct printk_ringbuffer` and of its arrays. */
  readonly ring: RealAddress
  readonly descriptors: RealAddress
  readonly infos: RealAddress
  readonly text: RealAddress
  /** log2 of the number of descriptors, and of the bytes of text. */
  readonly countBits: number
  readonly sizeBits: number
  readonly headId: bigint
  readonly tailId: bigint
  readonly headLpos: bigint
  readonly tailLpos: bigint
  /** The text blocks between `tailLpos` and `headLpos`, oldest first. */
  readonly blocks: readonly TextBlock[]
}

/** `struct prb_data_blk_lpos` and whose it is. */
export interface TextBlock {
  readonly id: bigint
  readonly begin: bigint
  readonly next: bigint
}

export interface KernelLog {
  readonly name: LogState['log']
  bytesNeeded(layout: LogLayout): number
  /** What the kernel exports in VMCOREINFO so that tools find the log, in the kernel's order. */
  vmcoreinfo(layout: LogLayout): readonly VmcoreinfoEntry[]
  /** An empty log: writes all its memory, so that what lay there before is gone. */
  init(layout: LogLayout): LogChange
  /** Adds a line; a state of another kind of log is a programmer error. */
  append(state: LogState, line: LogLine): LogChange
  /** The part of `append` that is the line's own, without `variables` of the state after it. */
  appendLine(state: LogState, line: LogLine): LogChange
  /** Where the log begins and ends: once after any number of `appendLine`. */
  variables(state: LogState): readonly LogWrite[]
  /** The state of the log of ours at `layout`. Throws `LogFormatError` when memory does not hold one. */
  load(layout: LogLayout, read: ReadMemory): Promise<LogState>
  /**
   * The state of the log that any kernel's VMCOREINFO (`parseVmcoreinfo`) points at; `undefined` when it does not export
   * this kind of log or one of another layout. Throws `LogFormatError` when the memory there is broken.
   */
  attach(
    vmcoreinfo: ReadonlyMap<string, string>,
    order: ByteOrder,
    read: ReadMemory,
  ): Promise<LogState | undefined>
  /** The lines that the log still holds, oldest first. */
  read(state: LogState, read: ReadMemory): Promise<readonly StoredLine[]>
}

/** Memory that should hold a log holds something else. */
export class LogFormatError extends Error {
  override readonly name = 'LogFormatError'
}

/** Appends several lines; where the log ends is written once. */
export function appendAll(log: KernelLog, start: LogState, lines: readonly LogLine[]): LogChange {
  let state = start
  const writes: LogWrite[] = []
  for (const line of lines) {
    const change = log.appendLine(state, line)
    writes.push(...change.writes)
    state = change.state
  }
  return { writes: lines.length === 0 ? [] : [...writes, ...log.variables(state)], state }
}
