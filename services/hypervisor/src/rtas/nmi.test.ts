import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { aStartedGuest } from '../testing/guest.ts'
import { startHypervisor } from '../testing/started-hypervisor.ts'

const MiB = 2 ** 20

suite('firmware assisted non-maskable interrupts', () => {
  test('handlers lie in the first 32 MiB and in the real mode area; a second call replaces them', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    for (const [systemReset, machineCheck, status] of [
      [0x6a00, 0x6c00, 0],
      [0x100, 32 * MiB - 4, 0],
      [0x100, 32 * MiB, -3],
      [32 * MiB, 0x200, -3],
    ] as const) {
      assert.deepEqual(await guest.rtas('ibm,nmi-register', [systemReset, machineCheck]), [status])
    }
    const small = await aStartedGuest(host, { id: 'p2', memoryBytes: 32 * MiB, rmaBytes: 16 * MiB })
    assert.deepEqual(await small.rtas('ibm,nmi-register', [0x100, 16 * MiB]), [-3])
  })

  test('ibm,nmi-interlock answers 0 whatever there is to release, as PowerVM does', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    assert.deepEqual(await guest.rtas('ibm,nmi-interlock', []), [0])
    await guest.rtas('ibm,nmi-register', [0x6a00, 0x6c00])
    assert.deepEqual(await guest.rtas('ibm,nmi-interlock', []), [0])
  })

  for (const [service, args, name] of [
    ['ibm,nmi-register', [0x6a00, 0x6c00], 'nmi-register-status'],
    ['ibm,nmi-interlock', [], 'nmi-interlock-status'],
  ] as const) {
    test(`${service} answers −1 when told to, once`, async () => {
      await using host = await startHypervisor()
      const guest = await aStartedGuest(host)
      await host.client.armFirmwareFault({ params: { partition: guest.id }, body: { name } })
      assert.deepEqual(await guest.rtas(service, args), [-1])
      assert.deepEqual(await guest.rtas(service, args), [0])
    })
  }

  test('other counts of cells are refused with −3', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    assert.deepEqual(await guest.rtas('ibm,nmi-register', [0x6a00]), [-3])
    assert.deepEqual(await guest.rtas('ibm,nmi-interlock', [1]), [-3])
  })
})
