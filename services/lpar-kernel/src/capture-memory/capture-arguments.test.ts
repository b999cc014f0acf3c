/** What a command line says of the CPUs that a capture kernel spends memory on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeCapture } from './describe-capture.ts'

const partition = { profile: 'modern', processors: 64, captureTarget: 'network' } as const
const MiB = 1n << 20n

/** Rows in the words of `get_option` and `nrcpus()` of kernel/smp.c. */
const rows: readonly (readonly [commandLine: string, nrCpus: number])[] = [
  ['fadump=on', 64],
  ['fadump=on nr_cpus=16', 16],
  ['fadump=on nr_cpus=0x10', 16],
  ['fadump=on nr-cpus=16', 16],
  ['fadump=on nr_cpus=8 nr_cpus=4 nr_cpus=6', 4],
  ['fadump=on nr_cpus=4 nr_cpus=0', 4],
  ['fadump=on nr_cpus=4096', 64],
  ['fadump=on maxcpus=1', 64],
  ['fadump=on -- nr_cpus=1', 64],
]

for (const [commandLine, nrCpus] of rows) {
  test(`the command line ${JSON.stringify(commandLine)} makes a capture kernel of 64 CPUs spend memory on ${nrCpus}`, () => {
    const described = describeCapture({
      partition,
      memoryBytes: 65_536n * MiB,
      bootMemoryBytes: 1024n * MiB,
      pageBytes: 65_536n,
      commandLine,
      nrCpusMax: 2048,
      windowMiB: 4,
    })
    assert.ok(described.isAccepted)
    assert.equal(described.system.nrCpus, nrCpus)
  })
}
