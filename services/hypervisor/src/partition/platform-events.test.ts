import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { aCrashedGuest, preserved, structureAt } from '../testing/crashed-guest.ts'
import { aGuest, aStartedGuest } from '../testing/guest.ts'
import { startHypervisor } from '../testing/started-hypervisor.ts'
import { v5Structure } from '../testing/structures.ts'

suite('a kill by the hypervisor', () => {
  test('C026 dumps what is registered, and no kernel has a word in it', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    await guest.register(structureAt, v5Structure)
    const { state } = await host.client.killPartition({ params: { partition: guest.id } })
    assert.equal(state, 'dumping')
    await preserved(guest)
    assert.equal((await guest.partition()).registration, 'active')
  })

  test('without a registration it is a restart; a dump that waits is presented again', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    const params = { partition: guest.id }
    assert.equal((await host.client.killPartition({ params })).state, 'starting')
    await guest.register(structureAt, v5Structure)
    await guest.osTerm()
    await preserved(guest)
    const { state, registration } = await host.client.killPartition({ params })
    assert.deepEqual({ state, registration }, { state: 'capture-starting', registration: 'active' })
  })

  test('a partition that is off is refused', async () => {
    await using host = await startHypervisor()
    const guest = await aGuest(host)
    await assert.rejects(host.client.killPartition({ params: { partition: guest.id } }), {
      slug: 'wrong-state',
    })
  })
})

suite('a migration', () => {
  test('C028 drops the registration: ibm,os-term then returns 0 as if there had been none', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    await guest.register(structureAt, v5Structure)
    const params = { partition: guest.id }
    const { state, registration } = await host.client.migratePartition({ params })
    assert.deepEqual({ state, registration }, { state: 'starting', registration: 'idle' })
    assert.deepEqual(await guest.osTerm(), [0])
    assert.equal((await guest.partition()).crashes, 0)
  })

  test('leaves a dump that is being captured as it is', async () => {
    await using host = await startHypervisor()
    const guest = await aCrashedGuest(host, v5Structure)
    await guest.report('booted')
    const params = { partition: guest.id }
    const { state, registration } = await host.client.migratePartition({ params })
    assert.deepEqual({ state, registration }, { state: 'capturing', registration: 'active' })
  })

  test('of a partition that is off is refused', async () => {
    await using host = await startHypervisor()
    const guest = await aGuest(host)
    await assert.rejects(host.client.migratePartition({ params: { partition: guest.id } }), {
      slug: 'wrong-state',
      message:
        'partition p1 is not-activated; a migration needs it to be starting or running or capturing',
    })
  })
})
