/** Processors that come and go: Linux 6.10 `dlpar_cpu`, 3.4 `dlpar_cpu_probe` and `dlpar_cpu_release`. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { KernelProfileName } from '@fadump-lab/shared/contracts'
import { GiB, toHex } from '@fadump-lab/shared/units'
import type { Errno } from '../kernel/errno.ts'
import { rejectsWith } from '../testing/errno.ts'
import { startKernel, type StartedKernel } from '../testing/started-kernel.ts'
import { VmcoreFile } from '../testing/vmcore-file.ts'

const dlpar = 'kernel/dlpar'
const probe = 'devices/system/cpu/probe'
const release = 'devices/system/cpu/release'

async function booted(
  profile: KernelProfileName,
  more: Readonly<Record<string, unknown>> = {},
): Promise<StartedKernel> {
  const kernel = await startKernel()
  await kernel.boot({
    id: 'p7',
    profile,
    memoryBytes: Number(2n * GiB),
    processors: 4,
    content: { seed: 1, populatedBytes: 0x3_0000 },
    ...more,
  })
  return kernel
}

function masks(kernel: StartedKernel): Promise<string[]> {
  const names = ['possible', 'present', 'online', 'offline']
  return Promise.all(names.map((name) => kernel.read(`devices/system/cpu/${name}`)))
}

/** The CPU number that the idle loop holds in GPR30. */
async function notes(kernel: StartedKernel): Promise<(bigint | undefined)[]> {
  return (await VmcoreFile.read(kernel)).cpus.map(({ registers }) => registers[30])
}

async function kmsg(kernel: StartedKernel): Promise<string> {
  return kernel.client.readProc({ params: { partition: 'p7', file: 'kmsg' } })
}

suite('processors of modern, /sys/kernel/dlpar', () => {
  test('C052 C060 one that is removed has no place in the register save area of a later crash, one that came back has', async () => {
    await using kernel = await booted('modern')
    await kernel.write(dlpar, 'cpu remove index 0x10000001\n')
    await kernel.write(dlpar, 'cpu remove index 0x10000003')
    assert.deepEqual(await masks(kernel), ['0-3\n', '0,2\n', '0,2\n', '1,3\n'])
    await rejectsWith('EINVAL', kernel.write('devices/system/cpu/cpu1/online', '1'))
    await kernel.write(dlpar, 'cpu add index 268435459')
    assert.deepEqual(await masks(kernel), ['0-3\n', '0,2-3\n', '0,2-3\n', '1\n'])
    assert.equal(await kernel.read('kernel/fadump/registered'), '1\n')
    await kernel.crash('null-dereference', 2)
    assert.deepEqual(await notes(kernel), [0n, 2n, 3n])
    // NumCpus of the save area, at 0x1c of PAPR's header.
    assert.deepEqual(
      toHex(await kernel.memory(0x1400_001cn, 4)),
      '00000003',
      'firmware saves the CPUs that are online',
    )
  })

  const refusals: readonly (readonly [string, Errno, RegExp])[] = [
    ['cpu add index 0x10000001', 'EINVAL', /CPU with drc index 10000001 already exists/],
    ['cpu add index 0x10000004', 'EINVAL', /Cannot find CPU \(drc index 10000004\) to add\./],
    ['cpu remove index 0x10000004', 'ENODEV', /Cannot find CPU \(drc index 10000004\) to remove/],
    ['cpu remove index 1', 'ENODEV', /Cannot find CPU \(drc index 1\) to remove/],
    ['cpu add count 1', 'EINVAL', /Could not handle DLPAR request "cpu add count 1"/],
    ['cpu remove count 1', 'EINVAL', /Could not handle DLPAR request "cpu remove count 1"/],
    ['cpu add', 'EINVAL', /Invalid id_type specified\./],
    ['cpu add index', 'EINVAL', /No DRC Index specified\./],
    ['cpu add index x', 'EINVAL', /Invalid DRC Index specified\./],
    ['cpu add index 0x100000000', 'EINVAL', /Invalid DRC Index specified\./],
    ['cpu update index 1', 'EINVAL', /Invalid action specified\./],
    ['processor add index 1', 'EINVAL', /Invalid resource specified\./],
    ['cpu  add index 1', 'EINVAL', /Invalid action specified\./],
  ]
  test('refusals, each with its errno and the line of the kernel', async () => {
    await using kernel = await booted('modern')
    for (const [text, errno, line] of refusals) {
      await rejectsWith(errno, kernel.write(dlpar, text))
      assert.match((await kmsg(kernel)).slice(-400), line, text)
    }
    assert.deepEqual(await masks(kernel), ['0-3\n', '0-3\n', '0-3\n', '\n'])
  })

  test('the last one online stays', async () => {
    await using kernel = await booted('modern', { processors: 2 })
    await kernel.write('devices/system/cpu/cpu0/online', '0')
    await rejectsWith('EINVAL', kernel.write(dlpar, 'cpu remove index 0x10000001'))
    assert.match(await kmsg(kernel), /Unable to remove last online CPU PowerPC,POWER9/)
    assert.match(await kmsg(kernel), /Failed to offline CPU PowerPC,POWER9, rc: -16/)
    await kernel.write(dlpar, 'cpu remove index 0x10000000')
    assert.deepEqual(await masks(kernel), ['0-1\n', '1\n', '1\n', '0\n'])
  })
})

