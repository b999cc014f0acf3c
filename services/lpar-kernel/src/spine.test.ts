/** One partition of 2011 from boot to release, and what its vmcore says. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { equalBytes, GiB, MiB, toAscii } from '@fadump-lab/shared/units'
import { contentPage } from './memory/content.ts'
import { startKernel } from './testing/started-kernel.ts'
import { VmcoreFile } from './testing/vmcore-file.ts'

const partition = {
  id: 'p6',
  memoryBytes: Number(4n * GiB),
  processors: 8,
  content: { seed: 7, populatedBytes: Number(3n * MiB) },
}

suite('a POWER6 partition of 2011: 4 GiB, 8 CPUs', () => {
  test('C150 it boots, registers, crashes, is captured, released, and registers again', async () => {
    await using kernel = await startKernel()
    await kernel.boot(partition)
    assert.equal(await kernel.read('kernel/fadump_registered'), '1\n')
    await kernel.client.crash({ params: { partition: 'p6' }, body: { cause: 'sysrq', cpu: 2 } })
    await kernel.until('capturing')
    assert.deepEqual(
      kernel.captures.map(({ dump, partitionUrl }) => ({ dump, partitionUrl })),
      [{ dump: 'p6-1', partitionUrl: `${kernel.url}/partitions/p6` }],
    )
    await VmcoreFile.read(kernel)
    await kernel.write('kernel/fadump_release_mem', '1')
    assert.equal(kernel.firmware.partition.state, 'running')
    await kernel.until('running')
    assert.equal(await kernel.read('kernel/fadump_registered'), '1\n')
  })

  test('C102 C103 the PT_LOADs are boot memory and the rest up to the reserved area', async () => {
    await using kernel = await startKernel()
    await kernel.boot(partition)
    await kernel.client.crash({ params: { partition: 'p6' }, body: { cause: 'sysrq' } })
    await kernel.until('capturing')
    const vmcore = await VmcoreFile.read(kernel)
    assert.deepEqual(
      vmcore.loads.map(({ physicalAddress, virtualAddress, fileSize, memorySize, flags }) => {
        return { physicalAddress, virtualAddress, fileSize, memorySize, flags }
      }),
      [
        {
          physicalAddress: 0n,
          virtualAddress: 0xc000_0000_0000_0000n,
          fileSize: 0x1400_0000n,
          memorySize: 0x1400_0000n,
          flags: 7,
        },
        {
          physicalAddress: 0x1400_0000n,
          virtualAddress: 0xc000_0000_1400_0000n,
          fileSize: 0xd7fe_0000n,
          memorySize: 0xd7fe_0000n,
          flags: 7,
        },
      ],
    )
  })

  test('C106 PT_LOAD[0] holds the memory of the first kernel, which the capture kernel has overwritten', async () => {
    await using kernel = await startKernel()
    await kernel.boot(partition)
    const page = contentPage(7, 0x42n)
    assert.ok(equalBytes(await kernel.memory(0x42_0000n, 65_536), page))
    await kernel.client.crash({ params: { partition: 'p6' }, body: { cause: 'sysrq' } })
    await kernel.until('capturing')
    const overwritten = await kernel.memory(0x42_0000n, 65_536)
    assert.match(toAscii(overwritten.subarray(0, 40)), /^fadump-lab capture kernel boot=/)
    const vmcore = await VmcoreFile.read(kernel)
    assert.ok(equalBytes(vmcore.memory(0x42_0000n, 65_536), page), vmcore.toString())
  })
})
