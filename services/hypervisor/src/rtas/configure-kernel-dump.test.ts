import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { fromHex } from '@fadump-lab/shared/units'
import { aStartedGuest, type Guest } from '../testing/guest.ts'
import { startHypervisor } from '../testing/started-hypervisor.ts'
import { aDumpMemoryStructure, v5Structure, withBytes } from '../testing/structures.ts'

const structureAt = 0x10000
/** Default real mode area: all of 64 MiB. */
const rmaBytes = 64 * 1024 * 1024

async function registration(guest: Guest): Promise<string> {
  return (await guest.partition()).registration
}

const sections = (count: number) =>
  aDumpMemoryStructure(
    Array.from({ length: count }, () => ({
      type: 0x0100,
      source: 0x1000n,
      length: 0x10n,
      destination: 0x1000n,
    })),
  )

suite('register', () => {
  test('C011 a valid version 1 structure is registered with status 0', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    assert.equal(await guest.register(structureAt, v5Structure), 0)
    assert.equal(await registration(guest), 'registered')
  })

  test('C012 a second registration answers -9 and keeps the first', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    await guest.register(structureAt, v5Structure)
    assert.equal(await guest.register(0x20000, v5Structure), -9)
    assert.equal(await registration(guest), 'registered')
  })

  test('C016 ten sections are accepted, eleven answer -3', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    assert.equal(await guest.register(structureAt, sections(11)), -3)
    assert.equal(await registration(guest), 'idle')
    assert.equal(await guest.register(structureAt, sections(10)), 0)
  })

  const refused: readonly [string, Uint8Array, { address?: number; length?: number }?][] = [
    ['C015 dump_format_version 0', withBytes(v5Structure, 0, '00000000')],
    ['C015 dump_format_version 2', withBytes(v5Structure, 0, '00000002')],
    ['C017 a length below the header', fromHex(v5Structure), { length: 39 }],
    ['C017 the address 0', fromHex(v5Structure), { address: 0 }],
    ['C018 a length that is not 40 + 40·n', fromHex(v5Structure), { length: 161 }],
    ['C018 the length of more sections than there are', fromHex(v5Structure), { length: 200 }],
    ['C019 a structure of more than 512 bytes', fromHex(sections(11)), { length: 513 }],
    ['C031 a first section that is not at 0x28', withBytes(v5Structure, 8, '00000030')],
    ['no section at all', fromHex(sections(0))],
    ['a disk dump', withBytes(v5Structure, 0x0c, '00000200')],
  ]
  for (const [what, bytes, call = {}] of refused) {
    test(`${what} answers -3 and registers nothing`, async () => {
      await using host = await startHypervisor()
      const guest = await aStartedGuest(host)
      const address = call.address ?? structureAt
      await guest.write(BigInt(address), bytes)
      const cells = [1, address, call.length ?? bytes.byteLength]
      assert.deepEqual(await guest.rtas('ibm,configure-kernel-dump', cells), [-3])
      assert.equal(await registration(guest), 'idle')
    })
  }

  test('C017 a structure must end within the real mode area', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host, { rmaBytes: 16 * 1024 * 1024 })
    const end = 16 * 1024 * 1024
    assert.equal(await guest.register(end - 159, v5Structure), -3)
    assert.equal(await guest.register(end - 160, v5Structure), 0)
  })

  test('C017 a structure beyond memory answers -3', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    const cells = [1, 0xffff_ff00, 160]
    assert.deepEqual(await guest.rtas('ibm,configure-kernel-dump', cells), [-3])
    assert.deepEqual(await guest.rtas('ibm,configure-kernel-dump', [1, rmaBytes, 160]), [-3])
  })
})

