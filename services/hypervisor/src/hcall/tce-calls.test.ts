import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { decodeDeviceTree, findNode, toCells } from '@fadump-lab/shared/fdt'
import { records } from '@fadump-lab/shared/contracts'
import { fromHex } from '@fadump-lab/shared/units'
import { aGuest, aStartedGuest, type Guest } from '../testing/guest.ts'
import { startHypervisor, type StartedHypervisor } from '../testing/started-hypervisor.ts'

const MiB = 2 ** 20
const liobn = 0x1000_0002n
/** The window has 8 MiB: entries 0 to 2047. */
const lastPage = 0x7f_f000n

const H_SUCCESS = 0
const H_PARTIAL = 5
const H_FUNCTION = -2
const H_PARAMETER = -4
const H_P4 = -57

async function recordOf(host: StartedHypervisor, guest: Guest): Promise<string | undefined> {
  return (await host.store.readRecord(guest.space, records.tces)).value
}

suite('translation control entries', () => {
  test('the device tree names the window of the virtual adapter', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    const blob = await host.client.getDeviceTree({ params: { partition: guest.id } })
    const node = findNode(decodeDeviceTree(blob).root, '/vdevice/l-lan@30000002')
    const window = node?.properties.get('ibm,my-dma-window') ?? new Uint8Array(0)
    assert.deepEqual(toCells(window), [0x1000_0002, 0, 0, 0, 0x80_0000])
  })

  test('H_PUT_TCE enters one page, H_GET_TCE tells it, permission 0 takes it out', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    assert.deepEqual(await guest.hcall('H_GET_TCE', liobn, 0x3000n), [H_SUCCESS, 0n])
    assert.deepEqual(await guest.hcall('H_PUT_TCE', liobn, 0x3000n, 0x12_3003n), [H_SUCCESS])
    // Any address of the page means its entry.
    assert.deepEqual(await guest.hcall('H_GET_TCE', liobn, 0x3abcn), [H_SUCCESS, 0x12_3003n])
    assert.deepEqual(await guest.hcall('H_GET_TCE', liobn, 0x4000n), [H_SUCCESS, 0n])
    assert.deepEqual(await guest.hcall('H_PUT_TCE', liobn, 0x3000n, 0x12_3000n), [H_SUCCESS])
    assert.deepEqual(await guest.hcall('H_GET_TCE', liobn, 0x3000n), [H_SUCCESS, 0n])
  })

  test('a table costs nothing until something is mapped, and nothing again afterwards', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    const { version } = await host.store.readRecord(guest.space, records.firmware)
    assert.deepEqual(await guest.hcall('H_STUFF_TCE', liobn, 0n, 0n, 512n), [H_SUCCESS])
    assert.equal((await host.store.readRecord(guest.space, records.firmware)).version, version)
    assert.equal(await recordOf(host, guest), undefined)
    await guest.hcall('H_PUT_TCE', liobn, lastPage, 0x1003n)
    assert.equal(await recordOf(host, guest), '{"entries":[[2047,"0x1003"]],"inFlight":[]}')
    await guest.hcall('H_PUT_TCE', liobn, lastPage, 0n)
    assert.equal(await recordOf(host, guest), undefined)
  })

  test('H_STUFF_TCE enters the same page up to 512 times', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    assert.deepEqual(await guest.hcall('H_STUFF_TCE', liobn, 0x1000n, 0x8002n, 512n), [H_SUCCESS])
    for (const [page, expected] of [
      [0n, 0n],
      [0x1000n, 0x8002n],
      [0x20_0000n, 0x8002n],
      [0x20_1000n, 0n],
    ] as const) {
      assert.deepEqual(await guest.hcall('H_GET_TCE', liobn, page), [H_SUCCESS, expected])
    }
    assert.deepEqual(await guest.hcall('H_STUFF_TCE', liobn, 0n, 0x8002n, 0n), [H_SUCCESS])
  })

  test('H_PUT_TCE_INDIRECT enters what a page of memory lists', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    await guest.write(0x5000n, fromHex('00000000000080030000000000009001000000000000a000'))
    assert.deepEqual(await guest.hcall('H_PUT_TCE_INDIRECT', liobn, 0n, 0x5000n, 3n), [H_SUCCESS])
    assert.deepEqual(await guest.hcall('H_GET_TCE', liobn, 0n), [H_SUCCESS, 0x8003n])
    assert.deepEqual(await guest.hcall('H_GET_TCE', liobn, 0x1000n), [H_SUCCESS, 0x9001n])
    assert.deepEqual(await guest.hcall('H_GET_TCE', liobn, 0x2000n), [H_SUCCESS, 0n])
  })

  const memoryEnd = BigInt(64 * MiB)
  const refusals = [
    ['H_PUT_TCE of another bus', 'H_PUT_TCE', [liobn + 1n, 0n, 0x1003n], H_PARAMETER],
    ['H_PUT_TCE behind the window', 'H_PUT_TCE', [liobn, 0x80_0000n, 0x1003n], H_PARAMETER],
    ['H_PUT_TCE of foreign memory', 'H_PUT_TCE', [liobn, 0n, memoryEnd | 3n], H_PARAMETER],
    ['H_PUT_TCE of a hole', 'H_PUT_TCE', [liobn, 0n, 0x20_0003n], H_PARAMETER],
    ['H_GET_TCE of another bus', 'H_GET_TCE', [liobn + 1n, 0n], H_PARAMETER],
    ['H_GET_TCE behind the window', 'H_GET_TCE', [liobn, 0x80_0000n], H_PARAMETER],
    ['H_STUFF_TCE of 513 entries', 'H_STUFF_TCE', [liobn, 0n, 0n, 513n], H_P4],
    ['H_STUFF_TCE past the window', 'H_STUFF_TCE', [liobn, lastPage, 0n, 2n], H_PARAMETER],
    ['H_STUFF_TCE of foreign memory', 'H_STUFF_TCE', [liobn, 0n, memoryEnd | 1n, 1n], H_PARAMETER],
    [
      'H_PUT_TCE_INDIRECT of 513 entries',
      'H_PUT_TCE_INDIRECT',
      [liobn, 0n, 0x5000n, 513n],
      H_PARAMETER,
    ],
    [
      'H_PUT_TCE_INDIRECT from half a page',
      'H_PUT_TCE_INDIRECT',
      [liobn, 0n, 0x5800n, 1n],
      H_PARAMETER,
    ],
    [
      'H_PUT_TCE_INDIRECT from foreign memory',
      'H_PUT_TCE_INDIRECT',
      [liobn, 0n, memoryEnd, 1n],
      H_PARAMETER,
    ],
    [
      'H_PUT_TCE_INDIRECT past the window',
      'H_PUT_TCE_INDIRECT',
      [liobn, lastPage, 0x5000n, 2n],
      H_PARAMETER,
    ],
  ] as const
  test('every refusal has its return code and changes nothing', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host, {
      memoryHoles: [{ address: '0x200000', length: 0x1_0000 }],
    })
    for (const [what, name, args, code] of refusals) {
      assert.deepEqual(await guest.hcall(name, ...args), [code], what)
    }
    assert.deepEqual(await guest.hcallToken(0x24, []), [H_FUNCTION])
    // A list of which one entry is foreign is refused as a whole.
    await guest.write(0x5000n, fromHex('00000000000080030000000004000003'))
    assert.deepEqual(await guest.hcall('H_PUT_TCE_INDIRECT', liobn, 0n, 0x5000n, 2n), [H_PARAMETER])
    assert.equal(await recordOf(host, guest), undefined)
  })

  test('an entry whose memory was taken away is told with H_PARTIAL and without its address', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    await guest.hcall('H_PUT_TCE', liobn, 0n, 0x20_0003n)
    const { epoch } = await guest.partition()
    const body = {
      epoch,
      memoryHoles: [{ address: '0x200000', length: 0x1_0000 }],
      addedMemory: [],
    }
    await host.client.assignMemory({ params: { partition: guest.id }, body })
    assert.deepEqual(await guest.hcall('H_GET_TCE', liobn, 0n), [H_PARTIAL, 0xffff_ffff_ffff_f003n])
  })

  test('a kernel of an earlier boot is refused, and so is a partition that is off', async () => {
    await using host = await startHypervisor()
    const guest = await aGuest(host)
    const refused = (slug: string) => ({ slug })
    await assert.rejects(guest.hcall('H_GET_TCE', liobn, 0n), refused('wrong-state'))
    await host.client.activatePartition({ params: { partition: guest.id } })
    const { epoch } = await guest.partition()
    const stale = guest.hcallToken(0x1c, [liobn, 0n], { epoch: epoch - 1 })
    await assert.rejects(stale, refused('stale-boot'))
    const none = host.client.hypervisorCall({
      params: { partition: guest.id },
      query: { epoch },
      body: new Uint8Array(12),
    })
    await assert.rejects(none, refused('invalid-request'))
  })

  for (const [firmware, kept] of [
    ['papr', 0x1003n],
    ['qemu', 0n],
  ] as const) {
    test(`a restart leaves them for the next kernel, QEMU clears them: ${firmware}`, async () => {
      await using host = await startHypervisor()
      const guest = await aStartedGuest(host, { firmware })
      await guest.hcall('H_PUT_TCE', liobn, 0n, 0x1003n)
      await host.client.restartPartition({ params: { partition: guest.id } })
      assert.deepEqual(await guest.hcall('H_GET_TCE', liobn, 0n), [H_SUCCESS, kept])
    })
  }

  test('power off loses them', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    await guest.hcall('H_PUT_TCE', liobn, 0n, 0x1003n)
    const params = { partition: guest.id }
    await host.client.powerOffPartition({ params })
    await host.client.activatePartition({ params })
    assert.deepEqual(await guest.hcall('H_GET_TCE', liobn, 0n), [H_SUCCESS, 0n])
  })
})
