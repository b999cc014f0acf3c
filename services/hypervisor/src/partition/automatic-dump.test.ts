import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { VirtualClock } from '@fadump-lab/shared/runtime'
import { eventually } from '../../../../test/support/eventually.ts'
import { structureAt } from '../testing/crashed-guest.ts'
import { aStartedGuest, type Guest } from '../testing/guest.ts'
import { startHypervisor, type StartedHypervisor } from '../testing/started-hypervisor.ts'
import { v5Structure, withBytes } from '../testing/structures.ts'
import { toHex } from '@fadump-lab/shared/units'

/** max_time_auto: 60 000 ms. */
const oneMinute = toHex(withBytes(v5Structure, 0x24, '0000ea60'))

/** A kernel that takes the interrupt and then hangs. */
const hangingKernel: typeof fetch = async () => new Response(null, { status: 202 })

async function aHangingGuest(host: StartedHypervisor, structure: string): Promise<Guest> {
  const guest = await aStartedGuest(host)
  assert.equal(await guest.register(structureAt, structure), 0)
  await guest.report('booted')
  const params = { partition: guest.id }
  assert.equal((await host.client.systemReset({ params })).state, 'running')
  return guest
}

const isWaiting = (clock: VirtualClock) => eventually('the time counts', () => clock.pending === 1)

suite('max_time_auto', () => {
  test('C027 0: a kernel that has taken a system reset and hangs is never dumped by time', async () => {
    const clock = new VirtualClock()
    await using host = await startHypervisor({ clock, fetch: hangingKernel })
    const guest = await aHangingGuest(host, v5Structure)
    assert.equal(clock.pending, 0)
    await clock.advance(2 ** 32)
    assert.equal((await guest.partition()).state, 'running')
  })

  test('one minute: firmware dumps by itself when it has passed, and not before', async () => {
    const clock = new VirtualClock()
    await using host = await startHypervisor({ clock, fetch: hangingKernel })
    const guest = await aHangingGuest(host, oneMinute)
    await isWaiting(clock)
    await clock.advance(59_999)
    assert.equal((await guest.partition()).state, 'running')
    await clock.advance(1)
    await eventually('firmware dumps', async () => (await guest.partition()).crashes === 1)
  })

  test('a kernel that unregisters in time is left alone, also when it registers again', async () => {
    const clock = new VirtualClock()
    await using host = await startHypervisor({ clock, fetch: hangingKernel })
    const guest = await aHangingGuest(host, oneMinute)
    await isWaiting(clock)
    assert.deepEqual(await guest.rtas('ibm,configure-kernel-dump', [2, 0, 0]), [0])
    assert.equal(await guest.register(structureAt, oneMinute), 0)
    await clock.advance(60_000)
    assert.equal((await guest.partition()).crashes, 0)
  })

  test('the time counts on when the hypervisor itself is restarted', async () => {
    const clock = new VirtualClock()
    await using host = await startHypervisor({ clock, fetch: hangingKernel })
    const guest = await aHangingGuest(host, oneMinute)
    await host.stop()
    await using next = await startHypervisor({
      clock,
      store: host.store,
      queues: host.queues,
      events: host.events,
    })
    await isWaiting(clock)
    await clock.advance(60_000)
    const crashes = async () =>
      (await next.client.getPartition({ params: { partition: guest.id } })).crashes
    await eventually('firmware dumps', async () => (await crashes()) === 1)
  })
})
