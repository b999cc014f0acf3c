/** Where memory has holes, and where user pages live in what is reserved for the dump. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { MiB, realAddress } from '@fadump-lab/shared/units'
import { contentPage } from '../memory/content.ts'
import { startKernel, type StartedKernel } from '../testing/started-kernel.ts'
import { VmcoreFile } from '../testing/vmcore-file.ts'

const given = {
  id: 'p8',
  profile: 'modern',
  memoryBytes: 0x1_0000_0000,
  processors: 2,
  content: { seed: 5, populatedBytes: 0x6_0000 },
} as const

function kmsg(kernel: StartedKernel): Promise<string> {
  return kernel.client.readProc({ params: { partition: 'p8', file: 'kmsg' } })
}

function loadsOf(vmcore: VmcoreFile) {
  return vmcore.loads.map(({ offset, physicalAddress, memorySize }) => [
    offset,
    physicalAddress,
    memorySize,
  ])
}

suite('memory with holes', () => {
  const memoryHoles = [{ address: '0x8000000', length: 0x400_0000 }]

  test('C102 C103 boot memory of two regions is preserved and exported region by region', async () => {
    await using kernel = await startKernel()
    await kernel.boot({ ...given, memoryHoles })
    const text = await kernel.read('kernel/debug/powerpc/fadump_region')
    assert.deepEqual(
      text.split('\n').filter((line) => line.startsWith('DUMP')),
      [
        'DUMP: Src: 0x00000000000000, Dest: 0x00000018010000, Size: 0x8000000, Dumped: 0x0 bytes',
        'DUMP: Src: 0x0000000c000000, Dest: 0x00000020010000, Size: 0xc000000, Dumped: 0x0 bytes',
      ],
    )
    assert.match(
      await kmsg(kernel),
      /Reserved 320MB of memory at 0x00000018000000 \(System RAM: 4032MB\)/,
    )
    assert.match(await kmsg(kernel), /Memory hole size: 64MB/)
    const marker = new TextEncoder().encode('second region of boot memory')
    const address = 0xc12_3000n
    await kernel.store.write(
      kernel.firmware.space,
      { address: realAddress(address), bytes: marker },
      kernel.firmware.epoch,
    )
    await kernel.crash()
    const vmcore = await VmcoreFile.read(kernel)
    assert.deepEqual(loadsOf(vmcore), [
      [0x2_0000n, 0n, 0x800_0000n],
      [0x802_0000n, 0xc00_0000n, 0xc00_0000n],
      [0x1402_02a8n, 0x2c01_02a8n, 0xd3fe_fd58n],
    ])
    assert.deepEqual(vmcore.memory(address, marker.byteLength), marker)
    const after = await kernel.memory(address, marker.byteLength)
    assert.deepEqual(
      after,
      new Uint8Array(marker.byteLength),
      'the capture kernel has overwritten it',
    )
  })

  test('a capture kernel reserves range by range and leaves holes out', async () => {
    await using kernel = await startKernel()
    await kernel.boot({ ...given, memoryHoles: [{ address: '0x80000000', length: 0x1000_0000 }] })
    await kernel.crash()
    assert.deepEqual((await kmsg(kernel)).match(/Reserving .*/g), [
      'Reserving 1728MB of memory at 0x00000014000000 for preserving crash data',
      'Reserving 1792MB of memory at 0x00000090000000 for preserving crash data',
    ])
    const loads = loadsOf(await VmcoreFile.read(kernel))
    assert.deepEqual(
      loads.slice(1).map(([, start, length]) => [start, length]),
      [
        [0x2801_02a8n, 0x57fe_fd58n],
        [0x9000_0000n, 0x7000_0000n],
      ],
    )
  })

  const holes = (count: number) =>
    Array.from({ length: count }, (_, index) => ({
      address: `0x${(BigInt(index + 1) * 32n * MiB).toString(16)}`,
      length: 0x1_0000,
    }))

  test('C087 seven boot memory regions register, eight are refused', async () => {
    await using seven = await startKernel()
    await seven.boot({ ...given, memoryHoles: holes(6) })
    assert.equal(await seven.read('kernel/fadump/registered'), '1\n')
    assert.equal(seven.firmware.registered?.sections.length, 10)
    await using eight = await startKernel()
    await eight.boot({ ...given, memoryHoles: holes(7) })
    assert.equal(await eight.read('kernel/fadump/enabled'), '0\n')
    assert.match(await kmsg(eight), /fadump: Too many holes in boot memory area to enable fadump/)
  })
})

/** Pages of content that a reader of the vmcore finds. */
function pagesIn(vmcore: VmcoreFile): number {
  const decoder = new TextDecoder('latin1')
  return vmcore.pieces
    .map(
      ({ bytes }) => decoder.decode(bytes).match(/fadump-lab seed=0x00000005 page=/g)?.length ?? 0,
    )
    .reduce((sum, count) => sum + count, 0)
}

suite('the area that is lent to user pages', () => {
  const content = { seed: 5, populatedBytes: 0x6_0000, movableBytes: 0x2_0000 }
  const area = 0x1400_0000n
  const page = (number: bigint) => contentPage(5, number)

  test('C086 user pages in it are overwritten by the crash, in no dump, and counted', async () => {
    await using kernel = await startKernel()
    await kernel.boot({ ...given, content })
    assert.match(
      await kmsg(kernel),
      /fadump: Initialized \[0x14000000, 320MB\] cma area from \[0x14000000, 320MB\] bytes of memory reserved for firmware-assisted dump/,
    )
    assert.match(await kmsg(kernel), / 327680K cma-reserved\)/)
    const meminfo = await kernel.client.readProc({ params: { partition: 'p8', file: 'meminfo' } })
    assert.match(meminfo, /^CmaTotal: +327680 kB$/m)
    assert.deepEqual(await kernel.memory(area + 0x1_0000n, 0x1_0000), page(0x1401n))
    await kernel.crash()
    assert.notDeepEqual(await kernel.memory(area + 0x1_0000n, 0x1_0000), page(0x1401n))
    const vmcore = await VmcoreFile.read(kernel)
    assert.equal(pagesIn(vmcore), 4)
    assert.throws(() => vmcore.memory(area, 1), /is in no PT_LOAD/)
    const rows = await kernel.events.read(undefined, 100)
    const crashed = rows.find(({ event }) => event.event === 'crashed')
    assert.equal(crashed?.event.detail?.['cmaBytesLost'], 0x2_0000)
    assert.doesNotMatch(await kmsg(kernel), /Initialized/, 'a capture kernel lends nothing')
    assert.match(await kmsg(kernel), / 0K cma-reserved\)/)
  })

  test('C086 fadump=nocma lends nothing: the same pages live elsewhere and are in the dump', async () => {
    await using kernel = await startKernel()
    await kernel.boot({ ...given, content, bootArguments: 'fadump=nocma' })
    assert.doesNotMatch(await kmsg(kernel), /cma area/)
    assert.equal(await kernel.read('kernel/fadump/mem_reserved'), '335610536\n')
    const meminfo = await kernel.client.readProc({ params: { partition: 'p8', file: 'meminfo' } })
    assert.match(meminfo, /^CmaTotal: +0 kB$/m)
    assert.deepEqual(await kernel.memory(area, 0x2_0000), new Uint8Array(0x2_0000))
    await kernel.crash()
    const vmcore = await VmcoreFile.read(kernel)
    assert.equal(pagesIn(vmcore), 6)
  })
})
