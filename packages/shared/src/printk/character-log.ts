/**
 * The log of kernels up to 3.4: a ring of characters, each line with its prefix `<6>[    0.000000] `.
 * Source: `log_buf`, `emit_log_char`, `vprintk` (kernel/printk.c of 3.4). `vmcore-dmesg` reads it through
 * SYMBOL(log_buf), SYMBOL(log_end), SYMBOL(log_buf_len), SYMBOL(logged_chars).
 *
 * Not modelled: a reader of /proc/kmsg moves `log_start`; here nobody does, and the console has always caught up.
 */
import { linearMapBase, vmcoreinfo, type VmcoreinfoEntry } from '../elf/index.ts'
import { layout, u32, u64, type ByteOrder, type ValueOf } from '../layout/index.ts'
import {
  advance,
  concat,
  fromAscii,
  hex,
  invariant,
  realAddress,
  toAscii,
  viewOf,
  type RealAddress,
} from '../units/index.ts'
import {
  logBitsMax,
  LogFormatError,
  type CharacterLogState,
  type KernelLog,
  type LogChange,
  type LogLayout,
  type LogLine,
  type LogState,
  type LogWrite,
  type ReadMemory,
  type StoredLine,
} from './kernel-log.ts'
import { physicalAddress, symbolAddress } from './symbols.ts'
import { checkLayout, checkLine, lineBytesMax, linesOf, readAll, stamp } from './text.ts'

const rows = [
  ['buffer', 0, u64, 'log_buf', 'virtual address of the characters'],
  ['bufferBytes', 8, u32, 'log_buf_len', 'a power of two'],
  ['end', 12, u32, 'log_end', 'characters written since boot, modulo 2^32'],
  ['start', 16, u32, 'log_start', 'the next character /proc/kmsg gives'],
  ['consoleStart', 20, u32, 'con_start', 'the next character for the console'],
  ['loggedChars', 24, u32, 'logged_chars', 'characters since the last clear, at most log_buf_len'],
  ['reserved', 28, u32, '-', 'padding'],
] as const

/** The variables of kernel/printk.c; the compiler may place them anywhere, we keep them together. */
export const characterLogLayout = layout('printk_variables', 32, rows)
export type CharacterLogVariables = ValueOf<typeof rows>

const variableNames = {
  buffer: 'log_buf',
  bufferBytes: 'log_buf_len',
  end: 'log_end',
  loggedChars: 'logged_chars',
} as const
const zeroVariables: CharacterLogVariables = {
  buffer: 0n,
  bufferBytes: 0,
  end: 0,
  start: 0,
  consoleStart: 0,
  loggedChars: 0,
  reserved: 0,
}

/** Where the characters start, from `LogLayout.address` on. */
const bufferOffset = 64

export const characterLog: KernelLog = {
  name: 'character-log',
  bytesNeeded,
  vmcoreinfo: exported,
  init,
  append,
  appendLine,
  variables: (state) => variableWrites(ours(state)),
  load,
  attach,
  async read(state, read) {
    return parseLines(await heldText(ours(state), read))
  },
}

/** What is left in the ring, oldest character first: the very text that `vmcore-dmesg` prints. */
export async function heldText(state: CharacterLogState, read: ReadMemory): Promise<string> {
  const ring = await readAll(read, state.buffer, state.bufferBytes)
  const at = state.end % state.bufferBytes
  const newest = ring.subarray(0, at)
  return toAscii(state.end < state.bufferBytes ? newest : concat([ring.subarray(at), newest]))
}

function bytesNeeded({ bits }: LogLayout): number {
  return bufferOffset + 2 ** bits
}

/** `log_buf_kexec_setup`: four symbols, in this order. */
function exported({ address }: LogLayout): VmcoreinfoEntry[] {
  return (['buffer', 'end', 'bufferBytes', 'loggedChars'] as const).map((field) =>
    vmcoreinfo.symbol(variableNames[field], linearMapBase + fieldAddress(address, field)),
  )
}

function init(layout: LogLayout): LogChange {
  checkLayout(layout)
  const state = emptyState(layout)
  const variables = characterLogLayout.encode(
    { ...zeroVariables, buffer: linearMapBase + state.buffer, bufferBytes: state.bufferBytes },
    layout.order,
  )
  const rest = new Uint8Array(bytesNeeded(layout) - variables.byteLength)
  return { writes: [{ address: layout.address, bytes: concat([variables, rest]) }], state }
}

function append(before: LogState, line: LogLine): LogChange {
  const { writes, state } = appendLine(before, line)
  return { writes: [...writes, ...variableWrites(ours(state))], state }
}

function appendLine(state: LogState, line: LogLine): LogChange {
  const before = ours(state)
  checkLine(line)
  const prefix = `<${line.level}>${stamp(line.timestampNs)}`
  const room = Math.min(lineBytesMax, before.bufferBytes / 2) - prefix.length - 1
  const text = concat(
    linesOf(line.text, room).flatMap((bytes) => [fromAscii(prefix), bytes, fromAscii('\n')]),
  )
  const after = advanced(before, text.byteLength)
  return { writes: ringWrites(before, text), state: after }
}

async function load(layout: LogLayout, read: ReadMemory): Promise<CharacterLogState> {
  checkLayout(layout)
  const expected = emptyState(layout)
  const bytes = await read(layout.address, characterLogLayout.size)
  const found = characterLogLayout.decode(bytes, layout.order)
  const buffer = linearMapBase + expected.buffer
  if (found.buffer !== buffer || found.bufferBytes !== expected.bufferBytes) {
    const value = `log_buf ${hex(found.buffer)}, log_buf_len ${found.bufferBytes}`
    throw new LogFormatError(`no character log of ours at ${hex(layout.address)}: ${value}`)
  }
  const { end, start, loggedChars } = found
  return checked({ ...expected, end, start, loggedChars })
}

