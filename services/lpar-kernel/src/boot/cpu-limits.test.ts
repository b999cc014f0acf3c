import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cpuLimitsOf } from './cpu-limits.ts'

const rows: readonly (readonly [commandLine: string, nrCpuIds: number, started: number])[] = [
  ['', 2048, 2048],
  ['nr_cpus=1', 1, 2048],
  ['nr-cpus=0x10', 16, 2048],
  ['nr_cpus=8 nr_cpus=4 nr_cpus=6', 4, 2048],
  ['nr_cpus=0', 2048, 2048],
  ['nr_cpus=4096', 2048, 2048],
  ['nr_cpus=x', 2048, 2048],
  ['maxcpus=1', 2048, 1],
  ['maxcpus=4 maxcpus=2', 2048, 2],
  ['maxcpus=0', 2048, 1],
  ['maxcpus=-1', 2048, 2048],
  ['nosmp', 2048, 1],
  ['nr_cpus=8 maxcpus=2', 8, 2],
  ['-- nr_cpus=1', 2048, 2048],
]

for (const [commandLine, nrCpuIds, started] of rows) {
  test(`the command line ${JSON.stringify(commandLine)} leaves ${nrCpuIds} CPUs, of which ${started} start`, () => {
    assert.deepEqual(cpuLimitsOf(commandLine, 2048), { nrCpuIds, started })
  })
}
