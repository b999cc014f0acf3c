/** One whole crash cycle over the REST API: crash, preserve, capture, verify, store, release, register again. */
import { startRoom } from '../support/room.ts'
import type { BenchAdapters } from './adapters.ts'

const GiB = 2 ** 30
const cycles = 5

export interface Cycle {
  /** Median seconds of a cycle. */
  readonly seconds: number
  /** Seconds from claim to stored dump, within it. */
  readonly captureSeconds: number
  /** Bytes of vmcore that were transferred, verified and stored in one cycle. */
  readonly bytes: number
}

/** A 2 GiB, 4 CPU partition of profile v5 with `populatedBytes` of content, crashed five times. */
export async function measureCycle(
  adapters: BenchAdapters,
  populatedBytes: number,
): Promise<Cycle> {
  await using room = await startRoom(adapters)
  const id = `bench-${populatedBytes / 2 ** 20}m`
  await room.api.boot({
    id,
    memoryBytes: 2 * GiB,
    processors: 4,
    content: { seed: 7, populatedBytes },
  })
  const runs: Cycle[] = []
  for (let run = 0; run < cycles; run += 1) {
    const started = performance.now()
    const dump = await room.api.crash(id)
    runs.push({
      seconds: (performance.now() - started) / 1000,
      captureSeconds: (Date.parse(dump.completedAt ?? '') - Date.parse(dump.startedAt)) / 1000,
      bytes: Number(dump.transferredBytes),
    })
  }
  const sorted = runs.toSorted((a, b) => a.seconds - b.seconds)
  const median = sorted[Math.floor(cycles / 2)]
  if (median === undefined) throw new Error('no cycle was run')
  return median
}
