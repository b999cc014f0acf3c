/** What the demo prints at the end: one row a system, or the same as JSON. */
import type { Dump } from '@fadump-lab/shared/contracts'
import { describeLength } from '@fadump-lab/shared/units'
import Table from 'cli-table3'
import type { DemoSystem } from './systems.ts'

export interface DemoResult {
  readonly system: DemoSystem
  readonly dump?: Dump
  readonly failure?: string
  /** Wall-clock seconds from creation to stored dump. */
  readonly seconds: number
  readonly file?: string
  /** NT_PRSTATUS notes in the file, read back from it. */
  readonly notes?: number
}

/** `ok`, or which system failed and why. */
export function verdict(results: readonly DemoResult[]): string {
  const failed = results.find((result) => result.failure !== undefined)
  return failed === undefined ? 'ok' : `failed: ${failed.system.id}: ${failed.failure}`
}

export function resultTable(results: readonly DemoResult[]): string {
  const table = new Table({
    head: ['partition', 'system', 'crash', 'vmcore', 'on disk', 'CPUs', 'status', 'time'],
    style: { head: [], border: [] },
    colAligns: ['left', 'left', 'left', 'right', 'right', 'right', 'left', 'right'],
  })
  for (const { system, dump, failure, seconds, notes } of results) {
    table.push([
      system.id,
      system.title,
      system.crash,
      dump === undefined ? '-' : rounded(dump.sizeBytes),
      dump === undefined ? '-' : rounded(dump.storedBytes),
      notes ?? '-',
      failure === undefined ? (dump?.status ?? '-') : 'failed',
      `${seconds.toFixed(1)} s`,
    ])
  }
  return table.toString()
}

export function resultJson(results: readonly DemoResult[]): string {
  const rows = results.map(({ system, dump, failure, seconds, file, notes }) => ({
    partition: system.id,
    memoryBytes: system.memoryBytes,
    processors: system.processors,
    crash: system.crash,
    seconds: Number(seconds.toFixed(3)),
    ...(failure === undefined ? {} : { failure }),
    ...(file === undefined ? {} : { file }),
    ...(notes === undefined ? {} : { notes }),
    ...(dump === undefined
      ? {}
      : {
          dump: dump.id,
          status: dump.status,
          sizeBytes: Number(dump.sizeBytes),
          storedBytes: Number(dump.storedBytes),
          digest: dump.digest,
        }),
  }))
  return JSON.stringify({ result: verdict(results), systems: rows }, undefined, 2)
}

/** The largest unit below `length`, one decimal. */
function rounded(length: bigint): string {
  const units = [
    [2n ** 40n, 'TiB'],
    [2n ** 30n, 'GiB'],
    [2n ** 20n, 'MiB'],
  ] as const
  const [size, name] = units.find(([unit]) => length >= unit) ?? [1n, 'B']
  if (size === 1n) return describeLength(length)
  return `${(Number(length) / Number(size)).toFixed(1)} ${name}`
}