suite('counts of cells, commands and tokens', () => {
  const calls: readonly [string, readonly number[], number][] = [
    ['C010 two arguments', [1, structureAt], 1],
    ['C010 four arguments', [1, structureAt, 160, 0], 1],
    ['C010 two return cells', [1, structureAt, 160], 2],
    ['C014 command 0', [0, structureAt, 160], 1],
    ['C014 command 4', [4, structureAt, 160], 1],
    ['C014 command 0xffffffff', [0xffff_ffff, structureAt, 160], 1],
  ]
  for (const [what, cells, returnCount] of calls) {
    test(`${what} answers -3 and registers nothing`, async () => {
      await using host = await startHypervisor()
      const guest = await aStartedGuest(host)
      await guest.write(BigInt(structureAt), fromHex(v5Structure))
      const returns = await guest.rtas('ibm,configure-kernel-dump', cells, { returnCount })
      assert.equal(returns[0], -3)
      assert.equal(await registration(guest), 'idle')
    })
  }

  test('C010 without a return cell there is nowhere to answer, and nothing is registered', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    await guest.write(BigInt(structureAt), fromHex(v5Structure))
    const cells = [1, structureAt, 160]
    const returns = await guest.rtas('ibm,configure-kernel-dump', cells, { returnCount: 0 })
    assert.deepEqual(returns, [])
    assert.equal(await registration(guest), 'idle')
  })

  test('a token that firmware has not given out answers -3', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    assert.deepEqual(await guest.rtasToken(0x9999, [1, 2, 3]), [-3])
  })

  test('C001 without the dump option the token answers -3', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host, { dumpOption: false })
    assert.equal(await guest.register(structureAt, v5Structure), -3)
    assert.equal(await registration(guest), 'idle')
  })

  const buffers: readonly [string, string][] = [
    ['no cells at all', ''],
    ['half a cell', '0000'],
    ['fewer cells than nargs says', '0000202d 00000003 00000001 00000001'],
    ['more arguments than a buffer holds', `0000202d 00000011 00000000 ${'00000000'.repeat(17)}`],
  ]
  for (const [what, hexDigits] of buffers) {
    test(`${what} is no argument buffer: invalid-request`, async () => {
      await using host = await startHypervisor()
      const guest = await aStartedGuest(host)
      const call = host.client.rtasCall({
        params: { partition: guest.id },
        query: { epoch: 1 },
        body: fromHex(hexDigits),
      })
      await assert.rejects(call, { slug: 'invalid-request' })
    })
  }

  test('calls are counted by service and status', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    await guest.register(structureAt, v5Structure)
    await guest.register(structureAt, v5Structure)
    const text = await host.metrics.expose()
    const line = 'fadump_rtas_calls_total{call="ibm,configure-kernel-dump",status="-9"} 1'
    assert.ok(text.includes(line))
  })
})

suite('unregister and invalidate', () => {
  test('unregister drops the registration with status 0, also when there is none', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    await guest.register(structureAt, v5Structure)
    const unregister = [2, structureAt, 160]
    assert.deepEqual(await guest.rtas('ibm,configure-kernel-dump', unregister), [0])
    assert.equal(await registration(guest), 'idle')
    assert.deepEqual(await guest.rtas('ibm,configure-kernel-dump', unregister), [0])
    assert.equal(await guest.register(structureAt, v5Structure), 0)
  })

  test('C022 invalidate without an active dump answers -3 and keeps the registration', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    const invalidate = [3, structureAt, 160]
    assert.deepEqual(await guest.rtas('ibm,configure-kernel-dump', invalidate), [-3])
    await guest.register(structureAt, v5Structure)
    assert.deepEqual(await guest.rtas('ibm,configure-kernel-dump', invalidate), [-3])
    assert.equal(await registration(guest), 'registered')
  })
})

suite('a kernel of an earlier boot', () => {
  test('cannot register: its boot is over', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    await guest.write(BigInt(structureAt), fromHex(v5Structure))
    await host.client.restartPartition({ params: { partition: guest.id } })
    await assert.rejects(
      guest.rtas('ibm,configure-kernel-dump', [1, structureAt, 160], { epoch: 1 }),
      (error) => {
        assert.equal((error as { slug?: unknown }).slug, 'stale-boot')
        assert.match(String(error), /boot 1 of partition p1 is over; the present one is 2/)
        return true
      },
    )
  })

  test('of an unknown partition: not-found', async () => {
    await using host = await startHypervisor()
    const call = host.client.rtasCall({
      params: { partition: 'nobody' },
      query: { epoch: 1 },
      body: fromHex('0000202d 00000000 00000000'),
    })
    await assert.rejects(call, { slug: 'not-found' })
  })
})
