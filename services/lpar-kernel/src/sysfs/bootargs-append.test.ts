/** `bootargs_append` and what becomes of it; lines and answers are those of a real Linux 7.2 under QEMU. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { GiB } from '@fadump-lab/shared/units'
import { sectionErrorFlag } from '@fadump-lab/shared/fadump'
import type { Errno } from '../kernel/errno.ts'
import { rejectsWith } from '../testing/errno.ts'
import { startKernel, type StartedKernel } from '../testing/started-kernel.ts'

const file = 'kernel/fadump/bootargs_append'
const parameterArea = 0x7fff_f800n

async function booted(bootArguments = 'console=hvc0 fadump=on'): Promise<StartedKernel> {
  const kernel = await startKernel()
  await kernel.boot({
    id: 'p7',
    profile: 'modern',
    memoryBytes: Number(2n * GiB),
    processors: 2,
    content: { seed: 1, populatedBytes: 0x3_0000 },
    bootArguments,
  })
  return kernel
}

function proc(kernel: StartedKernel, name: string): Promise<string> {
  return kernel.client.readProc({ params: { partition: 'p7', file: name } })
}

const region = (dumped: string, appended: string) => `
[0x0000007ffff800-0x0000007fffffff]: cmdline append: '${appended}'
${dumped}`

suite('arguments for the capture kernel', () => {
  test('C137 they are empty at first, and read back without their newline', async () => {
    await using kernel = await booted()
    assert.equal(await kernel.read(file), '\n')
    await kernel.write(file, 'nr_cpus=1\n')
    assert.equal(await kernel.read(file), 'nr_cpus=1\n')
    assert.ok(
      (await kernel.read('kernel/debug/powerpc/fadump_region')).endsWith(region('', 'nr_cpus=1')),
    )
    await kernel.write(file, 'irqpoll\0rest')
    assert.equal(await kernel.read(file), 'irqpoll\n', 'strscpy stops at a NUL')
    const bytes = await kernel.memory(parameterArea, 10)
    assert.deepEqual(bytes, new TextEncoder().encode('irqpoll\0\0\0'), 'the rest is zeroed')
    await kernel.write(file, '')
    assert.equal(await kernel.read(file), '\n')
  })

  const commandLine = 'fadump=on'
  const lengths: readonly (readonly [number, Errno | undefined, string])[] = [
    [2047 - commandLine.length, undefined, 'the longest that fits the command line'],
    [2048 - commandLine.length, 'ENOSPC', 'one byte more than fits the command line'],
    [2047, 'ENOSPC', 'the longest that fits the area'],
    [2048, 'EINVAL', 'the size of the area'],
    [3000, 'EINVAL', 'more than the area'],
  ]
  test('C137 from 2048 bytes on EINVAL; ENOSPC when the command line has no room', async () => {
    await using kernel = await booted(commandLine)
    for (const [length, errno, what] of lengths) {
      const write = kernel.write(file, 'x'.repeat(length))
      if (errno === undefined) await write
      else await rejectsWith(errno, write)
      const kept = await kernel.read(file)
      assert.equal(kept.length, 2047 - commandLine.length + 1, what)
    }
    assert.match(await proc(kernel, 'kmsg'), /fadump: Appending parameters exceeds cmdline size!/)
  })

  test('C137 they survive the crash, come behind the command line, and may not be changed then', async () => {
    await using kernel = await booted()
    await kernel.write(file, 'nr_cpus=1')
    await kernel.crash()
    assert.equal(await proc(kernel, 'cmdline'), 'console=hvc0 fadump=on nr_cpus=1\n')
    const log = await proc(kernel, 'kmsg')
    const lines = log
      .split('\n')
      .map((line) => line.replace(/^<6>\[ *0\.000000\] /, ''))
      .filter((line) => line.includes('fadump'))
    assert.deepEqual(lines.slice(0, 4), [
      'rtas fadump: Firmware-assisted dump is active.',
      'fadump: Updated cmdline: console=hvc0 fadump=on nr_cpus=1',
      'fadump: Firmware-assisted dump is active.',
      'fadump: Reserving 1728MB of memory at 0x00000014000000 for preserving crash data',
    ])
    assert.equal(await kernel.read(file), 'nr_cpus=1\n')
    await rejectsWith('EPERM', kernel.write(file, 'x'))
    await rejectsWith('EPERM', kernel.write(file, 'x'.repeat(3000)))
    const text = await kernel.read('kernel/debug/powerpc/fadump_region')
    const memory = '\nMemory above 0x00000014000000 is reserved for saving crash dump\n'
    assert.ok(text.endsWith(region(memory, 'nr_cpus=1')), text)
  })

  test('C137 with none the line of the capture kernel ends with a blank', async () => {
    await using kernel = await booted()
    await kernel.crash()
    assert.equal(await proc(kernel, 'cmdline'), 'console=hvc0 fadump=on \n')
    assert.match(await proc(kernel, 'kmsg'), /Updated cmdline: console=hvc0 fadump=on \n/)
  })

  test('C114 an area that firmware could not preserve is not appended', async () => {
    await using kernel = await booted()
    await kernel.write(file, 'nr_cpus=1')
    kernel.firmware.tamper = (dump) => ({
      ...dump,
      sections: dump.sections.map((section) =>
        section.sourceDataType === 0x100
          ? { ...section, errorFlags: sectionErrorFlag.invalidDestination, bytesDumped: 0n }
          : section,
      ),
    })
    await kernel.crash()
    assert.equal(kernel.firmware.partition.state, 'capturing')
    assert.equal(await proc(kernel, 'cmdline'), 'console=hvc0 fadump=on\n')
    assert.match(await proc(kernel, 'kmsg'), /Failed to process additional parameters! Proceeding/)
  })

  test('fadump=off among them loses the dump without a word', async () => {
    await using kernel = await booted()
    await kernel.write(file, 'fadump=off')
    await kernel.crash()
    const log = await proc(kernel, 'kmsg')
    assert.match(log, /rtas fadump: Firmware-assisted dump is active\./)
    assert.match(log, /Updated cmdline: console=hvc0 fadump=on fadump=off\n/)
    assert.doesNotMatch(log, /Reserving/)
    const { id: partition } = kernel.firmware.partition
    await rejectsWith('ENOENT', kernel.client.readVmcoreManifest({ params: { partition } }))
    const answers = { enabled: '0\n', registered: '0\n', mem_reserved: '0\n' }
    for (const [name, answer] of Object.entries({
      ...answers,
      hotplug_ready: '1\n',
      bootargs_append: '\n',
    })) {
      assert.equal(await kernel.read(`kernel/fadump/${name}`), answer, name)
    }
    assert.equal(await kernel.read('kernel/debug/powerpc/fadump_region'), '')
    await rejectsWith('EPERM', kernel.write('kernel/fadump/registered', '1'))
    await rejectsWith('EPERM', kernel.write(file, 'fadump=off'))
    assert.equal(kernel.captures.length, 0)
    assert.notEqual(kernel.firmware.dump, undefined, 'firmware presents it until a clean shutdown')
  })

  test('C119 a dump lost that way is given up by a clean reboot', async () => {
    await using kernel = await booted()
    await kernel.write(file, 'fadump=off')
    await kernel.crash()
    await kernel.client.shutdown({ params: { partition: 'p7' }, body: { action: 'reboot' } })
    await kernel.until('running')
    assert.equal(kernel.firmware.dump, undefined)
    assert.equal(await kernel.read('kernel/fadump/registered'), '1\n')
    assert.equal(await kernel.read(file), '\n', 'the area is zeroed at setup')
  })
})
