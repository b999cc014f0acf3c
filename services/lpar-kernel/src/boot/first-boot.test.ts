import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { dumpSectionsMax } from '@fadump-lab/shared/fadump'
import { equalBytes, GiB, MiB, TiB, toAscii } from '@fadump-lab/shared/units'
import { contentPage } from '../memory/content.ts'
import { startKernel } from '../testing/started-kernel.ts'
import { VmcoreFile } from '../testing/vmcore-file.ts'

const region = 'kernel/debug/powerpc/fadump_region'
const content = { seed: 1, populatedBytes: 0x3_0000 }
const base = { id: 'p7', processors: 4, content }

async function kmsgOf(kernel: Awaited<ReturnType<typeof startKernel>>): Promise<string> {
  return kernel.client.readProc({ params: { partition: 'p7', file: 'kmsg' } })
}

interface Reservation {
  readonly what: string
  readonly given: Readonly<Record<string, unknown>> & { readonly memoryBytes: number }
  readonly cpuStateSize?: bigint
  readonly dump: string
}

// Boot memory and where its copy goes, from spec §6.1 and §6.4.
const v5Reservations: readonly Reservation[] = [
  {
    what: 'C070 C077 4 GiB and 8 CPUs: 320 MiB, area at the top',
    given: { memoryBytes: Number(4n * GiB), processors: 8 },
    dump: '[0x000000ebff1020-0x000000ffff101f] 0x14000000',
  },
  {
    what: 'C071 2 GiB and 20 CPUs: 320 MiB',
    given: { memoryBytes: Number(2n * GiB), processors: 20 },
    dump: '[0x0000006bff9020-0x0000007fff901f] 0x14000000',
  },
  {
    what: 'C072 1 TiB and 896 CPUs: 51 GiB',
    given: { memoryBytes: Number(TiB), processors: 896 },
    dump: '[0x0000f33fff1020-0x0000ffffff101f] 0xcc0000000',
  },
  {
    what: 'C073 10 GiB: 512 MiB',
    given: { memoryBytes: Number(10n * GiB) },
    cpuStateSize: 0x13e0n,
    dump: '[0x0000025fff23e0-0x0000027fff23df] 0x20000000',
  },
  {
    what: 'C073 one page less than 10 GiB: 320 MiB',
    given: { memoryBytes: Number(10n * GiB) - 65_536 },
    cpuStateSize: 0x13e0n,
    dump: '[0x0000026bfe23e0-0x0000027ffe23df] 0x14000000',
  },
  {
    what: 'C074 a real mode area of 512 MiB: 576 MiB',
    given: { memoryBytes: Number(4n * GiB), rmaBytes: Number(512n * MiB) },
    cpuStateSize: 0x13e0n,
    dump: '[0x000000dbff23e0-0x000000ffff23df] 0x24000000',
  },
  {
    what: 'C075 fadump_reserve_mem= is taken as it is',
    given: { memoryBytes: Number(4n * GiB), bootArguments: 'fadump=on fadump_reserve_mem=100M' },
    cpuStateSize: 0x13e0n,
    dump: '[0x000000f9bf23e0-0x000000ffff23df] 0x6400000',
  },
  {
    what: 'C076 the example of the documentation: area at 0x6ffb0000',
    given: { memoryBytes: Number(2n * GiB), bootArguments: 'fadump=on fadump_reserve_mem=256M' },
    cpuStateSize: 0x4_0020n,
    dump: '[0x0000006fff1020-0x0000007fff101f] 0x10000000',
  },
  {
    what: 'C078 mem= grows by the area',
    given: { memoryBytes: Number(4n * GiB), bootArguments: 'fadump=on mem=2G' },
    cpuStateSize: 0x13e0n,
    dump: '[0x000000800023e0-0x000000940023df] 0x14000000',
  },
]

