import assert from 'node:assert/strict'
import test from 'node:test'
import { newFault } from '@fadump-lab/shared/contracts'
import { FaultPlan, FaultTools, ProcessEndedError } from '@fadump-lab/shared/faults'
import { VirtualClock } from '@fadump-lab/shared/runtime'
import { MemoryDisk } from '../../test/memory-disk.ts'
import { faultyFiles } from './faulty-files.ts'

const root = '/dumps'
const directory = `${root}/p1/p1-00ff00-1.incomplete`
const vmcore = `${directory}/vmcore`
const bytes = Uint8Array.from({ length: 100 }, (_, index) => index)

async function setUp(...forms: readonly object[]) {
  const disk = new MemoryDisk()
  await disk.makeDirectory(directory)
  const plan = new FaultPlan({ service: 'dump-collector' })
  const tools = new FaultTools({ plan, clock: new VirtualClock(), abort: () => undefined })
  for (const [index, form] of forms.entries()) plan.arm(`f-${index}`, newFault.parse(form))
  const struck = () => plan.list().map((fault) => fault.struck)
  return { disk, files: faultyFiles(disk, tools), struck }
}

for (const [at, written] of [
  [0, 0],
  [30, 30],
  [50, 50],
  [99, 99],
] as const) {
  test(`a disk that is full at byte ${at} takes what is before it, then has no space`, async () => {
    const { disk, files, struck } = await setUp({ name: 'disk-full', value: at })
    await using file = await files.open(vmcore, 'replace')
    const parts = [bytes.subarray(0, 50), bytes.subarray(50)]
    await assert.rejects(file.write(parts, 0), { code: 'ENOSPC' })
    assert.deepEqual(disk.content(vmcore), bytes.slice(0, written))
    assert.deepEqual(struck(), [1])
    await file.write(parts, 0)
    assert.deepEqual(disk.content(vmcore), bytes)
  })
}

test('a write that ends at the byte fits', async () => {
  const { files, struck } = await setUp({ name: 'disk-full', value: 100 })
  await using file = await files.open(vmcore, 'replace')
  await file.write([bytes], 0)
  assert.deepEqual(struck(), [0])
})

test('what an fsync that fails was for is not on the disk', async () => {
  const { disk, files } = await setUp({ name: 'fsync-error', at: 'vmcore' })
  await using file = await files.open(vmcore, 'replace')
  await file.write([bytes], 0)
  await files.syncDirectory(directory)
  await assert.rejects(file.sync(), { code: 'EIO' })
  assert.deepEqual(disk.afterPowerCut('strict').content(vmcore), new Uint8Array())
})

test('an fsync of a directory that fails leaves its names in the air', async () => {
  const { disk, files } = await setUp({ name: 'fsync-error', at: 'directory' })
  await using file = await files.open(vmcore, 'replace')
  await file.sync()
  await assert.rejects(files.syncDirectory(directory), { code: 'EIO' })
  assert.deepEqual(disk.afterPowerCut('strict').names(directory), [])
})

test('a rotten bit is on the disk, for every reader', async () => {
  const { disk, files, struck } = await setUp({ name: 'bit-rot', value: 42 })
  await using file = await files.open(vmcore, 'replace')
  await file.write([bytes], 0)
  assert.deepEqual(struck(), [0])
  await using reader = await files.open(vmcore, 'read')
  const got = new Uint8Array(100)
  await reader.read(got, 0)
  assert.deepEqual(got, bytes.with(42, 43))
  assert.deepEqual(disk.content(vmcore), bytes.with(42, 43))
})

test('bits rot in files that have them only', async () => {
  const { files, struck } = await setUp({ name: 'bit-rot', value: 100 })
  await using file = await files.open(vmcore, 'replace')
  await file.write([bytes], 0)
  await using _reader = await files.open(vmcore, 'read')
  assert.deepEqual(struck(), [0])
})

test('faults of one partition or one file leave the others alone', async () => {
  const { files, struck } = await setUp(
    { name: 'disk-full', scope: { partition: 'p2' } },
    { name: 'disk-full', at: 'dump.json' },
    { name: 'disk-full', at: 'vmcore', scope: { partition: 'p1' }, after: 1 },
  )
  await using file = await files.open(vmcore, 'replace')
  await file.write([bytes], 0)
  assert.deepEqual(struck(), [0, 0, 0])
  await assert.rejects(file.write([bytes], 0), { code: 'ENOSPC' })
})

/** What takes a step, and whether it shows on the disk afterwards. */
const steps = {
  'files.open': async (_disk, files) => {
    await files.open(vmcore, 'replace')
  },
  'files.rename': async (disk, files) => {
    await disk.open(`${vmcore}.new`, 'replace')
    await files.rename(`${vmcore}.new`, vmcore)
  },
} satisfies Record<
  string,
  (disk: MemoryDisk, files: ReturnType<typeof faultyFiles>) => Promise<void>
>

for (const [at, take] of Object.entries(steps)) {
  for (const [value, moment] of ['before', 'after'].entries()) {
    test(`a process that ends ${moment} ${at} does nothing on the disk any more`, async () => {
      const { disk, files } = await setUp({ name: 'process-abort', at, value })
      await assert.rejects(take(disk, files), ProcessEndedError)
      assert.equal(disk.names(directory).includes('vmcore'), value === 1)
      await assert.rejects(files.remove(directory), ProcessEndedError)
      await assert.rejects(files.facts(vmcore), ProcessEndedError)
    })
  }
}
