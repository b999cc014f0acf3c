import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { flattenedMedia, type KernelProfileName } from '@fadump-lab/shared/contracts'
import { GiB, MiB } from '@fadump-lab/shared/units'
import { rejectsWith } from '../testing/errno.ts'
import { startKernel, type StartedKernel } from '../testing/started-kernel.ts'
import type { Errno } from '../kernel/errno.ts'

const small = {
  id: 'p7',
  memoryBytes: Number(2n * GiB),
  processors: 4,
  content: { seed: 1, populatedBytes: 0x3_0000 },
}
const configure = 'ibm,configure-kernel-dump'

async function booted(
  profile: KernelProfileName,
  more: Readonly<Record<string, unknown>> = {},
): Promise<StartedKernel> {
  const kernel = await startKernel()
  await kernel.boot({ ...small, profile, ...more })
  return kernel
}

function commandsOf(kernel: StartedKernel): (number | undefined)[] {
  return kernel.firmware.calls
    .filter(({ service }) => service === configure)
    .map(({ args }) => args[0])
}

suite('requests that mean one certain boot', () => {
  test('a write, a read of the vmcore and of its manifest for another boot are refused and change nothing', async () => {
    await using kernel = await booted('v5')
    await kernel.crash()
    const params = { partition: 'p7' }
    const stale = { slug: 'stale-boot' }
    const query = { epoch: 1 }
    const release = { partition: 'p7', '*': 'kernel/fadump_release_mem' }
    await assert.rejects(kernel.client.writeFile({ params: release, query, body: '1' }), stale)
    await assert.rejects(kernel.client.readVmcore({ params, query }), stale)
    await assert.rejects(kernel.client.readVmcoreManifest({ params, query }), stale)
    assert.deepEqual(commandsOf(kernel), [1], 'nothing but the registration of the first boot')
  })
})

suite('files of v5', () => {
  test('C130 C133 enabled 0444, registered 0644; no release_mem in a first kernel', async () => {
    await using kernel = await booted('v5')
    assert.equal(await kernel.read('kernel/fadump_enabled'), '1\n')
    assert.equal(await kernel.read('kernel/fadump_registered'), '1\n')
    await rejectsWith('EACCES', kernel.write('kernel/fadump_enabled', '0'))
    await rejectsWith('ENOENT', kernel.write('kernel/fadump_release_mem', '1'))
    await rejectsWith('ENOENT', kernel.read('kernel/fadump/enabled'))
  })

  test('C130 C135 nothing is there when fadump is not enabled', async () => {
    await using kernel = await booted('v5', { bootArguments: 'console=hvc0' })
    for (const name of ['fadump_enabled', 'fadump_registered', 'debug/powerpc/fadump_region']) {
      await rejectsWith('ENOENT', kernel.read(`kernel/${name}`))
    }
  })

  test('C001 nothing is there when firmware does not offer the dump option', async () => {
    await using kernel = await booted('v5', { dumpOption: false })
    await rejectsWith('ENOENT', kernel.read('kernel/fadump_enabled'))
    const log = await kernel.client.readProc({ params: { partition: 'p7', file: 'kmsg' } })
    assert.match(log, /Firmware-assisted dump is not supported on this hardware/)
  })

  test('C130 release_mem is there in a capture boot, may not be read, and stays after the release', async () => {
    await using kernel = await booted('v5')
    await kernel.crash()
    await rejectsWith('EACCES', kernel.read('kernel/fadump_release_mem'))
    await kernel.write('kernel/fadump_release_mem', '1')
    await rejectsWith('EPERM', kernel.write('kernel/fadump_release_mem', '1'))
  })

  const writes: readonly (readonly [string, boolean, Errno | undefined, string])[] = [
    ['1', false, undefined, '1\n'],
    ['1junk', false, undefined, '1\n'],
    ['1', true, 'EINVAL', '1\n'],
    ['0', false, 'EINVAL', '0\n'],
    ['0', true, undefined, '0\n'],
    ['0x', true, undefined, '0\n'],
    ['2', true, 'EINVAL', '1\n'],
    ['', true, 'EINVAL', '1\n'],
    ['-1', false, 'EINVAL', '0\n'],
    ['garbage', false, 'EINVAL', '0\n'],
  ]
  for (const [text, registered, errno, after] of writes) {
    const state = registered ? 'registered' : 'not registered'
    test(`C131 C132 writing ${JSON.stringify(text)} while ${state}: ${errno ?? 'success'}`, async () => {
      await using kernel = await booted('v5', { dumpService: registered })
      const write = kernel.write('kernel/fadump_registered', text)
      await (errno === undefined ? write : rejectsWith(errno, write))
      assert.equal(await kernel.read('kernel/fadump_registered'), after)
    })
  }

  test('C131 writing to registered while a dump is active is EPERM, whatever is written', async () => {
    await using kernel = await booted('v5')
    await kernel.crash()
    for (const text of ['1', '0', 'garbage']) {
      await rejectsWith('EPERM', kernel.write('kernel/fadump_registered', text))
    }
  })

  test('C134 fadump_region is that of the kernel documentation, in both boots', async () => {
    await using kernel = await startKernel()
    // The example of the documentation: 2 GiB, 0x40020 bytes of CPU state, 256 MiB of boot memory.
    const bootArguments = 'fadump=on fadump_reserve_mem=256M'
    const given = { ...small, bootArguments, captureTarget: 'local' } as const
    await kernel.boot(given, { cpuStateSize: 0x4_0020n })
    const path = 'kernel/debug/powerpc/fadump_region'
    assert.equal(
      await kernel.read(path),
      'CPU : [0x0000006ffb0000-0x0000006fff001f] 0x40020 bytes, Dumped: 0x0\n' +
        'HPTE: [0x0000006fff0020-0x0000006fff101f] 0x1000 bytes, Dumped: 0x0\n' +
        'DUMP: [0x0000006fff1020-0x0000007fff101f] 0x10000000 bytes, Dumped: 0x0\n',
    )
    await kernel.crash()
    assert.equal(
      await kernel.read(path),
      'CPU : [0x0000006ffb0000-0x0000006fff001f] 0x40020 bytes, Dumped: 0x40020\n' +
        'HPTE: [0x0000006fff0020-0x0000006fff101f] 0x1000 bytes, Dumped: 0x1000\n' +
        'DUMP: [0x0000006fff1020-0x0000007fff101f] 0x10000000 bytes, Dumped: 0x10000000\n' +
        '    : [0x00000010000000-0x0000006ffaffff] 0x5ffb0000 bytes, Dumped: 0x5ffb0000\n',
    )
  })
})

