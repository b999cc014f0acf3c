/** The least boot memory that the model tells, through registration, crash and capture boot. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { failures, rehearse, type Rehearsal } from '@fadump-lab/shared/capture-memory'
import { drawPartitions, type DrawnPartition } from '../testing/arbitrary-partition.ts'
import { startKernel } from '../testing/started-kernel.ts'
import { describeCapture } from './describe-capture.ts'

const processorsMax = 8
const systemsTested = 12

interface Case {
  readonly drawn: DrawnPartition
  readonly minimumMiB: number
  /** What is told for one MiB less. */
  readonly short: Rehearsal
}

/** Partitions of profile v5, whose kernel takes any boot memory, that fail before a reader of the dump has come. */
function cases(): Case[] {
  return drawPartitions(600).flatMap((random) => {
    const { partition } = random
    const processors = Math.min(processorsMax, partition.processors)
    const small = { ...partition, profile: 'v5' as const, processors }
    const drawn = { ...random, partition: small, pageBytes: 65_536n }
    const described = describeCapture({ ...drawn, nrCpusMax: 1024, windowMiB: 4 })
    if (!described.isAccepted) return []
    const { minimumMiB = Infinity } = rehearse(described.system)
    const short = rehearse({ ...described.system, bootMemoryMiB: minimumMiB - 1 })
    const { failure } = short
    if (failure === undefined || minimumMiB * 3 > described.system.memoryMiB) return []
    const isEarly = failure.phase !== 'transfer' && failures[failure.kind].ends === 'failure action'
    return isEarly ? [{ drawn, minimumMiB, short }] : []
  })
}

async function outcomeOf({ drawn }: Case, bootMemoryMiB: number): Promise<string> {
  await using kernel = await startKernel()
  await kernel.boot({
    id: 'b1',
    ...drawn.partition,
    memoryBytes: Number(drawn.memoryBytes),
    content: { seed: 1, populatedBytes: 65_536 },
    bootArguments: `${drawn.commandLine} fadump_reserve_mem=${bootMemoryMiB}M`,
  })
  await kernel.crash()
  const { state, lastFailure = '' } = kernel.firmware.partition
  return state === 'capturing' ? 'through' : lastFailure
}

suite('the least boot memory of a partition', () => {
  const drawn = cases().slice(0, systemsTested)

  test('one MiB below it the capture boot fails with the predicted sentence, with it the dump is presented', async () => {
    assert.equal(drawn.length, systemsTested)
    for (const one of drawn) {
      assert.equal(await outcomeOf(one, one.minimumMiB - 1), one.short.explanation)
      assert.equal(await outcomeOf(one, one.minimumMiB), 'through')
    }
  })
})
