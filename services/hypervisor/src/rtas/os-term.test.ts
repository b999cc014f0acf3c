import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { fromAscii, toHex } from '@fadump-lab/shared/units'
import { aCrashedGuest, kernelDump, preserved, structureAt } from '../testing/crashed-guest.ts'
import { aStartedGuest } from '../testing/guest.ts'
import { startHypervisor } from '../testing/started-hypervisor.ts'
import { v5Structure, withBytes } from '../testing/structures.ts'

suite('ibm,os-term when memory cannot be preserved', () => {
  test('C025 answers −1 and changes nothing; a second call dumps', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    assert.equal(await guest.register(structureAt, v5Structure), 0)
    const params = { partition: guest.id }
    await host.client.armFirmwareFault({ params, body: { name: 'preserve-hardware-error' } })
    assert.deepEqual(await guest.osTerm(), [-1])
    const { state, registration, crashes } = await guest.partition()
    assert.deepEqual(
      { state, registration, crashes },
      { state: 'starting', registration: 'registered', crashes: 0 },
    )
    assert.deepEqual(await guest.osTerm(), [])
    await preserved(guest)
  })
})

suite('ibm,os-term without a registered dump', () => {
  test('C024 returns 0, and the partition is terminated with the message', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    assert.deepEqual(await guest.osTerm('OS panic: Attempted to kill init!'), [0])
    const partition = await guest.partition()
    assert.equal(partition.state, 'terminated')
    assert.match(partition.lastFailure ?? '', /OS panic: Attempted to kill init!/)
    assert.equal(partition.crashes, 0)
  })

  test('the kernel then restarts by itself: a first boot with clear memory', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    await guest.write(0x4000n, fromAscii('old'))
    await guest.osTerm()
    assert.deepEqual(await guest.rtas('system-reboot', []), [])
    const { state, epoch, lastFailure } = await guest.partition()
    assert.deepEqual(
      { state, epoch, lastFailure },
      { state: 'starting', epoch: 2, lastFailure: undefined },
    )
    assert.equal(toHex(await guest.read(0x4000n, 3)), '000000')
  })

  test('a message pointer that leads nowhere does not keep the call from its answer', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    assert.deepEqual(await guest.rtas('ibm,os-term', [0xffff_fff0]), [0])
    assert.equal((await guest.partition()).state, 'terminated')
  })

  test('a message without an end is cut, and only printable characters are told', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    await guest.write(0x8000n, new Uint8Array(4096).fill(0x07))
    assert.deepEqual(await guest.rtas('ibm,os-term', [0x8000]), [0])
    assert.match((await guest.partition()).lastFailure ?? '', /: \?{512}$/)
  })

  test('C028 a registration that the platform has dropped at partition boot counts for nothing', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    await guest.register(structureAt, v5Structure)
    await host.client.restartPartition({ params: { partition: guest.id } })
    assert.deepEqual(await guest.osTerm(), [0])
    const { state, registration, crashes } = await guest.partition()
    assert.deepEqual(
      { state, registration, crashes },
      { state: 'terminated', registration: 'idle', crashes: 0 },
    )
  })
})

