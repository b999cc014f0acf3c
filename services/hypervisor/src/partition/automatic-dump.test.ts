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

/** A kernel host that takes the interrupt; what its kernel does then is up to the test. */
const hangingKernel: typeof fetch = async () => new Response(null, { status: 202 })

/** A registered guest after a system reset: it has taken the interrupt, and hangs. */
async function aResetGuest(host: StartedHypervisor, structure: string): Promise<Guest> {
  const guest = await aStartedGuest(host)
  assert.equal(await guest.register(structureAt, structure), 0)
  await guest.report('booted')
  const params = { partition: guest.id }
  assert.equal((await host.client.systemReset({ params })).state, 'running')
  return guest
}

/** The same, but it has called `ibm,nmi-interlock` before it hangs. */
async function aHangingGuest(host: StartedHypervisor, structure: string): Promise<Guest> {
  const guest = await aResetGuest(host, structure)
  assert.deepEqual(await guest.rtas('ibm,nmi-interlock', []), [0])
  return guest
}

/** The clock of max_time_auto runs, or at first only that of the interlock. */
const isWaiting = (clock: VirtualClock) => eventually('the time counts', () => clock.pending >= 1)
const interlockMs = 5000

suite('a system reset without ibm,nmi-interlock', () => {
  test('C026 is dumped by firmware when a registered kernel has taken it and does nothing', async () => {
    const clock = new VirtualClock()
    await using host = await startHypervisor({ clock, fetch: hangingKernel })
    const guest = await aResetGuest(host, v5Structure)
    await eventually('the time counts', () => clock.pending === 1)
    await clock.advance(interlockMs - 1)
    assert.equal((await guest.partition()).state, 'running')
    await clock.advance(1)
    await eventually('firmware dumps', async () => (await guest.partition()).crashes === 1)
    const events = await host.events.read(undefined, 100)
    const message = events.find(({ event }) => event.event === 'terminate')?.event.detail
    assert.equal(message?.['message'], 'system reset without ibm,nmi-interlock')
  })

  test('C026 with it, the kernel has the interrupt: firmware does nothing, however long it takes', async () => {
    const clock = new VirtualClock()
    await using host = await startHypervisor({ clock, fetch: hangingKernel })
    const guest = await aHangingGuest(host, v5Structure)
    await clock.advance(2 ** 32)
    const { state, crashes } = await guest.partition()
    assert.deepEqual({ state, crashes }, { state: 'running', crashes: 0 })
  })

  test('C026 an interlock that fails is none', async () => {
    const clock = new VirtualClock()
    await using host = await startHypervisor({ clock, fetch: hangingKernel })
    const guest = await aResetGuest(host, v5Structure)
    const body = { name: 'nmi-interlock-status' } as const
    await host.client.armFirmwareFault({ params: { partition: guest.id }, body })
    assert.deepEqual(await guest.rtas('ibm,nmi-interlock', []), [-1])
    await eventually('the time counts', () => clock.pending === 1)
    await clock.advance(interlockMs)
    await eventually('firmware dumps', async () => (await guest.partition()).crashes === 1)
  })

  test('C026 an interlock of another time is none: every system reset needs its own', async () => {
    const clock = new VirtualClock()
    await using host = await startHypervisor({ clock, fetch: hangingKernel })
    const guest = await aHangingGuest(host, v5Structure)
    await clock.advance(interlockMs)
    await host.client.systemReset({ params: { partition: guest.id } })
    await eventually('the time counts', () => clock.pending === 1)
    await clock.advance(interlockMs)
    await eventually('firmware dumps', async () => (await guest.partition()).crashes === 1)
  })

  for (const [what, firmware, structure] of [
    ['that has registered nothing', 'papr', undefined],
    ['on QEMU, which never dumps by itself', 'qemu', v5Structure],
  ] as const) {
    test(`a kernel ${what} is left alone`, async () => {
      const clock = new VirtualClock()
      await using host = await startHypervisor({ clock, fetch: hangingKernel })
      const guest = await aStartedGuest(host, { firmware })
      if (structure !== undefined) assert.equal(await guest.register(structureAt, structure), 0)
      await guest.report('booted')
      await host.client.systemReset({ params: { partition: guest.id } })
      await clock.advance(2 ** 32)
      const { state, crashes } = await guest.partition()
      assert.deepEqual({ state, crashes }, { state: 'running', crashes: 0 })
    })
  }
})

suite('max_time_auto', () => {
  test('C027 0: a kernel that has taken a system reset, given the interlock, and hangs is never dumped by time', async () => {
    const clock = new VirtualClock()
    await using host = await startHypervisor({ clock, fetch: hangingKernel })
    const guest = await aHangingGuest(host, v5Structure)
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
