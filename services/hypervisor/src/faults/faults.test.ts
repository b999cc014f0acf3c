import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { readRegisterSaveArea, readRegisterSaveAreaStart } from '@fadump-lab/shared/fadump'
import { aCrashedGuest, kernelDump, preserved, structureAt } from '../testing/crashed-guest.ts'
import { aStartedGuest, type Guest } from '../testing/guest.ts'
import { startHypervisor, type StartedHypervisor } from '../testing/started-hypervisor.ts'
import { modernStructure, resultsOf, v5Structure } from '../testing/structures.ts'

const paramsOf = (guest: Guest) => ({ partition: guest.id })
type Fault = Parameters<StartedHypervisor['client']['armFirmwareFault']>[0]['body']

const arm = (host: StartedHypervisor, guest: Guest, body: Fault) =>
  host.client.armFirmwareFault({ params: paramsOf(guest), body })

const listed = (host: StartedHypervisor, guest: Guest) =>
  host.client.listFirmwareFaults({ params: paramsOf(guest) })

suite('faults of RTAS calls', () => {
  for (const status of [-1, -2, -3, -9, -10, -77, 9900, 9905]) {
    test(`registering can answer ${status}, as often as asked, and then follows the rules`, async () => {
      await using host = await startHypervisor()
      const guest = await aStartedGuest(host)
      await arm(host, guest, { name: 'register-status', value: status, times: 2 })
      assert.equal(await guest.register(structureAt, v5Structure), status)
      assert.equal(await guest.register(structureAt, v5Structure), status)
      assert.equal((await guest.partition()).registration, 'idle')
      assert.equal(await guest.register(structureAt, v5Structure), 0)
      assert.deepEqual(await listed(host, guest), [
        { name: 'register-status', value: status, times: 2, hits: 2 },
      ])
    })
  }

  test('each strike is told in the event stream with its fault and its count', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    await arm(host, guest, { name: 'register-status' })
    await guest.register(structureAt, v5Structure)
    const rows = (await host.events.read(undefined, 100)).map(({ event }) => event)
    const told = rows.filter(({ event }) => event.startsWith('fault-'))
    assert.deepEqual(
      told.map(({ event, subject, detail }) => [event, subject, detail]),
      [
        ['fault-armed', 'p1', { fault: 'register-status', hits: 0, times: 1 }],
        ['fault-struck', 'p1', { fault: 'register-status', hits: 1, times: 1 }],
      ],
    )
  })

  test('unregistering can fail and leaves the registration', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    await guest.register(structureAt, v5Structure)
    await arm(host, guest, { name: 'unregister-status' })
    assert.deepEqual(await guest.rtas('ibm,configure-kernel-dump', [2, 0, 0]), [-1])
    assert.equal((await guest.partition()).registration, 'registered')
  })

  test('invalidating can be refused: the dump stays active and is presented again', async () => {
    await using host = await startHypervisor()
    const guest = await aCrashedGuest(host, v5Structure)
    await arm(host, guest, { name: 'invalidate-status', value: -3 })
    assert.deepEqual(await guest.rtas('ibm,configure-kernel-dump', [3, 0, 0]), [-3])
    assert.equal((await guest.partition()).registration, 'active')
    assert.equal((await kernelDump(host, guest))?.byteLength, 160)
  })

  test('ibm,os-term can return −1 with a registration: no dump, the kernel goes on by its own policy', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    await guest.register(structureAt, v5Structure)
    await arm(host, guest, { name: 'os-term-status' })
    assert.deepEqual(await guest.osTerm(), [-1])
    const { state, crashes } = await guest.partition()
    assert.deepEqual({ state, crashes }, { state: 'starting', crashes: 0 })
  })

  test('C007 ibm,extended-os-term is absent as long as the fault is armed', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    const has = async () => {
      const blob = await host.client.getDeviceTree({ params: paramsOf(guest) })
      return new TextDecoder('latin1').decode(blob).includes('ibm,extended-os-term')
    }
    await arm(host, guest, { name: 'no-extended-os-term' })
    assert.equal(await has(), false)
    await host.client.disarmFirmwareFaults({ params: paramsOf(guest) })
    assert.equal(await has(), true)
    assert.deepEqual(await listed(host, guest), [])
  })
})

const good = { errorFlags: 0, bytesDumped: 0x1000n }

