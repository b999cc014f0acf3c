import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { decodeDumpMemoryStructure } from '@fadump-lab/shared/fadump'
import { GiB, toHex } from '@fadump-lab/shared/units'
import { rejectsWith } from '../testing/errno.ts'
import { createRecordingClock } from '../testing/recording-clock.ts'
import { startKernel } from '../testing/started-kernel.ts'
import { VmcoreFile } from '../testing/vmcore-file.ts'

const v5 = {
  id: 'p6',
  memoryBytes: Number(4n * GiB),
  processors: 8,
  content: { seed: 1, populatedBytes: 0x3_0000 },
}
const modern = { ...v5, profile: 'modern' } as const
const configure = 'ibm,configure-kernel-dump'
const kmsg = { params: { partition: 'p6', file: 'kmsg' } }

suite('registration', () => {
  test('C030 C031 C032 C034 C035 v5 registers the worked example of the specification, byte for byte', async () => {
    await using kernel = await startKernel()
    await kernel.boot(v5, { cpuStateSize: 0x27a0n })
    const [call] = kernel.firmware.calls
    assert.deepEqual(call, { service: configure, args: [1, 0x8_8000, 160], status: 0 })
    // spec §4.6: 4 GiB, CPU area 0x27a0, HPTE 0x1000, boot memory 320 MiB, area at 0xebff0000.
    assert.equal(
      toHex(await kernel.memory(0x8_8000n, 160)),
      [
        '00000001000300000000002800000000',
        '00000000000000000000000000000000',
        '0000000000000000',
        '00000001000100000000000000000000',
        '00000000000027a0000000000000000000000000ebff0000',
        '00000001000200000000000000000000',
        '0000000000001000000000000000000000000000ebff27a0',
        '00000001001100000000000000000000',
        '0000000014000000000000000000000000000000ebff37a0',
      ].join(''),
    )
  })

  test('C033 C034 C036 modern registers CPU, HPTE, boot memory on a page, and the parameter area', async () => {
    await using kernel = await startKernel()
    await kernel.boot(modern, { cpuStateSize: 0x27a0n })
    const [call] = kernel.firmware.calls
    assert.deepEqual(call, { service: configure, args: [1, 0x8_8000, 200], status: 0 })
    const { header, sections } = decodeDumpMemoryStructure(await kernel.memory(0x8_8000n, 200))
    assert.equal(header.maxTimeAuto, 0)
    assert.deepEqual(
      sections.map((section) => [
        section.requestFlag,
        section.sourceDataType,
        section.sourceAddress,
        section.sourceLength,
        section.destinationAddress,
      ]),
      [
        [1, 0x1, 0n, 0x27a0n, 0x1400_0000n],
        [1, 0x2, 0n, 0x1000n, 0x1400_27a0n],
        [1, 0x11, 0n, 0x1400_0000n, 0x1401_0000n],
        [1, 0x100, 0xffff_f800n, 0x800n, 0xffff_f800n],
      ],
    )
    await kernel.write('kernel/fadump/registered', '0')
    assert.deepEqual(kernel.firmware.calls.at(-1)?.args, [2, 0x8_8000, 440])
  })

  test('C023 a busy firmware is asked again after 1, 1, 10, 100, 1 000, 10 000, 100 000 ms', async () => {
    const clock = createRecordingClock()
    await using kernel = await startKernel({ clock })
    for (const status of [-2, 9900, 9901, 9902, 9903, 9904, 9905, -2]) {
      kernel.firmware.forced.push({ service: configure, status })
    }
    await kernel.boot(v5)
    assert.deepEqual(clock.sleeps, [1, 1, 10, 100, 1000, 10_000, 100_000, 1])
    assert.equal(await kernel.read('kernel/fadump_registered'), '1\n')
  })

  const statuses = [
    [-1, 'v5', '0\n', undefined, 'Hardware Error(-1)'],
    [-3, 'v5', '0\n', undefined, 'Parameter Error(-3)'],
    [-9, 'v5', '1\n', undefined, 'already  registered'],
    [-10, 'v5', '0\n', undefined, undefined],
    [-1, 'modern', '0\n', 'EIO', 'Hardware Error(-1)'],
    [-3, 'modern', '0\n', 'EINVAL', 'Parameter Error(-3)'],
    [-9, 'modern', '1\n', 'EEXIST', 'Already registered!'],
    [-10, 'modern', '0\n', 'EIO', 'Unknown Error(-10)'],
  ] as const
  for (const [status, profile, registered, errno, logged] of statuses) {
    const seen = errno ?? 'success'
    test(`C131 ${profile}: a register that firmware answers with ${status} looks like ${seen} to the writer`, async () => {
      await using kernel = await startKernel()
      await kernel.boot({ ...v5, profile, dumpService: false })
      if (profile === 'modern') await kernel.write('kernel/fadump_registered', '0')
      kernel.firmware.forced.push({ service: configure, status })
      const write = kernel.write('kernel/fadump_registered', '1')
      if (errno === undefined) await write
      else await rejectsWith(errno, write)
      assert.equal(await kernel.read('kernel/fadump_registered'), registered)
      const log = await kernel.client.readProc(kmsg)
      if (logged !== undefined) assert.match(log, new RegExp(logged.replaceAll(/[()]/g, '\\$&')))
    })
  }

  test('C020 what the kernel writes over its structure after registration does not matter', async () => {
    await using kernel = await startKernel()
    await kernel.boot(v5)
    const { store, firmware } = kernel
    const address = 0x8_8000n as Parameters<typeof store.read>[1]
    await store.write(firmware.space, { address, bytes: new Uint8Array(160) }, firmware.epoch)
    await kernel.crash()
    assert.equal((await VmcoreFile.read(kernel)).cpus.length, 8)
  })

  test('C062 when firmware alone ends the partition, v5 has no CPU notes and modern all', async () => {
    for (const [partition, notes] of [
      [v5, 0],
      [modern, 8],
    ] as const) {
      await using kernel = await startKernel()
      await kernel.boot(partition)
      await kernel.firmware.preserve()
      await kernel.until('capturing')
      assert.equal((await VmcoreFile.read(kernel)).cpus.length, notes)
    }
  })

  test('C007 without ibm,extended-os-term a crash is not told to a registered firmware', async () => {
    await using kernel = await startKernel()
    kernel.firmware.omitExtendedOsTerm = true
    await kernel.boot(v5)
    await kernel.crash()
    assert.equal(kernel.captures.length, 0)
    assert.equal(kernel.firmware.partition.crashes, 0)
  })
})
