/** Memory that comes and goes while a dump is registered; numbers and lines of h-2g-memhp of a real Linux 7.2. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { KernelProfileName } from '@fadump-lab/shared/contracts'
import { GiB } from '@fadump-lab/shared/units'
import { rejectsWith } from '../testing/errno.ts'
import { startKernel, type StartedKernel } from '../testing/started-kernel.ts'
import { VmcoreFile } from '../testing/vmcore-file.ts'

const file = 'kernel/dlpar'

async function booted(profile: KernelProfileName): Promise<StartedKernel> {
  const kernel = await startKernel()
  await kernel.boot({
    id: 'p7',
    profile,
    memoryBytes: Number(2n * GiB),
    maximumMemoryBytes: Number(8n * GiB),
    processors: 2,
    content: { seed: 1, populatedBytes: 0x3_0000 },
  })
  return kernel
}

function kmsg(kernel: StartedKernel): Promise<string> {
  return kernel.client.readProc({ params: { partition: 'p7', file: 'kmsg' } })
}

async function ends(kernel: StartedKernel): Promise<bigint> {
  const last = (await VmcoreFile.read(kernel)).loads.at(-1)
  return (last?.physicalAddress ?? 0n) + (last?.memorySize ?? 0n)
}

suite('memory that is added', () => {
  test('C104 modern: it is in the dump without another registration', async () => {
    await using kernel = await booted('modern')
    assert.equal(await kernel.read('kernel/fadump/hotplug_ready'), '1\n')
    await kernel.write(file, 'memory add count 4\n')
    const log = await kmsg(kernel)
    assert.match(log, /pseries-hotplug-mem: Attempting to hot-add 4 LMB\(s\)/)
    assert.match(log, /Memory at 80000000 \(drc index 80000008\) was hot-added/)
    assert.match(log, /Memory at b0000000 \(drc index 8000000b\) was hot-added/)
    await kernel.crash()
    assert.deepEqual((await kmsg(kernel)).match(/Reserving .*/g), [
      'Reserving 1728MB of memory at 0x00000014000000 for preserving crash data',
      'Reserving 1024MB of memory at 0x00000080000000 for preserving crash data',
    ])
    const [, last] = (await VmcoreFile.read(kernel)).loads
    assert.deepEqual([last?.physicalAddress, last?.memorySize], [0x2801_02a8n, 0x97fe_fd58n])
    assert.equal((last?.offset ?? 0n) + (last?.memorySize ?? 0n), 2_885_746_688n)
  })

  test('C104 v5: it is missing until the next registration', async () => {
    await using stale = await booted('v5')
    await stale.write(file, 'memory add index 0x80000008')
    await stale.crash()
    const frozen = await ends(stale)
    await using fresh = await booted('v5')
    await fresh.write(file, 'memory add index 0x80000008')
    await fresh.write('kernel/fadump_registered', '0')
    await fresh.write('kernel/fadump_registered', '1')
    await fresh.crash()
    assert.ok(frozen < 0x8000_0000n)
    assert.equal(await ends(fresh), 0x9000_0000n)
  })

  test('no more than the partition may have, and only what is well said', async () => {
    await using kernel = await booted('modern')
    const wrong = ['memory add count 25', 'memory add count 0', 'memory add index 0x80000001']
    for (const text of [...wrong, 'memory add index 0x80000020', 'cpu add index 1', '', 'memory']) {
      await rejectsWith('EINVAL', kernel.write(file, text))
    }
    await rejectsWith('EACCES', kernel.read(file))
    await kernel.write(file, 'memory add count 24')
    const meminfo = await kernel.client.readProc({ params: { partition: 'p7', file: 'meminfo' } })
    assert.match(meminfo, /MemTotal: +8388543 kB/)
  })
})

suite('memory that is removed', () => {
  test('C139 modern: blocks of boot memory and dump area stay while a dump is registered', async () => {
    await using kernel = await booted('modern')
    for (const index of ['0x80000000', '0x80000001', '0x80000002']) {
      await rejectsWith('EINVAL', kernel.write(file, `memory remove index ${index}`))
    }
    assert.match(await kmsg(kernel), /Failed to hot-remove memory at 20000000/)
    await kernel.write(file, 'memory remove index 0x80000003')
    await rejectsWith('EINVAL', kernel.write(file, 'memory remove index 0x80000003'))
    await kernel.crash()
    assert.deepEqual(
      (await VmcoreFile.read(kernel)).loads.map(({ physicalAddress }) => physicalAddress),
      [0n, 0x2801_02a8n, 0x4000_0000n],
    )
    await rejectsWith('EBUSY', kernel.write(file, 'memory add count 1'))
  })

  test('C139 modern: unregistered they may go, but for the block of the kernel', async () => {
    await using kernel = await booted('modern')
    await kernel.write('kernel/fadump/registered', '0')
    await kernel.write(file, 'memory remove index 0x80000002')
    await rejectsWith('EINVAL', kernel.write(file, 'memory remove index 0x80000000'))
  })

  test('v5 does not look: a block of the dump area goes', async () => {
    await using kernel = await booted('v5')
    await kernel.write(file, 'memory remove index 0x80000007')
    assert.match(await kmsg(kernel), /Memory at 70000000 \(drc index 80000007\) was hot-removed/)
  })
})