suite('processors of v5, cpu/probe and cpu/release', () => {
  test('C052 C060 release takes one away, probe brings it back', async () => {
    await using kernel = await booted('v5')
    await kernel.write(release, '/cpus/PowerPC,POWER7@1')
    await kernel.write(release, '/cpus/PowerPC,POWER7@2')
    await kernel.write(probe, '0x10000002\n')
    assert.deepEqual(await masks(kernel), ['0-3\n', '0,2-3\n', '0,2-3\n', '1\n'])
    await kernel.crash('bug', 3)
    assert.deepEqual((await notes(kernel)).slice(0, 2), [0n, 2n])
    assert.equal((await notes(kernel)).length, 3)
  })

  test('every refusal is EINVAL, and nothing is said', async () => {
    await using kernel = await booted('v5', { processors: 2, offlineCpus: [1] })
    const before = await kmsg(kernel)
    const refusals: readonly (readonly [path: string, text: string])[] = [
      [probe, '0x10000001'],
      [probe, '0x10000002'],
      [probe, 'cpu1'],
      [probe, ''],
      [release, '/cpus/PowerPC,POWER7@0'],
      [release, '/cpus/PowerPC,POWER7@1\n'],
      [release, '/cpus/PowerPC,POWER7@2'],
      [release, '0x10000001'],
      [dlpar, 'cpu remove index 0x10000001'],
    ]
    for (const [path, text] of refusals) await rejectsWith('EINVAL', kernel.write(path, text))
    assert.equal(await kmsg(kernel), before)
    await rejectsWith('EACCES', kernel.read(probe))
    await kernel.write(release, '/cpus/PowerPC,POWER7@1')
    assert.deepEqual(await masks(kernel), ['0-1\n', '0\n', '0\n', '1\n'])
  })
})

suite('processors that the command line limits', () => {
  test('nr_cpus= leaves the others out of every mask; their notes come from nowhere', async () => {
    await using kernel = await booted('modern', { bootArguments: 'fadump=on nr_cpus=3' })
    assert.deepEqual(await masks(kernel), ['0-2\n', '0-2\n', '0-2\n', '\n'])
    assert.match(await kmsg(kernel), /configured for 4 cpus, operating system maximum is 3\./)
    assert.match(await kmsg(kernel), /from NR_CPUS=2048 to nr_cpu_ids=3\./)
    await rejectsWith('ENOENT', kernel.read('devices/system/cpu/cpu3/online'))
    await kernel.crash()
    assert.equal((await VmcoreFile.read(kernel)).cpus.length, 3)
  })

  for (const profile of ['v5', 'modern'] as const) {
    test(`${profile}: maxcpus= leaves them offline, and user space may start them`, async () => {
      await using kernel = await booted(profile, { bootArguments: 'fadump=on maxcpus=1' })
      assert.deepEqual(await masks(kernel), ['0-3\n', '0-3\n', '0\n', '1-3\n'])
      assert.match(await kmsg(kernel), /Brought up (1 node, 1 CPU$|1 CPUs$)/m)
      await kernel.write('devices/system/cpu/cpu2/online', '1')
      assert.equal(await kernel.read('devices/system/cpu/online'), '0,2\n')
    })
  }

  test('C137 nr_cpus= in bootargs_append limits the capture kernel; the dump has the notes of all that crashed', async () => {
    await using kernel = await booted('modern')
    await kernel.write('kernel/fadump/bootargs_append', 'nr_cpus=1')
    await kernel.crash()
    assert.deepEqual(await masks(kernel), ['0\n', '0\n', '0\n', '\n'])
    // b-2g-append of a real Linux 7.2.
    const log = await kmsg(kernel)
    assert.match(log, /fadump: Updated cmdline: fadump=on nr_cpus=1$/m)
    assert.match(log, /configured for 4 cpus, operating system maximum is 1\.$/m)
    assert.match(log, /smp: Brought up 1 node, 1 CPU$/m)
    assert.equal((await VmcoreFile.read(kernel)).cpus.length, 4)
  })
})