suite('files of modern', () => {
  test('C136 a directory, old names beside it, mem_reserved in bytes, hotplug_ready 1', async () => {
    await using kernel = await booted('modern')
    const values = await Promise.all(
      ['enabled', 'registered', 'mem_reserved', 'hotplug_ready'].map((name) =>
        kernel.read(`kernel/fadump/${name}`),
      ),
    )
    // 0x140102a8: CPU state and HPTE in one page, 320 MiB, 680 bytes of header.
    assert.deepEqual(values, ['1\n', '1\n', '335610536\n', '1\n'])
    assert.equal(await kernel.read('kernel/fadump_registered'), '1\n')
    await rejectsWith('ENOENT', kernel.write('kernel/fadump/release_mem', '1'))
    await rejectsWith('EACCES', kernel.write('kernel/fadump/mem_reserved', '1'))
  })

  test('C136 with fadump off the directory is there, and nothing is reserved', async () => {
    await using kernel = await booted('modern', { bootArguments: 'fadump=off' })
    assert.equal(await kernel.read('kernel/fadump/enabled'), '0\n')
    assert.equal(await kernel.read('kernel/fadump/mem_reserved'), '0\n')
    assert.equal(await kernel.read('kernel/debug/powerpc/fadump_region'), '')
    await rejectsWith('EPERM', kernel.write('kernel/fadump/registered', '1'))
  })

  const writes: readonly (readonly [string, Errno | undefined, string])[] = [
    ['1', undefined, '1\n'],
    ['1\n', undefined, '1\n'],
    ['0x1', undefined, '1\n'],
    ['01', undefined, '1\n'],
    ['0', undefined, '0\n'],
    ['0x0', undefined, '0\n'],
    ['1x', 'EINVAL', '1\n'],
    ['2', 'EINVAL', '1\n'],
    ['-1', 'EINVAL', '1\n'],
    ['99999999999', 'EINVAL', '1\n'],
    ['', 'EINVAL', '1\n'],
  ]
  for (const [text, errno, after] of writes) {
    test(`C131 C132 writing ${JSON.stringify(text)} to a registered kernel: ${errno ?? 'success'}`, async () => {
      await using kernel = await booted('modern')
      const write = kernel.write('kernel/fadump/registered', text)
      await (errno === undefined ? write : rejectsWith(errno, write))
      assert.equal(await kernel.read('kernel/fadump/registered'), after)
    })
  }

  test('C131 registering again unregisters first; unregistering twice is nothing', async () => {
    await using kernel = await booted('modern')
    await kernel.write('kernel/fadump/registered', '1')
    assert.deepEqual(commandsOf(kernel), [1, 2, 1])
    await kernel.write('kernel/fadump/registered', '0')
    await kernel.write('kernel/fadump/registered', '0')
    assert.deepEqual(commandsOf(kernel), [1, 2, 1, 2])
  })

  test('C131 registering with nothing reserved is EPERM: reservation had failed and disabled fadump', async () => {
    await using kernel = await booted('modern', { memoryBytes: Number(512n * MiB) })
    assert.equal(await kernel.read('kernel/fadump/enabled'), '0\n')
    await rejectsWith('EPERM', kernel.write('kernel/fadump/registered', '1'))
  })
})

