/** What Linux reserves for kdump when fadump reserves nothing, and what firmware keeps from both. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { GiB, MiB } from '@fadump-lab/shared/units'
import { startKernel, type StartedKernel } from '../testing/started-kernel.ts'

const small = { id: 'p7', memoryBytes: Number(2n * GiB), processors: 2 }

const procFile = (kernel: StartedKernel, file: string) =>
  kernel.client.readProc({ params: { partition: 'p7', file } })

async function available(kernel: StartedKernel): Promise<number> {
  return Number(/^MemTotal: +(\d+) kB$/m.exec(await procFile(kernel, 'meminfo'))?.[1])
}

suite('kdump in place of fadump', () => {
  test('C082 C083 modern: a reservation that fails leaves the memory to crashkernel=', async () => {
    await using kernel = await startKernel()
    await kernel.boot({ ...small, profile: 'modern', bootArguments: 'fadump=on crashkernel=256M' })
    // r-2G-ck256M of a real Linux 7.2.
    assert.match(
      await procFile(kernel, 'kmsg'),
      /crashkernel reserved: 0x0000000020000000 - 0x0000000030000000 \(256 MB\)$/m,
    )
    assert.equal(await kernel.read('kernel/fadump/enabled'), '0\n')
    assert.equal(await available(kernel), Number((2n * GiB - 256n * MiB) / 1024n))
  })

  test('C083 v5: without fadump= it goes to the middle of the real mode area, in the words of 3.4', async () => {
    await using kernel = await startKernel()
    await kernel.boot({ ...small, bootArguments: 'crashkernel=256M' })
    assert.match(
      await procFile(kernel, 'kmsg'),
      /Reserving 256MB of memory at 128MB for crashkernel \(System RAM: 2048MB\)$/m,
    )
    assert.equal(await available(kernel), Number((2n * GiB - 256n * MiB) / 1024n))
  })

  for (const profile of ['v5', 'modern'] as const) {
    test(`C083 ${profile}: with fadump nothing is reserved for it, and in a capture kernel neither`, async () => {
      await using kernel = await startKernel()
      await kernel.boot({ ...small, profile, bootArguments: 'fadump=on crashkernel=512M' })
      assert.doesNotMatch(await procFile(kernel, 'kmsg'), /crashkernel( reserved| \()/)
      await kernel.crash()
      assert.doesNotMatch(await procFile(kernel, 'kmsg'), /crashkernel( reserved| \()/)
    })
  }

  test('an offset is heeded, unless the kernel itself is there', async () => {
    await using kernel = await startKernel()
    await kernel.boot({ ...small, profile: 'modern', bootArguments: 'crashkernel=256M@768M' })
    assert.match(
      await procFile(kernel, 'kmsg'),
      /crashkernel reserved: 0x0000000030000000 - 0x0000000040000000 \(256 MB\)$/m,
    )
    await using other = await startKernel()
    await other.boot({ ...small, bootArguments: 'crashkernel=256M@64K' })
    assert.match(await procFile(other, 'kmsg'), /Crash kernel can not overlap current kernel$/m)
    assert.equal(await available(other), Number((2n * GiB) / 1024n))
  })

  test('crashkernel= that asks for too much says nothing and reserves nothing', async () => {
    await using kernel = await startKernel()
    await kernel.boot({ ...small, profile: 'modern', bootArguments: 'crashkernel=2G' })
    assert.equal(await available(kernel), Number((2n * GiB) / 1024n))
  })
})

suite('/reserved-ranges', () => {
  test('C082 modern: the area goes to the lowest place that firmware has not kept to itself', async () => {
    await using kernel = await startKernel()
    kernel.firmware.reservedRanges = [0x2000_0000n, 0x1_0000n, 0x1000_0000n, 0x10_0000n]
    await kernel.boot({ ...small, profile: 'modern' })
    assert.match(await procFile(kernel, 'kmsg'), /Reserved 320MB of memory at 0x00000020010000/)
    assert.equal(kernel.firmware.registered?.sections[0]?.destinationAddress, 0x2001_0000n)
  })

  test('C082 modern: when none is large enough fadump is off', async () => {
    await using kernel = await startKernel()
    kernel.firmware.reservedRanges = [0x4000_0000n, 0x1000n]
    await kernel.boot({ ...small, profile: 'modern', bootArguments: 'fadump=on crashkernel=512M' })
    assert.equal(kernel.firmware.registered?.sections[0]?.destinationAddress, 0x4001_0000n)
    await using full = await startKernel()
    full.firmware.reservedRanges = [0x2000_0000n, 0x1000n, 0x4000_0000n, 0x1000n, 0x6000_0000n, 1n]
    await full.boot({ ...small, profile: 'modern', bootArguments: 'fadump=on crashkernel=512M' })
    assert.equal(await full.read('kernel/fadump/enabled'), '0\n')
    assert.match(await procFile(full, 'kmsg'), /Failed to find memory chunk for reservation!/)
  })

  test('v5 does not look at it', async () => {
    await using kernel = await startKernel()
    kernel.firmware.reservedRanges = [0x7000_0000n, 0x10_0000n]
    await kernel.boot(small)
    assert.match(await procFile(kernel, 'kmsg'), /Reserved 320MB of memory at 1727MB/)
  })
})
