import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { deviceNode, fromCells } from '@fadump-lab/shared/fdt'
import type { HcallReply } from '@fadump-lab/shared/hcall'
import { memoryRange, rangeOf, realAddress } from '@fadump-lab/shared/units'
import { readDmaWindows } from './dma-window.ts'
import { clearTable, mapPages } from './iommu-table.ts'
import { receiveBuffers } from './receive-buffers.ts'

/** A hypervisor that writes down what it is asked, and has `taken` entries. */
function recording(taken: ReadonlyMap<bigint, bigint> = new Map(), code = 0) {
  const calls: string[] = []
  const hypervisorCall = async (name: string, args: readonly bigint[]): Promise<HcallReply> => {
    calls.push([name, ...args.map((arg) => arg.toString(16))].join(' '))
    return name === 'H_GET_TCE'
      ? { code: 0, outputs: [taken.get(args[1] ?? 0n) ?? 0n] }
      : { code, outputs: [] }
  }
  return { calls, hypervisorCall }
}

const window = { liobn: 0x1000_0002n, start: 0n, entries: 1100 }
const pages = [realAddress(0x51_0000), realAddress(0x52_0000)]

suite('the I/O memory management unit of a kernel', () => {
  test('finds the DMA windows of virtual adapters in the device tree', () => {
    const adapter = (cells: number[]) =>
      deviceNode('l-lan@30000002', { 'ibm,my-dma-window': fromCells(...cells) })
    const root = deviceNode('', {}, [
      deviceNode('vdevice', {}, [
        adapter([0x1000_0002, 0, 0x1000, 0, 0x80_0000]),
        deviceNode('vty@30000000', {}),
        adapter([7, 0, 0]),
        adapter([8, 0, 0, 0xff, 0]),
      ]),
    ])
    assert.deepEqual(readDmaWindows(root), [
      { liobn: 0x1000_0002n, start: 0x1000n, entries: 2048 },
      // A kernel does not take more than 1 GiB of I/O bus.
      { liobn: 8n, start: 0n, entries: 0x4_0000 },
    ])
    assert.deepEqual(readDmaWindows(deviceNode('', {})), [])
  })

  test('clears a table in calls of at most 512 entries', async () => {
    const firmware = recording()
    await clearTable(firmware, window)
    assert.deepEqual(firmware.calls, [
      'H_STUFF_TCE 10000002 0 0 200',
      'H_STUFF_TCE 10000002 200000 0 200',
      'H_STUFF_TCE 10000002 400000 0 4c',
    ])
  })

  test('maps pages for reading and writing from the first entry on', async () => {
    const firmware = recording()
    assert.equal(await mapPages(firmware, window, { pages, keepsEntries: false }), 2)
    assert.deepEqual(firmware.calls, [
      'H_PUT_TCE 10000002 0 510003',
      'H_PUT_TCE 10000002 1000 520003',
    ])
  })

  test('works around entries that are somebody else’s', async () => {
    const firmware = recording(
      new Map([
        [0n, 0x1003n],
        [0x2000n, 0x3001n],
      ]),
    )
    assert.equal(await mapPages(firmware, window, { pages, keepsEntries: true }), 2)
    assert.deepEqual(
      firmware.calls.filter((call) => call.startsWith('H_PUT_TCE')),
      ['H_PUT_TCE 10000002 1000 510003', 'H_PUT_TCE 10000002 3000 520003'],
    )
  })

  test('ends at a full table and at a hypervisor that refuses', async () => {
    const full = recording(new Map([[0n, 0x1003n]]))
    const small = { ...window, entries: 1 }
    assert.equal(await mapPages(full, small, { pages, keepsEntries: true }), 0)
    assert.equal(await mapPages(recording(), small, { pages, keepsEntries: false }), 1)
    const refusing = recording(new Map(), -4)
    assert.equal(await mapPages(refusing, window, { pages, keepsEntries: false }), 0)
    assert.equal(refusing.calls.length, 1)
  })
})

suite('receive buffers', () => {
  const kernel = {
    processors: 2,
    memoryRegions: [memoryRange(0n, 0x4000_0000n)],
    fadump: {
      bootMemoryTop: realAddress(0x1400_0000),
      area: rangeOf(0x1400_0000n, 0x1401_02a8n),
      parameterArea: realAddress(0x2802_0000),
      isDumpActive: false,
    },
  }

  test('lie in boot memory and above it, outside of what is reserved', () => {
    assert.deepEqual(receiveBuffers(kernel), [
      0x51_0000n,
      0x52_0000n,
      // The dump area ends in the page at 0x28010000, the parameter area in that at 0x28020000.
      0x2803_0000n,
      0x2804_0000n,
    ])
  })

  test('of a capture kernel are in boot memory only', () => {
    const fadump = { ...kernel.fadump, isDumpActive: true }
    assert.deepEqual(receiveBuffers({ ...kernel, fadump }), [0x51_0000n, 0x52_0000n])
  })

  test('without a reservation lie low; a partition without room has none', () => {
    const { area: _area, ...fadump } = kernel.fadump
    const bare = { ...kernel, fadump: { ...fadump, bootMemoryTop: realAddress(0) } }
    assert.deepEqual(receiveBuffers(bare), [0x51_0000n, 0x52_0000n])
    const memoryRegions = [memoryRange(0n, 0x50_0000n)]
    assert.deepEqual(receiveBuffers({ ...bare, memoryRegions }), [])
  })
})