suite('release', () => {
  for (const profile of ['v5', 'modern'] as const) {
    test(`C115 ${profile}: the vmcore is gone, firmware is told once, the area is that of the next dump`, async () => {
      await using kernel = await booted(profile, { dumpService: false })
      await kernel.write('kernel/fadump_registered', '1')
      const before = await kernel.read('kernel/debug/powerpc/fadump_region')
      await kernel.crash()
      await kernel.write('kernel/fadump_release_mem', '1')
      const accept = flattenedMedia
      const read = kernel.client.readVmcore({ params: { partition: 'p7' }, headers: { accept } })
      await rejectsWith('ENOENT', read)
      assert.equal(commandsOf(kernel).filter((command) => command === 3).length, 1)
      assert.equal(kernel.firmware.partition.state, 'running')
      assert.equal(await kernel.read('kernel/debug/powerpc/fadump_region'), before)
    })

    test(`C116 C117 ${profile}: registering works without a reboot, a second release is EPERM`, async () => {
      await using kernel = await booted(profile, { dumpService: false })
      await kernel.write('kernel/fadump_registered', profile === 'v5' ? '1' : '1\n')
      await kernel.crash()
      await kernel.write('kernel/fadump_release_mem', '1')
      await rejectsWith('EPERM', kernel.write('kernel/fadump_release_mem', '1'))
      await kernel.write('kernel/fadump_registered', '1')
      assert.equal(await kernel.read('kernel/fadump_registered'), '1\n')
      await kernel.crash()
      assert.deepEqual(
        kernel.captures.map(({ dump }) => dump),
        ['p7-1', 'p7-2'],
      )
    })
  }

  test('writing anything but 1 to release_mem is EINVAL and releases nothing', async () => {
    await using kernel = await booted('v5')
    await kernel.crash()
    for (const text of ['0', '2', 'x', '']) {
      await rejectsWith('EINVAL', kernel.write('kernel/fadump_release_mem', text))
    }
    assert.equal(kernel.firmware.partition.state, 'capturing')
  })

  test('C118 v5: when firmware refuses, the vmcore is gone and the dump stays active', async () => {
    await using kernel = await booted('v5')
    await kernel.crash()
    kernel.firmware.forced.push({ service: configure, status: -1 })
    await kernel.write('kernel/fadump_release_mem', '1')
    await rejectsWith('EPERM', kernel.write('kernel/fadump_registered', '1'))
    await kernel.write('kernel/fadump_release_mem', '1')
    assert.equal(kernel.firmware.partition.state, 'running')
  })

  for (const profile of ['v5', 'modern'] as const) {
    test(`C138 ${profile}: of two releases at once exactly one reaches firmware, and both writers see success`, async () => {
      await using kernel = await booted(profile)
      await kernel.crash()
      // Firmware keeps the first one waiting for 100 ms, with the mutex held.
      kernel.firmware.forced.push({ service: configure, status: 9902 })
      await Promise.all([
        kernel.write('kernel/fadump_release_mem', '1'),
        kernel.write('kernel/fadump_release_mem', '1'),
      ])
      const invalidated = kernel.firmware.calls.filter(({ args }) => args[0] === 3)
      assert.deepEqual(
        invalidated.map(({ status }) => status),
        [9902, 0],
      )
      await rejectsWith('EPERM', kernel.write('kernel/fadump_release_mem', '1'))
    })

    test(`C138 ${profile}: who writes to registered during a release is refused at once, whatever it writes`, async () => {
      await using kernel = await booted(profile, { dumpService: false })
      if (profile === 'v5') await kernel.write('kernel/fadump_registered', '1')
      await kernel.crash()
      kernel.firmware.forced.push({ service: configure, status: 9902 })
      const release = kernel.write('kernel/fadump_release_mem', '1')
      for (const text of ['1', 'garbage']) {
        await rejectsWith('EPERM', kernel.write('kernel/fadump_registered', text))
      }
      await release
      await kernel.write('kernel/fadump_registered', '1')
      assert.equal(kernel.firmware.calls.at(-1)?.status, 0)
    })
  }

  for (const [profile, line] of [
    ['v5', /<3>.*Failed to un-register firmware-assisted dump\. unexpected error\(-1\)\.$/m],
    ['modern', /<3>.*rtas fadump: Failed to un-register - unexpected error\(-1\)\.$/m],
  ] as const) {
    test(`C131 ${profile}: when firmware refuses to unregister, the writer sees success and it stays registered`, async () => {
      await using kernel = await booted(profile)
      kernel.firmware.forced.push({ service: configure, status: -1 })
      await kernel.write('kernel/fadump_registered', '0')
      assert.equal(await kernel.read('kernel/fadump_registered'), '1\n')
      const log = await kernel.client.readProc({ params: { partition: 'p7', file: 'kmsg' } })
      assert.match(log, line)
      assert.equal(kernel.firmware.partition.registration, 'registered')
    })
  }

  test('C131 v5: of two that unregister at once the second is told EINVAL, and firmware hears of one', async () => {
    await using kernel = await booted('v5')
    kernel.firmware.forced.push({ service: configure, status: 9902 })
    const outcomes = await Promise.allSettled(
      ['0', '0'].map((text) => kernel.write('kernel/fadump_registered', text)),
    )
    assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
    assert.deepEqual(commandsOf(kernel), [1, 2, 2])
    assert.deepEqual(
      kernel.firmware.calls.map(({ status }) => status),
      [0, 9902, 0],
    )
  })

  test('C138 writers of registered take turns', async () => {
    await using kernel = await booted('modern')
    const texts = ['0', '1', '1', '0', '1', '0', '1', '1']
    await Promise.all(texts.map((text) => kernel.write('kernel/fadump/registered', text)))
    // A register never meets a registration, an unregister never meets none: statuses are all 0.
    assert.deepEqual([...new Set(kernel.firmware.calls.map(({ status }) => status))], [0])
  })
})