suite('the first boot of v5', () => {
  for (const { what, given, cpuStateSize, dump } of v5Reservations) {
    test(what, async () => {
      await using kernel = await startKernel()
      await kernel.boot({ ...base, ...given }, cpuStateSize === undefined ? {} : { cpuStateSize })
      const [, , line] = (await kernel.read(region)).split('\n')
      assert.equal(line, `DUMP: ${dump} bytes, Dumped: 0x0`)
      assert.equal(await kernel.read('kernel/fadump_registered'), '1\n')
    })
  }

  test('C083 the kernel says what it has reserved, and reserves no crashkernel', async () => {
    await using kernel = await startKernel()
    await kernel.boot({
      ...base,
      memoryBytes: Number(4n * GiB),
      bootArguments: 'fadump=on crashkernel=512M',
    })
    const log = await kmsgOf(kernel)
    assert.match(
      log,
      /<6>\[ {4}0\.000000\] Reserved 320MB of memory at 3775MB for firmware-assisted dump\n/,
    )
    assert.doesNotMatch(log, /crashkernel reserved/)
    assert.match(log, /Kernel command line: fadump=on crashkernel=512M\n/)
  })

  test('content lies in three runs, page by page, and says so', async () => {
    await using kernel = await startKernel()
    const populatedBytes = Number(3n * MiB)
    await kernel.boot({
      ...base,
      memoryBytes: Number(4n * GiB),
      content: { seed: 0xbeef, populatedBytes },
    })
    // Behind four idle stacks; in the middle; below the reserved area.
    for (const address of [0x41_0000n, 0x7ff0_0000n, 0xebfe_0000n]) {
      const page = await kernel.memory(address, 65_536)
      assert.ok(
        equalBytes(page, contentPage(0xbeef, address >> 16n)),
        toAscii(page.subarray(0, 60)),
      )
    }
  })

  test('content that does not fit fails the boot with both sizes and what to do', async () => {
    await using kernel = await startKernel()
    await kernel.firmware.activate({
      ...base,
      memoryBytes: Number(1n * GiB),
      content: { seed: 1, populatedBytes: Number(1n * GiB) },
    })
    await kernel.until('error')
    assert.match(
      kernel.firmware.partition.lastFailure ?? '',
      /populatedBytes 1 GiB of partition p7 does not fit: .* there are \d+ .* Ask for less/,
    )
  })

  test('a partition too small for a kernel fails the boot with what it needs', async () => {
    await using kernel = await startKernel()
    await kernel.firmware.activate({ ...base, memoryBytes: 65_536 })
    await kernel.until('error')
    assert.match(
      kernel.firmware.partition.lastFailure ?? '',
      /has 0x10000 bytes of memory; .* needs 0x410000/,
    )
  })
})

suite('the first boot of modern', () => {
  const rows = [
    ['C081 1 GiB and 2 CPUs: 320 MiB', 1n * GiB, 'fadump=on', '335610536\n', '320MB'],
    ['C082 512 MiB: no place, fadump disabled', 512n * MiB, 'fadump=on', '0\n', undefined],
    [
      'C079 crashkernel=2G is cut to a quarter of 4 GiB',
      4n * GiB,
      'fadump=on crashkernel=2G',
      '1073808040\n',
      '1024MB',
    ],
    [
      'C080 the offset of crashkernel= is ignored',
      4n * GiB,
      'fadump=on crashkernel=512M@64M',
      '536937128\n',
      '512MB',
    ],
    ['C074 the real mode area does not matter', 4n * GiB, 'fadump=on', '335610536\n', '320MB'],
  ] as const
  for (const [what, memory, bootArguments, reserved, logged] of rows) {
    test(what, async () => {
      await using kernel = await startKernel()
      await kernel.boot({
        ...base,
        processors: 2,
        profile: 'modern',
        memoryBytes: Number(memory),
        rmaBytes: Number(512n * MiB),
        bootArguments,
      })
      assert.equal(await kernel.read('kernel/fadump/mem_reserved'), reserved)
      const log = await kmsgOf(kernel)
      if (logged === undefined)
        assert.match(log, /fadump: Failed to find memory chunk for reservation!/)
      else assert.ok(log.includes(`fadump: Reserved ${logged} of memory at `), log)
    })
  }

  test('it registers by itself, before user space does', async () => {
    await using kernel = await startKernel()
    await kernel.boot({
      ...base,
      profile: 'modern',
      memoryBytes: Number(2n * GiB),
      dumpService: false,
    })
    assert.equal(await kernel.read('kernel/fadump/registered'), '1\n')
    assert.match(await kmsgOf(kernel), /rtas fadump: Registration is successful!\n/)
  })
})

suite('boots that are run again', () => {
  test('a job that comes twice changes nothing', async () => {
    await using kernel = await startKernel()
    await kernel.boot({ ...base, memoryBytes: Number(2n * GiB) })
    const { epoch } = kernel.firmware
    const calls = kernel.firmware.calls.length
    await kernel.firmware.repeatIpl()
    await kernel.until('running')
    assert.equal(kernel.firmware.epoch, epoch)
    assert.equal(kernel.firmware.calls.length, calls)
  })

  test('a dump that was announced is announced again, under the same id', async () => {
    await using kernel = await startKernel()
    await kernel.boot({ ...base, memoryBytes: Number(2n * GiB) })
    await kernel.crash()
    await kernel.firmware.repeatIpl()
    await kernel.until('capturing')
    assert.deepEqual(new Set(kernel.captures.map(({ dump }) => dump)), new Set(['p7-1']))
  })

  test('C119 a capture kernel that is restarted presents the same dump again', async () => {
    await using kernel = await startKernel()
    await kernel.boot({ ...base, memoryBytes: Number(2n * GiB) })
    await kernel.crash()
    const before = await VmcoreFile.read(kernel)
    await kernel.firmware.restartCapture()
    await kernel.until('capturing')
    const after = await VmcoreFile.read(kernel)
    assert.deepEqual(
      after.pieces.map(({ offset }) => offset),
      before.pieces.map(({ offset }) => offset),
    )
    assert.ok(
      after.pieces.every(({ bytes }, index) =>
        equalBytes(bytes, before.pieces[index]?.bytes ?? bytes),
      ),
    )
    assert.ok(before.pieces.length > dumpSectionsMax - 8)
  })
})
