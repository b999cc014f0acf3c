import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import type { Vcpu } from '@fadump-lab/shared/contracts'
import { aGuest, aStartedGuest, type Guest } from '../testing/guest.ts'
import { startHypervisor, type StartedHypervisor } from '../testing/started-hypervisor.ts'
import { decodeVcpus, encodeVcpus } from './vcpus.ts'

interface VcpuForm {
  readonly cpu: number
  readonly online: boolean
  readonly registers: Record<string, string>
}

const put = async (host: StartedHypervisor, guest: Guest, vcpus: VcpuForm[]) =>
  host.client.putVcpus({
    params: { partition: guest.id },
    body: { epoch: (await guest.partition()).epoch, vcpus },
  })
const get = (host: StartedHypervisor, guest: Guest) =>
  host.client.getVcpus({ params: { partition: guest.id } })

suite('contexts of virtual CPUs', () => {
  test('are empty at power on; CPUs that are offline from boot on say so', async () => {
    await using host = await startHypervisor()
    const guest = await aGuest(host, { processors: 3, offlineCpus: [1] })
    assert.deepEqual(await get(host, guest), [
      { cpu: 0, online: true, registers: {} },
      { cpu: 1, online: false, registers: {} },
      { cpu: 2, online: true, registers: {} },
    ])
  })

  test('of the named CPUs are replaced, the others stay', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host, { processors: 2 })
    await put(host, guest, [
      { cpu: 0, online: true, registers: { GPR01: '0xc000000000001234', NIA: '0x0' } },
      { cpu: 1, online: true, registers: { MSR: '0xffffffffffffffff' } },
    ])
    await put(host, guest, [{ cpu: 1, online: false, registers: { LR: '0x1' } }])
    assert.deepEqual(await get(host, guest), [
      { cpu: 0, online: true, registers: { GPR01: 0xc000_0000_0000_1234n, NIA: 0n } },
      { cpu: 1, online: false, registers: { LR: 1n } },
    ])
  })

  test('are reset by a boot', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    await put(host, guest, [{ cpu: 0, online: false, registers: { LR: '0x1' } }])
    await host.client.restartPartition({ params: { partition: guest.id } })
    assert.deepEqual(await get(host, guest), [{ cpu: 0, online: true, registers: {} }])
  })

  const refused: readonly [string, VcpuForm, RegExp][] = [
    [
      'a CPU that does not exist',
      { cpu: 2, online: true, registers: {} },
      /cpu 2 does not exist; the partition has 2/,
    ],
    ['an unknown register', { cpu: 0, online: true, registers: { GPR32: '0x0' } }, /"GPR32"/],
    ['a marker', { cpu: 0, online: true, registers: { CPUSTRT: '0x0' } }, /"CPUSTRT"/],
    [
      'a value of 65 bits',
      { cpu: 0, online: true, registers: { LR: `0x1${'0'.repeat(16)}` } },
      /1 to 16/,
    ],
  ]
  for (const [what, vcpu, detail] of refused) {
    test(`${what} is refused: invalid-request`, async () => {
      await using host = await startHypervisor()
      const guest = await aStartedGuest(host, { processors: 2 })
      await assert.rejects(put(host, guest, [vcpu]), (error) => {
        assert.equal((error as { slug?: unknown }).slug, 'invalid-request')
        assert.match(String(error), detail)
        return true
      })
      assert.deepEqual((await get(host, guest))[0]?.registers, {})
    })
  }

  test('from a kernel of an earlier boot are refused: stale-boot', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    const stale = host.client.putVcpus({
      params: { partition: guest.id },
      body: { epoch: 0, vcpus: [] },
    })
    await assert.rejects(stale, { slug: 'stale-boot' })
  })

  test('of 4096 CPUs with every register that Linux reads fit the record', () => {
    const names = Array.from({ length: 32 }, (_, index) => `GPR${String(index).padStart(2, '0')}`)
    const all = [...names, 'NIA', 'MSR', 'CTR', 'LR', 'XER', 'CR', 'DAR', 'DSISR']
    const vcpus: Vcpu[] = Array.from({ length: 4096 }, (_, cpu) => ({
      cpu,
      online: true,
      registers: Object.fromEntries(all.map((name) => [name, 0xffff_ffff_ffff_ffffn])),
    }))
    const text = encodeVcpus(vcpus)
    assert.ok(text.length < 4 * 1024 * 1024, `${text.length} bytes`)
    const firmware = { processors: 4096, offlineCpus: [] } as unknown as Parameters<
      typeof decodeVcpus
    >[1]
    assert.deepEqual(decodeVcpus(text, firmware), vcpus)
  })
})