suite('ibm,os-term with a registered dump', () => {
  test('C025 does not return; memory outside boot memory and destinations stays as it is', async () => {
    await using host = await startHypervisor()
    const guest = await aCrashedGuest(host, v5Structure, {
      before: async (live) => {
        await live.write(0x0n, fromAscii('boot'))
        await live.write(0x1ff_fffcn, fromAscii('kept'))
        await live.write(0x300_3020n, fromAscii('tail'))
      },
    })
    assert.equal(toHex(await guest.read(0x1ff_fffcn, 4)), '6b657074')
    assert.equal(toHex(await guest.read(0x300_3020n, 4)), '7461696c')
    assert.equal(toHex(await guest.read(0x200_3020n, 4)), '626f6f74')
    assert.equal(toHex(await guest.read(0x0n, 4)), '626f6f74')
    const partition = await guest.partition()
    assert.equal(partition.registration, 'active')
    assert.equal(partition.crashes, 1)
    assert.match(partition.pendingDump ?? '', /^p1-[0-9a-f]{6}-1$/)
    assert.equal(partition.lastDump, partition.pendingDump)
  })

  test('C020 edits of the structure after registration have no effect at dump time', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    await guest.register(structureAt, v5Structure)
    await guest.write(BigInt(structureAt), withBytes(v5Structure, 0, 'ffffffff'))
    await guest.write(BigInt(structureAt), new Uint8Array(160).fill(0xff))
    await guest.osTerm()
    await preserved(guest)
    const dump = await kernelDump(host, guest)
    const registered = withBytes(v5Structure, 6, 'c000')
    assert.equal(toHex(dump?.subarray(0, 0x40) ?? registered), toHex(registered.subarray(0, 0x40)))
  })

  test('C013 register and unregister answer -10 while the dump is active', async () => {
    await using host = await startHypervisor()
    const guest = await aCrashedGuest(host, v5Structure)
    assert.equal(await guest.register(structureAt, v5Structure), -10)
    assert.deepEqual(await guest.rtas('ibm,configure-kernel-dump', [2, structureAt, 160]), [-10])
    assert.equal((await guest.partition()).registration, 'active')
  })

  test('C021 invalidate answers 0, and the next boot has no ibm,kernel-dump', async () => {
    await using host = await startHypervisor()
    const guest = await aCrashedGuest(host, v5Structure)
    await guest.report('booted')
    assert.deepEqual(await guest.rtas('ibm,configure-kernel-dump', [3, 0, 0]), [0])
    const { state, registration, pendingDump, lastDump } = await guest.partition()
    assert.deepEqual(
      { state, registration, pendingDump },
      { state: 'running', registration: 'idle', pendingDump: undefined },
    )
    assert.match(lastDump ?? '', /^p1-[0-9a-f]{6}-1$/)
    assert.equal(await kernelDump(host, guest), undefined)
    assert.equal(await guest.register(structureAt, v5Structure), 0)
  })

  test('a kernel that rejects its dump while it starts goes on as a first kernel', async () => {
    await using host = await startHypervisor()
    const guest = await aCrashedGuest(host, v5Structure)
    assert.deepEqual(await guest.rtas('ibm,configure-kernel-dump', [3, 0, 0]), [0])
    assert.equal((await guest.partition()).state, 'starting')
    const reported = await guest.report('rejected', 'Dump taken by platform is not valid')
    assert.equal(reported.state, 'starting')
    assert.equal(reported.lastFailure, 'Dump taken by platform is not valid')
    assert.equal((await guest.report('booted')).state, 'running')
  })

  test('a capture kernel that dies presents the dump again after its restart', async () => {
    await using host = await startHypervisor()
    const guest = await aCrashedGuest(host, v5Structure, {
      before: async (live) => live.write(0n, fromAscii('boot')),
    })
    await guest.report('booted')
    assert.deepEqual(await guest.osTerm('OS panic: Out of memory'), [0])
    assert.equal((await guest.partition()).state, 'terminated')
    await guest.rtas('system-reboot', [])
    const { state, registration } = await guest.partition()
    assert.deepEqual({ state, registration }, { state: 'capture-starting', registration: 'active' })
    assert.equal((await kernelDump(host, guest))?.byteLength, 160)
    assert.equal(toHex(await guest.read(0x200_3020n, 4)), '626f6f74')
  })

  test('a dying capture kernel that cleans up on its way gives the dump up', async () => {
    await using host = await startHypervisor()
    const guest = await aCrashedGuest(host, v5Structure)
    await guest.osTerm('OS panic: Out of memory')
    assert.deepEqual(await guest.rtas('ibm,configure-kernel-dump', [3, 0, 0]), [0])
    assert.equal((await guest.partition()).state, 'terminated')
    await guest.rtas('system-reboot', [])
    const { state, pendingDump } = await guest.partition()
    assert.deepEqual({ state, pendingDump }, { state: 'starting', pendingDump: undefined })
  })

  test('the events of a crash tell every transition under one correlation id', async () => {
    await using host = await startHypervisor()
    const guest = await aCrashedGuest(host, v5Structure)
    const rows = (await host.events.read(undefined, 100)).map(({ event }) => event)
    const crash = rows.find((row) => row.event === 'terminate')
    const told = rows
      .filter((row) => row.correlationId === crash?.correlationId)
      .map(({ aggregate, event, from, to }) => [aggregate, event, from, to])
    assert.deepEqual(told, [
      ['partition', 'terminate', 'starting', 'dumping'],
      ['registration', 'osTerm', 'registered', 'dumping'],
      ['dump', 'triggered', undefined, undefined],
      ['partition', 'preserved', 'dumping', 'capture-starting'],
      ['registration', 'preserved', 'dumping', 'active'],
    ])
    assert.equal((await guest.partition()).correlationId, crash?.correlationId)
  })
})

suite('power, as the kernel asks for it', () => {
  test('power-off does not return and leaves nothing', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    await guest.write(0x4000n, fromAscii('old'))
    assert.deepEqual(await guest.rtas('power-off', [0xffff_ffff, 0xffff_ffff]), [])
    assert.equal((await guest.partition()).state, 'not-activated')
    assert.equal((await host.store.describe(guest.space))?.populatedPages, 0)
  })
})
