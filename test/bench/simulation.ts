/** Runs of the simulator in one thread, by the time of the processor: other work on the machine does not count as theirs. */
import { simulate } from '../../scripts/lab/simulate/simulation.ts'
import type { Figure } from './report.ts'

const warmUp = 20
const runs = 100
/** The default of `./lab simulate`. */
const steps = 4

/** `sha256`: GB/s of the same minute. */
export async function measureSimulation(sha256: number): Promise<Figure> {
  for (let seed = 1; seed <= warmUp; seed++) await simulate({ seed, steps })
  const before = process.cpuUsage()
  let events = 0
  for (let seed = 1; seed <= runs; seed++) events += (await simulate({ seed, steps })).events
  const { user, system } = process.cpuUsage(before)
  const value = (user + system) / 1e6 / runs
  return {
    name: `simulated run of ${Math.round(events / runs)} events, one thread`,
    value,
    unit: 's',
    against: { name: 'hashing 64 MiB', ratio: value / ((64 * 2 ** 20) / 1e9 / sha256) },
  }
}
