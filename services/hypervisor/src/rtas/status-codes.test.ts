/** The status codes of ibm,configure-kernel-dump where PAPR contradicts itself: its table against its requirement text. */
import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { aCrashedGuest, structureAt } from '../testing/crashed-guest.ts'
import { aStartedGuest } from '../testing/guest.ts'
import { startHypervisor } from '../testing/started-hypervisor.ts'
import { v5Structure } from '../testing/structures.ts'

const register = 1
const unregister = 2
const invalidate = 3

for (const [firmware, alreadyRegistered, dumpActive] of [
  ['papr', -9, -10],
  ['papr-text', -8, -9],
] as const) {
  suite(`firmware ${firmware}`, () => {
    test(`C012 a second registration answers ${alreadyRegistered}`, async () => {
      await using host = await startHypervisor()
      const guest = await aStartedGuest(host, { firmware })
      assert.equal(await guest.register(structureAt, v5Structure), 0)
      assert.equal(await guest.register(structureAt, v5Structure), alreadyRegistered)
      assert.deepEqual(await guest.rtas('ibm,configure-kernel-dump', [unregister, 0, 0]), [0])
      assert.equal(await guest.register(structureAt, v5Structure), 0)
    })

    test(`C013 with an active dump register and unregister answer ${dumpActive}, until it is invalidated`, async () => {
      await using host = await startHypervisor()
      const guest = await aCrashedGuest(host, v5Structure, { partition: { firmware } })
      const call = (command: number) =>
        guest.rtas('ibm,configure-kernel-dump', [command, structureAt, 160])
      assert.deepEqual(await call(register), [dumpActive])
      assert.deepEqual(await call(unregister), [dumpActive])
      assert.deepEqual(await call(invalidate), [0])
      assert.equal(await guest.register(structureAt, v5Structure), 0)
    })
  })
}
