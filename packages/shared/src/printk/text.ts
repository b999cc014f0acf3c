/** How log lines look: what goes into a log, what `dmesg` and `/proc/kmsg` show. */
import { concat, fromAscii, hex, invariant, realAddress, type RealAddress } from '../units/index.ts'
import {
  logBitsMax,
  logBitsMin,
  type LogLayout,
  type LogLine,
  type ReadMemory,
} from './kernel-log.ts'

/** The most bytes of one line (`PRINTKRB_RECORD_MAX`, `LOG_LINE_MAX`). */
export const lineBytesMax = 1024

/** The lines of `text`, each as the bytes that may stand in a log; an empty line stays one. */
export function linesOf(text: string, bytesMax: number): Uint8Array[] {
  const lines = text.replace(/\n$/, '').split('\n')
  return lines.map((line) => fromAscii(line.replaceAll(/[^\t\x20-\x7e]/g, '?').slice(0, bytesMax)))
}

/** `[    1.234567] `: the stamp of printk.time=1. */
export function stamp(timestampNs: bigint): string {
  const seconds = `${timestampNs / 1_000_000_000n}`.padStart(5)
  const micros = `${(timestampNs / 1000n) % 1_000_000n}`.padStart(6, '0')
  return `[${seconds}.${micros}] `
}

/** A line as `dmesg` and `vmcore-dmesg` print it. */
export function formatDmesg(line: LogLine): string {
  return `${stamp(line.timestampNs)}${line.text}\n`
}

/** A line as /proc/kmsg gives it. */
export function formatKmsg(line: LogLine): string {
  return `<${line.level}>${formatDmesg(line)}`
}

/** What one read may ask for. */
const readBytesMax = 1024 * 1024

/** Reads any length, window by window. */
export async function readAll(
  read: ReadMemory,
  address: RealAddress,
  length: number,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for (let offset = 0; offset < length; offset += readBytesMax) {
    const window = Math.min(readBytesMax, length - offset)
    parts.push(await read(realAddress(address + BigInt(offset)), window))
  }
  return concat(parts)
}

export function checkLayout(layout: LogLayout): void {
  const { address, bits } = layout
  invariant(address % 64n === 0n, `log at ${hex(address)} is not 64-byte aligned`)
  invariant(
    Number.isInteger(bits) && bits >= logBitsMin && bits <= logBitsMax,
    `log of 2^${bits} bytes; allowed are 2^${logBitsMin} to 2^${logBitsMax}`,
  )
}

export function checkLine(line: LogLine): void {
  invariant(
    Number.isInteger(line.level) && line.level >= 0 && line.level <= 7,
    `log level ${line.level} is not 0 to 7`,
  )
}
