/** Rehearsals of a running partition over the REST API of the console, as a ratio to reading the partition there. */
import { startRoom } from '../support/room.ts'
import type { BenchAdapters } from './adapters.ts'
import type { Figure } from './report.ts'

const MiB = 2 ** 20
const repetitions = 500

/** Percentiles of rehearsals that fail, which search for the cheapest fix as well, and of rehearsals that pass. */
export async function measureRehearsals(adapters: BenchAdapters): Promise<readonly Figure[]> {
  await using room = await startRoom(adapters)
  const { api } = room
  const params = { partition: 'bench-rehearsal' }
  await api.boot({
    id: params.partition,
    memoryBytes: 2048 * MiB,
    processors: 20,
    content: { seed: 7, populatedBytes: MiB },
    bootArguments: 'fadump=on fadump_reserve_mem=256M',
  })
  const read = await times(() => api.routes.getPartition({ params }))
  const fails = await times(() => api.routes.rehearse({ params, body: {} }))
  const passes = await times(() => api.routes.rehearse({ params, body: { bootMemoryMiB: 320 } }))
  const cases = [
    ['fails', fails],
    ['passes', passes],
  ] as const
  return cases.flatMap(([what, sorted]) =>
    percents.map((percent): Figure => {
      const value = percentile(sorted, percent)
      const ratio = value / percentile(read, percent)
      const name = `rehearsal over REST, the dump ${what}: ${percent} % within`
      return { name, value, unit: 's', against: { name: 'reading the partition', ratio } }
    }),
  )
}

const percents = [50, 95, 99] as const

/** Seconds, ascending. The first tenth warms up and does not count. */
async function times(work: () => Promise<unknown>): Promise<readonly number[]> {
  const seconds: number[] = []
  for (let run = -repetitions / 10; run < repetitions; run += 1) {
    const started = performance.now()
    await work()
    if (run >= 0) seconds.push((performance.now() - started) / 1000)
  }
  return seconds.toSorted((a, b) => a - b)
}

function percentile(sorted: readonly number[], percent: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? NaN
}
