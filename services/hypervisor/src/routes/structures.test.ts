import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { fromAscii, fromHex, toHex } from '@fadump-lab/shared/units'
import { aCrashedGuest, structureAt } from '../testing/crashed-guest.ts'
import { aGuest, aStartedGuest, type Guest } from '../testing/guest.ts'
import { startHypervisor, type StartedHypervisor } from '../testing/started-hypervisor.ts'
import { aDumpMemoryStructure, modernStructure, v5Structure } from '../testing/structures.ts'

type Structure = 'fdm' | 'regsave' | 'crash-info' | 'fdt'

const read = ({ client }: StartedHypervisor, guest: Guest, structure: Structure) =>
  client.getStructure({ params: { partition: guest.id, structure } })

/** Behind 16 MiB of boot memory: v5 has it unaligned, modern on a page. */
const crashInfoAt = { v5: 0x300_3020n, modern: 0x301_0000n }

suite('the structures of a dump as bytes', () => {
  test('the dump memory structure is firmware’s copy, whatever the partition makes of its own', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    await guest.register(structureAt, v5Structure)
    await guest.write(BigInt(structureAt), new Uint8Array(160).fill(0xee))
    assert.equal(toHex(await read(host, guest, 'fdm')), toHex(fromHex(v5Structure)))
  })

  for (const [profile, structure, length] of [
    ['v5', v5Structure, 504],
    ['modern', modernStructure, 680],
  ] as const) {
    test(`the crash info header of ${profile} is the ${length} bytes behind the copy of boot memory`, async () => {
      await using host = await startHypervisor()
      const guest = await aStartedGuest(host, { profile })
      await guest.register(structureAt, structure)
      await guest.write(crashInfoAt[profile], fromAscii('GISPMDAF'))
      await guest.write(crashInfoAt[profile] + BigInt(length) - 1n, Uint8Array.of(0x77, 0x88))
      const header = await read(host, guest, 'crash-info')
      assert.equal(header.byteLength, length)
      assert.equal(toHex(header.subarray(0, 8)), '474953504d444146')
      assert.equal(header.at(-1), 0x77)
    })
  }

  test('once a dump waits, the register save area is what firmware wrote, and the structure has the results', async () => {
    await using host = await startHypervisor()
    const guest = await aCrashedGuest(host, v5Structure)
    const area = await read(host, guest, 'regsave')
    assert.equal(area.byteLength, 0x2020)
    assert.equal(toHex(area.subarray(0, 8)), '5245475341564500')
    assert.equal(toHex((await read(host, guest, 'fdm')).subarray(4, 8)), '0003c000')
  })

  test('the device tree is that of the present boot', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    const blob = await host.client.getDeviceTree({ params: { partition: guest.id } })
    assert.deepEqual(await read(host, guest, 'fdt'), blob)
  })
})

suite('structures that are not there are refused', () => {
  const wrongState = (detail: RegExp) => ({ slug: 'wrong-state', message: detail })

  test('before a registration: wrong-state', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    for (const structure of ['fdm', 'regsave', 'crash-info'] as const) {
      await assert.rejects(
        read(host, guest, structure),
        wrongState(/^the dump registration of partition p1 is idle; \S+ needs it to be /),
      )
    }
  })

  test('the register save area before a crash: wrong-state', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host)
    await guest.register(structureAt, v5Structure)
    await assert.rejects(
      read(host, guest, 'regsave'),
      wrongState(/^the dump registration of partition p1 is registered; .* to be active$/),
    )
  })

  test('everything of a partition that is off: wrong-state', async () => {
    await using host = await startHypervisor()
    const guest = await aGuest(host)
    await assert.rejects(read(host, guest, 'fdt'), wrongState(/^partition p1 is not-activated; /))
    await assert.rejects(read(host, guest, 'fdm'), wrongState(/is idle; fdm needs it to be/))
  })

  const places = {
    'without a real mode region': [
      { type: 0x0001, length: 0x2020n, destination: 0x200_0000n },
      { type: 0x0002, length: 0x1000n, destination: 0x200_2020n },
    ],
    'whose copy ends with memory': [
      { type: 0x0011, length: 0x100_0000n, destination: 0x300_0000n },
    ],
    'whose copy lies beyond 64 bits': [
      { type: 0x0011, length: 0xffff_ffff_ffff_0000n, destination: 0xffff_ffff_ffff_0000n },
    ],
  }
  for (const [what, sections] of Object.entries(places)) {
    test(`the crash info header of a structure ${what}: not-found`, async () => {
      await using host = await startHypervisor()
      const guest = await aStartedGuest(host)
      assert.equal(await guest.register(structureAt, aDumpMemoryStructure(sections)), 0)
      await assert.rejects(read(host, guest, 'crash-info'), {
        slug: 'not-found',
        message:
          'the dump memory structure of partition p1 has no section that tells where in its memory crash-info lies',
      })
    })
  }

  test('of no partition: not-found; of no such name: invalid-request', async () => {
    await using host = await startHypervisor()
    await assert.rejects(
      host.client.getStructure({ params: { partition: 'nobody', structure: 'fdm' } }),
      { slug: 'not-found', message: 'there is no partition nobody' },
    )
    const guest = await aStartedGuest(host)
    await assert.rejects(read(host, guest, 'memory' as Structure), { slug: 'invalid-request' })
  })
})