/** `start` is not exported; it is taken to be the oldest character. */
async function attach(
  symbols: ReadonlyMap<string, string>,
  order: ByteOrder,
  read: ReadMemory,
): Promise<CharacterLogState | undefined> {
  const names = [variableNames.buffer, variableNames.bufferBytes] as const
  const [buffer, length] = names.map((name) => symbolAddress(symbols, name))
  const logEnd = symbolAddress(symbols, variableNames.end)
  const loggedChars = symbolAddress(symbols, variableNames.loggedChars)
  if (buffer === undefined || length === undefined) return undefined
  if (logEnd === undefined || loggedChars === undefined) return undefined
  const number = async (address: RealAddress): Promise<number> =>
    u32.read({ view: viewOf(await read(address, 4)), offset: 0, order })
  const pointer = u64.read({ view: viewOf(await read(buffer, 8)), offset: 0, order })
  const bufferBytes = await number(length)
  const end = await number(logEnd)
  return checked({
    log: 'character-log',
    order,
    variables: { logEnd, loggedChars },
    buffer: physicalAddress(pointer),
    bufferBytes,
    end,
    start: end < bufferBytes ? 0 : end - bufferBytes,
    loggedChars: await number(loggedChars),
  })
}

function ours(state: LogState): CharacterLogState {
  invariant(state.log === 'character-log', `the state of a ${state.log} is not a character log's`)
  return state
}

function emptyState({ order, address, bits }: LogLayout): CharacterLogState {
  return {
    log: 'character-log',
    order,
    variables: {
      logEnd: realAddress(fieldAddress(address, 'end')),
      loggedChars: realAddress(fieldAddress(address, 'loggedChars')),
      logStart: realAddress(fieldAddress(address, 'start')),
      consoleStart: realAddress(fieldAddress(address, 'consoleStart')),
    },
    buffer: advance(address, bufferOffset),
    bufferBytes: 2 ** bits,
    end: 0,
    start: 0,
    loggedChars: 0,
  }
}

/** `emit_log_char`, `length` times. */
function advanced(state: CharacterLogState, length: number): CharacterLogState {
  const end = wrapped(state.end + length)
  const unread = wrapped(end - state.start)
  return {
    ...state,
    end,
    start: unread > state.bufferBytes ? wrapped(end - state.bufferBytes) : state.start,
    loggedChars: Math.min(state.loggedChars + length, state.bufferBytes),
  }
}

/** The characters that stay, at their places in the ring; what one line overwrites itself is not written. */
function ringWrites(before: CharacterLogState, text: Uint8Array): LogWrite[] {
  const { buffer, bufferBytes } = before
  const kept = text.subarray(Math.max(0, text.byteLength - bufferBytes))
  const at = wrapped(before.end + text.byteLength - kept.byteLength) % bufferBytes
  const untilWrap = kept.subarray(0, bufferBytes - at)
  const afterWrap = kept.subarray(untilWrap.byteLength)
  return [
    { address: advance(buffer, at), bytes: untilWrap },
    { address: buffer, bytes: afterWrap },
  ].filter(({ bytes }) => bytes.byteLength > 0)
}

function variableWrites(state: CharacterLogState): LogWrite[] {
  const { logEnd, logStart, consoleStart, loggedChars } = state.variables
  const values = [
    [logEnd, state.end],
    [logStart, state.start],
    [consoleStart, state.end],
    [loggedChars, state.loggedChars],
  ] as const
  return values.flatMap(([address, value]) => {
    if (address === undefined) return []
    const bytes = new Uint8Array(4)
    u32.write({ view: viewOf(bytes), offset: 0, order: state.order }, value)
    return [{ address, bytes }]
  })
}

function checked(state: CharacterLogState): CharacterLogState {
  const { bufferBytes, end, start, loggedChars } = state
  const isPowerOfTwo = bufferBytes > 0 && (bufferBytes & (bufferBytes - 1)) === 0
  if (!isPowerOfTwo || bufferBytes > 2 ** logBitsMax) {
    throw new LogFormatError(`log_buf_len ${bufferBytes} is not a power of two up to 1 MiB`)
  }
  if (wrapped(end - start) > bufferBytes || loggedChars > bufferBytes) {
    const value = `log_end ${end}, log_start ${start}, logged_chars ${loggedChars}`
    throw new LogFormatError(`log of ${bufferBytes} bytes is inconsistent: ${value}`)
  }
  return state
}

/** The whole lines in `text`; what the ring left of an older line has no prefix and is left out. */
function parseLines(text: string): StoredLine[] {
  return text
    .split('\n')
    .flatMap((line) => {
      const match = linePattern.exec(line)
      if (match === null) return []
      const [, level = '', seconds = '', micros = '', rest = ''] = match
      const timestampNs = BigInt(seconds) * 1_000_000_000n + BigInt(micros) * 1000n
      return [{ timestampNs, level: Number(level), text: rest }]
    })
    .map((line, index) => ({ ...line, sequence: BigInt(index) }))
}

const linePattern = /^<([0-7])>\[ *(\d+)\.(\d{6})\] (.*)$/

function fieldAddress(address: bigint, field: keyof CharacterLogVariables): bigint {
  return address + BigInt(characterLogLayout.offsetOf(field))
}

/** `unsigned` of 32 bits. */
function wrapped(value: number): number {
  return value >>> 0
}