suite('CPU files', () => {
  test('C060 a CPU that is taken offline leaves the masks, and comes back', async () => {
    await using kernel = await booted('v5')
    await kernel.write('devices/system/cpu/cpu2/online', '0')
    assert.equal(await kernel.read('devices/system/cpu/online'), '0-1,3\n')
    assert.equal(await kernel.read('devices/system/cpu/cpu2/online'), '0\n')
    assert.equal(kernel.firmware.vcpus[2]?.online, false)
    await rejectsWith('EINVAL', kernel.write('devices/system/cpu/cpu2/online', '0'))
    await kernel.write('devices/system/cpu/cpu2/online', '1')
    assert.equal(await kernel.read('devices/system/cpu/offline'), '\n')
    await rejectsWith('ENOENT', kernel.read('devices/system/cpu/cpu4/online'))
  })

  test('the last CPU stays online', async () => {
    await using kernel = await booted('v5', { offlineCpus: [0, 1, 2] })
    await rejectsWith('EBUSY', kernel.write('devices/system/cpu/cpu3/online', '0'))
  })
})

suite('files of a partition that runs no kernel', () => {
  test('an unknown partition is not-found', async () => {
    await using kernel = await booted('v5')
    const read = kernel.client.readFile({
      params: { partition: 'p8', '*': 'kernel/fadump_enabled' },
    })
    await assert.rejects(read, { slug: 'not-found' })
  })

  test('one that has halted after a crash is wrong-state', async () => {
    await using kernel = await booted('v5', { bootArguments: 'fadump=off panic=0' })
    await kernel.client.crash({ params: { partition: 'p7' }, body: {} })
    await assert.rejects(kernel.read('devices/system/cpu/online'), { slug: 'wrong-state' })
  })
})
