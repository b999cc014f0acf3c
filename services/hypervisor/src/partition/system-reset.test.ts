import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { VirtualClock } from '@fadump-lab/shared/runtime'
import { eventually } from '../../../../test/support/eventually.ts'
import { preserved, structureAt } from '../testing/crashed-guest.ts'
import { aStartedGuest, type Guest } from '../testing/guest.ts'
import { startHypervisor, type StartedHypervisor } from '../testing/started-hypervisor.ts'
import { v5Structure } from '../testing/structures.ts'

interface Interrupt {
  readonly url: string
  readonly body: unknown
  readonly correlationId: string | null
}

/** A kernel host that accepts every interrupt. */
function acceptingHost(): { readonly fetch: typeof fetch; readonly interrupts: Interrupt[] } {
  const interrupts: Interrupt[] = []
  return {
    interrupts,
    fetch: async (url, init) => {
      const request = new Request(url, init)
      interrupts.push({
        url: request.url,
        body: await request.json(),
        correlationId: request.headers.get('x-correlation-id'),
      })
      return new Response(null, { status: 202 })
    },
  }
}

const refusingFetch: typeof fetch = async () => {
  throw new TypeError('connection refused')
}

const reset = (host: StartedHypervisor, guest: Guest) =>
  host.client.systemReset({ params: { partition: guest.id }, correlationId: 'reset-1' })

suite('system reset', () => {
  test('reaches the kernel with the generation of its boot, and firmware does nothing else', async () => {
    const kernel = acceptingHost()
    await using host = await startHypervisor({ fetch: kernel.fetch })
    const guest = await aStartedGuest(host)
    await guest.register(structureAt, v5Structure)
    await guest.report('booted')
    assert.equal((await reset(host, guest)).state, 'running')
    assert.deepEqual(kernel.interrupts, [
      {
        url: 'http://127.0.0.1:1/partitions/p1/interrupts/system-reset',
        body: { epoch: 1 },
        correlationId: 'reset-1',
      },
    ])
  })

  test('C026 a registered dump is taken even if no kernel runs', async () => {
    await using host = await startHypervisor({ fetch: refusingFetch })
    const guest = await aStartedGuest(host)
    await guest.register(structureAt, v5Structure)
    await guest.report('booted')
    assert.equal((await reset(host, guest)).state, 'dumping')
    await preserved(guest)
    const { registration, crashes, correlationId } = await guest.partition()
    assert.deepEqual(
      { registration, crashes, correlationId },
      { registration: 'active', crashes: 1, correlationId: 'reset-1' },
    )
  })

  test('a kernel that still starts has no address yet: firmware dumps what is registered', async () => {
    const kernel = acceptingHost()
    await using host = await startHypervisor({ fetch: kernel.fetch })
    const guest = await aStartedGuest(host)
    await guest.register(structureAt, v5Structure)
    assert.equal((await reset(host, guest)).state, 'dumping')
    assert.deepEqual(kernel.interrupts, [])
  })

  test('without a registration it is a plain restart', async () => {
    await using host = await startHypervisor({ fetch: refusingFetch })
    const guest = await aStartedGuest(host)
    await guest.report('booted')
    const { state, crashes, epoch } = await reset(host, guest)
    assert.deepEqual({ state, crashes, epoch }, { state: 'starting', crashes: 0, epoch: 2 })
  })

  test('a host that answers with a refusal does not run the partition: firmware acts alone', async () => {
    const wrong: typeof fetch = async () =>
      new Response('{"type":"/problems/stale-boot","status":409}', { status: 409 })
    await using host = await startHypervisor({ fetch: wrong })
    const guest = await aStartedGuest(host)
    await guest.report('booted')
    assert.equal((await reset(host, guest)).state, 'starting')
  })

  test('a host that hangs is given up after its time, by the clock that came in', async () => {
    const clock = new VirtualClock()
    const called = Promise.withResolvers<void>()
    const hanging: typeof fetch = (_url, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(new Error('aborted')))
        called.resolve()
      })
    await using host = await startHypervisor({ fetch: hanging, clock })
    const guest = await aStartedGuest(host)
    await guest.report('booted')
    const answer = reset(host, guest)
    await called.promise
    await clock.advance(4999)
    assert.equal((await guest.partition()).state, 'running')
    await clock.advance(1)
    assert.equal((await answer).state, 'starting')
  })

  test('a kernel that dies by itself while firmware waits is not reset a second time', async () => {
    const guests: Guest[] = []
    const dying: typeof fetch = async () => {
      await guests[0]?.osTerm('System Reset')
      throw new TypeError('connection reset')
    }
    await using host = await startHypervisor({ fetch: dying })
    const guest = await aStartedGuest(host)
    guests.push(guest)
    await guest.register(structureAt, v5Structure)
    await guest.report('booted')
    await reset(host, guest)
    await eventually(
      'the capture boot begins',
      async () => (await guest.partition()).state === 'capture-starting',
    )
    assert.equal((await guest.partition()).crashes, 1)
  })
})
