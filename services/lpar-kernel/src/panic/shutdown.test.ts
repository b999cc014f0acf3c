/** The orderly end of a kernel, and the kernel that kexec starts in its place. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { KernelProfileName, ShutdownRequest } from '@fadump-lab/shared/contracts'
import { GiB } from '@fadump-lab/shared/units'
import { rejectsWith } from '../testing/errno.ts'
import { startKernel, type StartedKernel } from '../testing/started-kernel.ts'
import { VmcoreFile } from '../testing/vmcore-file.ts'

const small = {
  id: 'p7',
  memoryBytes: Number(2n * GiB),
  processors: 4,
  content: { seed: 1, populatedBytes: 0x3_0000 },
}
const params = { partition: 'p7' }
const configure = 'ibm,configure-kernel-dump'

async function booted(profile: KernelProfileName): Promise<StartedKernel> {
  const kernel = await startKernel()
  await kernel.boot({ ...small, profile })
  return kernel
}

const shutdown = (kernel: StartedKernel, body: ShutdownRequest) =>
  kernel.client.shutdown({ params, body })

/** Ends the kernel by kexec, and waits for the next one. */
async function kexec(kernel: StartedKernel, bootArguments?: string): Promise<void> {
  const body = bootArguments === undefined ? {} : { bootArguments }
  await shutdown(kernel, { action: 'kexec', ...body })
  await kernel.until(kernel.firmware.partition.state)
}

const procFile = (kernel: StartedKernel, file: string) =>
  kernel.client.readProc({ params: { ...params, file } })

/** Command and status of every `ibm,configure-kernel-dump`. */
const configured = (kernel: StartedKernel) =>
  kernel.firmware.calls
    .filter(({ service }) => service === configure)
    .map(({ args, status }) => [args[0], status])

suite('orderly shutdown', () => {
  for (const [profile, commands] of [
    ['v5', [1]],
    ['modern', [1, 2]],
  ] as const) {
    for (const action of ['power-off', 'reboot'] as const) {
      test(`C120 ${profile}, ${action}: a registration is ${profile === 'v5' ? 'left' : 'taken back'}`, async () => {
        await using kernel = await booted(profile)
        await shutdown(kernel, { action })
        const sent = kernel.firmware.calls
        const end = sent.findIndex(({ status }) => status === 'no return')
        assert.deepEqual(
          sent.slice(0, end).map(({ args }) => args[0]),
          commands,
        )
        if (action === 'power-off') {
          assert.equal(kernel.firmware.partition.state, 'not-activated')
        } else await kernel.until('running')
      })
    }

    for (const action of ['power-off', 'reboot', 'kexec'] as const) {
      test(`C119 ${profile}: ${action} of the capture kernel gives the dump up`, async () => {
        await using kernel = await booted(profile)
        await kernel.crash('bug')
        await shutdown(kernel, { action })
        await kernel.until(action === 'power-off' ? 'not-activated' : 'running')
        assert.equal(kernel.firmware.dump, undefined)
        assert.deepEqual(
          configured(kernel).filter(([command]) => command === 3),
          [[3, 0]],
        )
      })
    }
  }
})

suite('kexec', () => {
  test('C120 modern: the registration is taken back, and the next kernel makes its own', async () => {
    await using kernel = await booted('modern')
    const { epoch } = kernel.firmware
    await kexec(kernel, 'fadump=on crashkernel=512M')
    assert.deepEqual(configured(kernel), [
      [1, 0],
      [2, 0],
      [1, 0],
    ])
    assert.equal(kernel.firmware.epoch, epoch, 'firmware starts nothing')
    assert.equal(await procFile(kernel, 'cmdline'), 'fadump=on crashkernel=512M\n')
    assert.equal(await kernel.read('kernel/fadump/mem_reserved'), '536937128\n')
    assert.equal(kernel.firmware.registered?.sections.at(2)?.sourceLength, 0x2000_0000n)
    await kernel.crash('bug', 1)
    assert.equal((await VmcoreFile.read(kernel)).cpus.length, 4)
  })

  test('C120 v5: the registration is left, so the next kernel is told that there is one', async () => {
    await using kernel = await booted('v5')
    await kexec(kernel)
    assert.deepEqual(configured(kernel), [
      [1, 0],
      [1, -9],
    ])
    assert.equal(await kernel.read('kernel/fadump_registered'), '1\n')
    assert.match(await procFile(kernel, 'kmsg'), /dump is already {2}registered\./)
    await kernel.crash('bug', 1)
    assert.equal((await VmcoreFile.read(kernel)).cpus.length, 4)
  })

  for (const [profile, dumps] of [
    ['v5', 1],
    ['modern', 0],
  ] as const) {
    test(`C120 ${profile}: when a next kernel without fadump crashes, firmware ${
      dumps === 0 ? 'has nothing to dump' : 'dumps by the stale registration into live memory'
    }`, async () => {
      await using kernel = await booted(profile)
      const { epoch } = kernel.firmware
      await kexec(kernel, 'console=hvc0')
      await kernel.client.crash({ params, body: { cause: 'panic' } })
      await kernel.until('running')
      assert.equal(kernel.firmware.partition.crashes, dumps)
      assert.ok(kernel.firmware.epoch > epoch)
      // The next kernel had its own data where the header was, so nobody can read the dump.
      assert.equal(kernel.firmware.partition.lastFailure, dumps === 0 ? undefined : 'not-valid')
      assert.equal(kernel.captures.length, 0)
    })
  }

  test('the kernel is away until the next one is up, which has a log of its own', async () => {
    await using kernel = await booted('v5')
    await kernel.write('devices/system/cpu/cpu3/online', '0')
    await shutdown(kernel, { action: 'kexec' })
    await kernel.until('running')
    assert.equal(await kernel.read('devices/system/cpu/online'), '0-3\n')
    assert.doesNotMatch(await procFile(kernel, 'kmsg'), /Starting new kernel/)
    await kexec(kernel)
    await kexec(kernel)
    assert.equal(await procFile(kernel, 'cmdline'), 'fadump=on\n')
  })

  test('of the capture kernel when firmware keeps the dump: the next one presents it again', async () => {
    await using kernel = await booted('modern')
    await kernel.crash('null-dereference', 2)
    kernel.firmware.forced.push({ service: configure, status: -1 })
    await kexec(kernel)
    assert.equal(kernel.firmware.partition.state, 'capturing')
    const vmcore = await VmcoreFile.read(kernel)
    assert.equal(vmcore.cpus.length, 4)
    await kernel.write('kernel/fadump/release_mem', '1')
    await rejectsWith('EPERM', kernel.write('kernel/fadump/release_mem', '1'))
    assert.equal(kernel.firmware.partition.state, 'running')
  })

  test('a host that ends after it: another one boots the next kernel', async () => {
    await using kernel = await booted('modern')
    await shutdown(kernel, { action: 'kexec', bootArguments: 'fadump=on nr_cpus=2' })
    await kernel.replaceHost()
    await kernel.until('running')
    assert.equal(await kernel.read('devices/system/cpu/possible'), '0-1\n')
  })
})
