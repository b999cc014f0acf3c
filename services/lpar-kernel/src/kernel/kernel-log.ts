/** The kernel's log in its own memory: `printk`, and what /proc/kmsg shows. */
import type { KernelProfileName } from '@fadump-lab/shared/contracts'
import { kernelProfiles } from '@fadump-lab/shared/fadump'
import {
  appendAll,
  characterLog,
  recordRing,
  type KernelLog,
  type LogChange,
  type LogLayout,
  type LogLine,
} from '@fadump-lab/shared/printk'
import { remembering } from '@fadump-lab/shared/runtime'
import type { MemoryWrite } from '@fadump-lab/shared/store'
import { joinWrites } from '../memory/join-writes.ts'
import { symbolAddress } from '../memory/kernel-image.ts'
import type { PartitionMemory } from '../memory/partition-memory.ts'

/** A line to be logged; `level` defaults to that of `pr_info`. */
export type Line = string | { readonly text: string; readonly level: number }

const informational = 6

interface LogOfProfile {
  readonly log: KernelLog
  readonly layout: LogLayout
  /** An empty log. Every boot begins with the same bytes, which nobody changes: they are made once. */
  readonly empty: LogChange
  /** Those of the first lines, given as JSON. */
  readonly firstWrites: (lines: string) => readonly MemoryWrite[]
}

/** First lines of boots that are remembered as the writes they make: a boot says what the one before has said. */
const rememberedMax = 64

/** `CONFIG_LOG_BUF_SHIFT`. */
const logBits = 17

const logs: Readonly<Record<KernelProfileName, LogOfProfile>> = {
  v5: logAt(characterLog, layoutOf('v5')),
  modern: logAt(recordRing, layoutOf('modern')),
}

function logAt(log: KernelLog, layout: LogLayout): LogOfProfile {
  const empty = log.init(layout)
  return { log, layout, empty, firstWrites: firstWritesOf(log, empty) }
}

function layoutOf(profile: KernelProfileName): LogLayout {
  const order = kernelProfiles[profile].byteOrder
  return { order, address: symbolAddress('log'), bits: logBits }
}

export function logOf(profile: KernelProfileName): LogOfProfile {
  return logs[profile]
}

/** When lines are printed: `bootedAtMs` is their zero. */
export interface LogTime {
  readonly profile: KernelProfileName
  readonly bootedAtMs: number
  readonly nowMs: number
  /** The CPU that prints, when it is not a task. */
  readonly cpu?: number
}

/** An empty log with the first lines of a boot, all stamped 0 as long as there is no clock. */
export async function startLog(
  memory: PartitionMemory,
  profile: KernelProfileName,
  lines: readonly Line[],
): Promise<void> {
  const { empty, firstWrites } = logs[profile]
  await memory.writeAll([...empty.writes, ...firstWrites(JSON.stringify(lines))])
}

/** The writes to an empty log of lines that are given as JSON. */
function firstWritesOf(log: KernelLog, empty: LogChange): LogOfProfile['firstWrites'] {
  return remembering(rememberedMax, (text) => {
    const lines = JSON.parse(text) as readonly Line[]
    const stored = lines.map((line) => toLogLine(line, 0n, 0))
    return joinWrites(appendAll(log, empty.state, stored).writes)
  })
}

/** Adds lines to a log that stands in memory. */
export async function printk(
  memory: PartitionMemory,
  time: LogTime,
  lines: readonly Line[],
): Promise<void> {
  if (lines.length === 0) return
  const { log, layout } = logs[time.profile]
  const state = await log.load(layout, (address, length) => memory.read(address, length))
  const stamp = BigInt(Math.max(0, Math.round((time.nowMs - time.bootedAtMs) * 1000))) * 1000n
  const caller = time.cpu === undefined ? 1 : 0x8000_0000 + time.cpu
  const { writes } = appendAll(
    log,
    state,
    lines.map((line) => toLogLine(line, stamp, caller)),
  )
  await memory.writeAll(writes)
}

function toLogLine(line: Line, timestampNs: bigint, callerId: number): LogLine {
  return typeof line === 'string'
    ? { timestampNs, level: informational, text: line, callerId }
    : { timestampNs, level: line.level, text: line.text, callerId }
}
