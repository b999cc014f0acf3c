/** Writes that touch or overlap, as one: a store composes and names a whole page for each write it is given. */
import type { MemoryWrite } from '@fadump-lab/shared/store'
import { realAddress } from '@fadump-lab/shared/units'

interface Run {
  readonly start: bigint
  end: bigint
  /** In the order in which they were given. */
  readonly writes: MemoryWrite[]
  /** Number of the last of them. */
  last: number
}

/**
 * Disjoint writes with gaps between them; where several wrote, the last one counts. They keep the order of their last
 * writes: what is written last to make the rest valid, such as the head of a log, still is, if the writer dies before.
 */
export function joinWrites(writes: readonly MemoryWrite[]): readonly MemoryWrite[] {
  const runs = runsOf(writes)
  let at = 0
  for (const [last, write] of writes.entries()) {
    if (write.bytes.byteLength === 0) continue
    at = indexOfRun(runs, write.address, at)
    const run = runs[at]
    if (run === undefined) continue
    run.writes.push(write)
    run.last = last
  }
  return runs.toSorted((a, b) => a.last - b.last).map((run) => united(run))
}

/** Where something is written, ascending and with gaps between. */
function runsOf(writes: readonly MemoryWrite[]): Run[] {
  const spans = writes
    .filter(({ bytes }) => bytes.byteLength > 0)
    .map(({ address, bytes }) => ({ start: address, end: address + BigInt(bytes.byteLength) }))
    .toSorted((a, b) => (a.start < b.start ? -1 : Number(a.start > b.start)))
  const runs: Run[] = []
  for (const { start, end } of spans) {
    const last = runs.at(-1)
    if (last === undefined || start > last.end) runs.push({ start, end, writes: [], last: 0 })
    else if (end > last.end) last.end = end
  }
  return runs
}

/** The last run that begins at or before `address`; mostly it is the one of the write before, `near`. */
function indexOfRun(runs: readonly Run[], address: bigint, near: number): number {
  const candidate = runs[near]
  if (candidate !== undefined && candidate.start <= address && address < candidate.end) return near
  let [low, high] = [0, runs.length]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((runs[middle]?.start ?? 0n) <= address) low = middle
    else high = middle
  }
  return low
}

/** A write that stands alone is passed on as it is. */
function united({ start, end, writes }: Run): MemoryWrite {
  const [only, ...others] = writes
  if (only !== undefined && others.length === 0) return only
  const bytes = new Uint8Array(Number(end - start))
  for (const write of writes) bytes.set(write.bytes, Number(write.address - start))
  return { address: realAddress(start), bytes }
}
