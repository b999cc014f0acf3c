/**
 * `node test/bench/capture-memory-sweep.ts`: a million configurations of the memory model, as a ratio to hashing 1 GiB on
 * the same machine in the same minute.
 */
import { createHash } from 'node:crypto'
import {
  describeSystem,
  evaluate,
  rehearse,
  sweepTables,
  type Sweep,
} from '@fadump-lab/shared/capture-memory'
import { printReport } from './report.ts'

const range = (length: number, first: number, step: number): number[] =>
  Array.from({ length }, (_, index) => first + index * step)

const sweep: Sweep = {
  base: { preset: '2011', memoryMiB: 2048, cpus: 20, card: 'ehea', target: 'ssh' },
  axes: [
    { setting: 'queues', values: range(16, 1, 1) },
    { setting: 'bootMemoryMiB', values: range(1250, 100, 1) },
    { setting: 'cpus', values: range(50, 4, 4) },
  ],
}

const hashSeconds = seconds(() => {
  const block = new Uint8Array(2 ** 20).map((_, index) => (index * 31) % 251)
  const digest = createHash('sha256')
  for (let count = 0; count < 1024; count += 1) digest.update(block)
  digest.digest()
})

const cells = { count: 0 }
const sweepSeconds = seconds(() => {
  for (const { rows } of sweepTables(sweep)) cells.count += rows.join('').length
})

const described = describeSystem({ ...sweep.base, bootMemoryMiB: 256 })
if (!described.isAccepted) throw new Error('the system of the benchmark is refused')
const repetitions = 1000
const evaluateSeconds = seconds(() => {
  for (let run = 0; run < repetitions; run += 1) evaluate(described.system)
})
const rehearseSeconds = seconds(() => {
  for (let run = 0; run < repetitions; run += 1) rehearse(described.system)
})

const against = (value: number) => ({ name: 'hashing 1 GiB', ratio: value / hashSeconds })
printReport([
  { name: 'calibration: SHA-256 of 1 GiB', value: hashSeconds, unit: 's' },
  {
    name: `sweep of ${cells.count} configurations, one core`,
    value: sweepSeconds,
    unit: 's',
    against: against(sweepSeconds),
  },
  {
    name: `${repetitions} evaluations with account`,
    value: evaluateSeconds,
    unit: 's',
    against: against(evaluateSeconds),
  },
  {
    name: `${repetitions} rehearsals of a dump that fails`,
    value: rehearseSeconds,
    unit: 's',
    against: against(rehearseSeconds),
  },
])

function seconds(work: () => void): number {
  const started = performance.now()
  work()
  return (performance.now() - started) / 1000
}
