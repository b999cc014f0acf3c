import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { decodeDeviceTree, toCells64 } from '@fadump-lab/shared/fdt'
import { aStartedGuest, type Guest } from '../testing/guest.ts'
import { startHypervisor, type StartedHypervisor } from '../testing/started-hypervisor.ts'

const GiB = 0x4000_0000

/** Name, `reg` and whether it can be unplugged, of every memory node. */
async function memoryOf(host: StartedHypervisor, guest: Guest) {
  const blob = await host.client.getDeviceTree({ params: { partition: guest.id } })
  return decodeDeviceTree(blob)
    .root.children.filter(({ name }) => name.startsWith('memory@'))
    .map(({ name, properties }) => [
      name,
      ...toCells64(properties.get('reg') ?? new Uint8Array(0)),
      properties.has('hotpluggable'),
    ])
}

suite('the memory of a partition', () => {
  const given = {
    memoryBytes: 2 * GiB,
    maximumMemoryBytes: 4 * GiB,
    memoryHoles: [{ address: '0x30000000', length: 0x1000_0000 }],
  }

  test('has a node for each range between holes, and one for each block that was added', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host, given)
    const configured = [
      ['memory@0', 0n, 0x3000_0000n, false],
      ['memory@40000000', 0x4000_0000n, 0x4000_0000n, false],
    ]
    assert.deepEqual(await memoryOf(host, guest), configured)
    const added = { address: '0x80000000', length: 0x1000_0000 }
    await host.client.assignMemory({
      params: { partition: guest.id },
      body: { epoch: 1, memoryHoles: given.memoryHoles, addedMemory: [added] },
    })
    assert.deepEqual(await memoryOf(host, guest), [
      ...configured,
      ['memory@80000000', 0x8000_0000n, 0x1000_0000n, true],
    ])
  })

  test('grows no further than maximumMemoryBytes, in order, and for the present boot only', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host, given)
    const assign = (epoch: number, ...blocks: readonly [string, number][]) =>
      host.client.assignMemory({
        params: { partition: guest.id },
        body: {
          epoch,
          memoryHoles: [],
          addedMemory: blocks.map(([address, length]) => ({ address, length })),
        },
      })
    const refused = { slug: 'invalid-configuration' }
    await assert.rejects(assign(1, ['0x100000000', 0x1000_0000]), refused)
    await assert.rejects(assign(1, ['0x70000000', 0x1000_0000]), refused)
    await assert.rejects(assign(1, ['0x90000000', 1 << 28], ['0x80000000', 1 << 28]), refused)
    await assert.rejects(assign(0, ['0x80000000', 0x1000_0000]), { slug: 'stale-boot' })
  })

  const wrong: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
    ['a hole at 0', { memoryHoles: [{ address: '0x0', length: 65_536 }] }],
    ['a hole to the end', { memoryHoles: [{ address: '0x10000', length: 2 * GiB - 65_536 }] }],
    ['half a page', { memoryHoles: [{ address: '0x10000', length: 32_768 }] }],
    ['a maximum below memory', { maximumMemoryBytes: GiB, memoryHoles: [] }],
  ]
  for (const [what, change] of wrong) {
    test(`${what} is refused at creation`, async () => {
      await using host = await startHypervisor()
      await assert.rejects(aStartedGuest(host, { ...given, ...change }), {
        slug: 'invalid-configuration',
      })
    })
  }
})