/** Fault, which section of the modern structure, its result, the header's status. */
const sectionRows: readonly (readonly [
  fault: Fault,
  section: number,
  result: typeof good,
  status: number,
])[] = [
  ...[0x8000, 0x4000, 0x2000, 0x1000, 0x0800].map(
    (flags) =>
      [
        { name: 'cpu-state-error', value: flags },
        0,
        { errorFlags: flags, bytesDumped: 0n },
        0xe000,
      ] as const,
  ),
  [{ name: 'cpu-state-short' }, 0, { errorFlags: 0, bytesDumped: 0x2010n }, 0xc000],
  [{ name: 'cpu-state-short', value: 0 }, 0, { errorFlags: 0, bytesDumped: 0n }, 0xc000],
  [{ name: 'hpte-error' }, 1, { errorFlags: 0x1000, bytesDumped: 0n }, 0xe000],
  [{ name: 'hpte-short', value: 8 }, 1, { errorFlags: 0, bytesDumped: 8n }, 0xc000],
  [{ name: 'real-mode-error', value: 0x4000 }, 2, { errorFlags: 0x4000, bytesDumped: 0n }, 0xe000],
  [{ name: 'real-mode-short' }, 2, { errorFlags: 0, bytesDumped: 0xff_fff0n }, 0xc000],
  [{ name: 'parameters-error' }, 3, { errorFlags: 0x1000, bytesDumped: 0n }, 0xe000],
  [{ name: 'parameters-short' }, 3, { errorFlags: 0, bytesDumped: 0x7f0n }, 0xc000],
  [{ name: 'header-status-set' }, 1, good, 0xe000],
  [{ name: 'header-status-lost', value: 0xc000 }, 1, good, 0x0000],
  [{ name: 'unknown-section' }, 4, { errorFlags: 0x8000, bytesDumped: 0n }, 0xc000],
]

suite('faults of a dump', () => {
  for (const [fault, index, result, status] of sectionRows) {
    test(`${fault.name} ${fault.value ?? 'by default'}: status 0x${status.toString(16)}`, async () => {
      await using host = await startHypervisor()
      const guest = await aCrashedGuest(host, modernStructure, {
        before: async (live) => void (await arm(host, live, fault)),
      })
      const results = resultsOf((await kernelDump(host, guest)) ?? new Uint8Array(40))
      assert.deepEqual(results.sections[index], result)
      assert.equal(results.status, status)
      assert.deepEqual(
        (await listed(host, guest)).map(({ hits }) => hits),
        [1],
      )
    })
  }

  const areaRows = [
    ['regsave-magic', 'bad-magic'],
    ['regsave-no-cpustrt', 'missing-cpu-start'],
    ['regsave-no-cpuend', 'missing-cpu-end'],
    ['regsave-fewer-cpus', 'missing-cpu-start'],
  ] as const
  for (const [name, code] of areaRows) {
    test(`${name}: a reader of the register save area ends with ${code}`, async () => {
      await using host = await startHypervisor()
      const guest = await aCrashedGuest(host, v5Structure, {
        before: async (live) => void (await arm(host, live, { name })),
      })
      const area = await guest.read(0x200_0000n, 0x2020)
      if (code !== 'bad-magic') assert.equal(readRegisterSaveAreaStart(area).cpus, 1)
      assert.throws(() => [...readRegisterSaveArea(area)], { code })
    })
  }

  test('a spent fault lets the next dump be whole', async () => {
    await using host = await startHypervisor()
    const guest = await aCrashedGuest(host, v5Structure, {
      before: async (live) => void (await arm(host, live, { name: 'real-mode-error' })),
    })
    await guest.rtas('ibm,configure-kernel-dump', [3, 0, 0])
    assert.equal(await guest.register(structureAt, v5Structure), 0)
    await guest.osTerm()
    await preserved(guest)
    const { status } = resultsOf((await kernelDump(host, guest)) ?? new Uint8Array(40))
    assert.equal(status, 0xc000)
  })
})

suite('arming', () => {
  test('a misspelled fault is refused with the names there are', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    const name = 'register-statsu' as 'register-status'
    await assert.rejects(arm(host, guest, { name }), {
      slug: 'invalid-request',
      message: /name.*"register-status".*"regsave-no-cpuend".*found "register-statsu"/s,
    })
  })

  const wrong = [
    [{ name: 'regsave-magic', value: 1 }, 'the fault regsave-magic takes no value, not 1'],
    [
      { name: 'cpu-state-error', value: 0x1_0000 },
      'the value of the fault cpu-state-error (flags) must be 0 to 65535, not 65536',
    ],
    [
      { name: 'register-status', value: 2 ** 31 },
      'the value of the fault register-status (rtas-status) must be -2147483648 to 2147483647, not 2147483648',
    ],
    [
      { name: 'regsave-fewer-cpus', value: 0 },
      'the value of the fault regsave-fewer-cpus (count) must be 1 to 65535, not 0',
    ],
  ] as const
  for (const [body, message] of wrong) {
    test(`refused: ${message}`, async () => {
      await using host = await startHypervisor()
      const guest = await aStartedGuest(host)
      await assert.rejects(arm(host, guest, body), { slug: 'invalid-configuration', message })
    })
  }

  test('a fault of the same name takes the place of the old one, and survives a restart of the hypervisor', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    await arm(host, guest, { name: 'register-status', value: -2 })
    await arm(host, guest, { name: 'register-status', value: -3, times: 7 })
    await host.stop()
    await using next = await startHypervisor(host)
    assert.deepEqual(await listed(next, guest), [
      { name: 'register-status', value: -3, times: 7, hits: 0 },
    ])
  })
})
