/**
 * What QEMU's firmware does otherwise than PHYP, against what a real QEMU 11.1 wrote (test/fixtures/truth, whose
 * partition has 2 GiB, 2 CPUs and 320 MiB of boot memory).
 */
import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { namedRegisters, readRegisterSaveArea, registerNames } from '@fadump-lab/shared/fadump'
import { decodeDeviceTree, findNode } from '@fadump-lab/shared/fdt'
import { hex, toHex } from '@fadump-lab/shared/units'
import { truthBytes } from '../../../../test/fixtures/truth/index.ts'
import { aCrashedGuest, kernelDump, preserved, structureAt } from '../testing/crashed-guest.ts'
import { aStartedGuest } from '../testing/guest.ts'
import { startHypervisor } from '../testing/started-hypervisor.ts'
import { aDumpMemoryStructure, resultsOf, withBytes } from '../testing/structures.ts'

/** The partition whose bytes were recorded. */
const recorded = { firmware: 'qemu', profile: 'modern', memoryBytes: 2 ** 31, processors: 2 }
/** The structure Linux registered there: 200 bytes of its buffer. */
const registered = toHex(truthBytes('fdm-registered.bin').subarray(0, 200))

const hex64 = (value: bigint) => value.toString(16).padStart(16, '0')
const qemu = { firmware: 'qemu' } as const
const oneCpu = aDumpMemoryStructure([
  { type: 0x0001, length: 0x510n, destination: 0x200_0000n },
  { type: 0x0002, length: 0n, destination: 0x200_0510n },
  { type: 0x0011, length: 0x10_0000n, destination: 0x201_0000n },
])

function rtasOf(blob: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const node = findNode(decodeDeviceTree(blob).root, '/rtas')
  assert.ok(node !== undefined)
  return node.properties
}

/** The dump properties as hexadecimal text. */
const dumpPropertiesOf = (blob: Uint8Array) =>
  [...rtasOf(blob)]
    .filter(([name]) => /kernel-dump|os-term/.test(name))
    .map(([name, value]) => `${name} ${toHex(value)}`)
    .toSorted()

suite('personality qemu, against recorded bytes', () => {
  test('C003 C005 C006 the dump properties of /rtas are those of the recorded blobs in both boots', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host, recorded)
    const blob = () => host.client.getDeviceTree({ params: { partition: guest.id } })
    assert.deepEqual(dumpPropertiesOf(await blob()), dumpPropertiesOf(truthBytes('first.dtb')))
    assert.equal(await guest.register(structureAt, registered), 0)
    await guest.osTerm()
    await preserved(guest)
    assert.deepEqual(dumpPropertiesOf(await blob()), dumpPropertiesOf(truthBytes('second.dtb')))
  })

  test('C051 C052 the register save area of the same registers is the recorded one, but for its last 12 bytes', async () => {
    await using host = await startHypervisor()
    const real = truthBytes('regsave.bin')
    const vcpus = [...readRegisterSaveArea(real)].map(({ cpu, entries }) => ({
      cpu,
      // The second one is offline: QEMU writes it all the same.
      online: cpu === 0,
      registers: Object.fromEntries(
        Object.entries(namedRegisters(entries))
          .filter(([name]) => registerNames.has(name))
          .map(([name, value]) => [name, hex(value)]),
      ),
    }))
    const guest = await aCrashedGuest(host, registered, {
      partition: recorded,
      before: async (live) => {
        const params = { partition: live.id }
        await host.client.putVcpus({ params, body: { epoch: 1, vcpus } })
      },
    })
    const area = await guest.read(0x1400_0000n, 0xa00)
    const written = 0xa00 - 12
    assert.equal(toHex(area.subarray(0, written)), toHex(real.subarray(0, written)))
    // QEMU leaves what its heap held; here they are zero.
    assert.equal(toHex(area.subarray(written)), '00'.repeat(12))
  })

  test('CTR, LR and XER are written as 0, whatever the CPU held', async () => {
    await using host = await startHypervisor()
    const registers = { CTR: '0x11', LR: '0x22', XER: '0x33', NIA: '0x44' }
    const guest = await aCrashedGuest(host, oneCpu, {
      partition: qemu,
      before: async (live) => {
        const vcpus = [{ cpu: 0, online: true, registers }]
        await host.client.putVcpus({
          params: { partition: live.id },
          body: { epoch: 1, vcpus },
        })
      },
    })
    const [cpu] = readRegisterSaveArea(await guest.read(0x200_0000n, 0x510))
    const { CTR, LR, XER, NIA } = namedRegisters(cpu?.entries ?? [])
    assert.deepEqual({ CTR, LR, XER, NIA }, { CTR: 0n, LR: 0n, XER: 0n, NIA: 0x44n })
  })
})

suite('personality qemu, where it answers otherwise', () => {
  test('C022 invalidating without an active dump answers 0 and drops the registration', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host, qemu)
    assert.equal(await guest.register(structureAt, oneCpu), 0)
    assert.deepEqual(await guest.rtas('ibm,configure-kernel-dump', [3, 0, 0]), [0])
    assert.equal((await guest.partition()).registration, 'idle')
  })

  test('C012 a registration outlives the restart: the next kernel is told -9', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host, qemu)
    assert.equal(await guest.register(structureAt, oneCpu), 0)
    await host.client.restartPartition({ params: { partition: guest.id } })
    assert.equal((await guest.partition()).registration, 'registered')
    assert.equal(await guest.register(structureAt, oneCpu), -9)
  })

  test('C041 the error bit of the header is lost, the section still tells', async () => {
    await using host = await startHypervisor()
    const beyond = { type: 0x0011, length: 0x1_0000n, destination: 0x400_0000n }
    const guest = await aCrashedGuest(host, aDumpMemoryStructure([beyond]), { partition: qemu })
    const { status, sections } = resultsOf((await kernelDump(host, guest)) ?? new Uint8Array(40))
    assert.deepEqual(
      { status, sections },
      { status: 0xc000, sections: [{ errorFlags: 0x0010, bytesDumped: 0n }] },
    )
  })

  test('C038 C039 errors of sections are written in the order of the host, but for an unknown type', async () => {
    await using host = await startHypervisor()
    const end = 0x400_0000n
    const structure = aDumpMemoryStructure([
      // CPU state without a place to go is called an invalid source.
      { type: 0x0001, length: 0x510n, destination: end },
      { type: 0x0011, source: end, length: 0x1000n, destination: 0x200_0000n },
      { type: 0x0011, length: 0x1000n, destination: end - 0x800n },
      // The first that is found is told, not both.
      { type: 0x0011, source: end, length: 0x1000n, destination: end },
      { type: 0x0077, length: 0x1000n, destination: 0x200_0000n },
    ])
    const guest = await aCrashedGuest(host, structure, { partition: qemu })
    const { sections } = resultsOf((await kernelDump(host, guest)) ?? new Uint8Array(40))
    assert.deepEqual(
      sections.map(({ errorFlags }) => errorFlags),
      [0x0040, 0x0040, 0x0010, 0x0040, 0x8000],
    )
  })

  test('C031 the sections are read where the header says', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host, qemu)
    const moved = toHex(withBytes(oneCpu, 0x08, '00000050'))
    const later = `${moved.slice(0, 80)}${'00'.repeat(40)}${moved.slice(80)}`
    assert.equal(await guest.register(structureAt, later), 0)
    await guest.osTerm()
    await preserved(guest)
    const { sections } = resultsOf((await kernelDump(host, guest)) ?? new Uint8Array(40))
    assert.deepEqual(
      sections.map(({ bytesDumped }) => bytesDumped),
      [0x510n, 0n, 0x10_0000n],
    )
  })

  for (const [what, more, advertised, written] of [
    ['maxcpus above smp', { processors: 1, maximumProcessors: 4 }, 0x13e0n, 0x510n],
    ['two threads a core', { processors: 4, threadsPerCore: 2 }, 0xa00n, 0x13e0n],
  ] as const) {
    test(`C112 ${what}: room for the cores that could be is advertised, the threads that are are written`, async () => {
      await using host = await startHypervisor()
      const structure = aDumpMemoryStructure([
        { type: 0x0001, length: advertised, destination: 0x200_0000n },
        { type: 0x0011, length: 0x10_0000n, destination: 0x201_0000n },
      ])
      const guest = await aCrashedGuest(host, structure, { partition: { ...qemu, ...more } })
      const blob = await host.client.getDeviceTree({ params: { partition: guest.id } })
      const sizes = rtasOf(blob).get('ibm,configure-kernel-dump-sizes') ?? new Uint8Array(0)
      assert.equal(toHex(sizes.subarray(0, 12)), `00000001${hex64(advertised)}`)
      const { sections } = resultsOf((await kernelDump(host, guest)) ?? new Uint8Array(40))
      assert.deepEqual(sections[0], { errorFlags: 0, bytesDumped: written })
    })
  }

  test('ibm,nmi-interlock before ibm,nmi-register is refused with −3', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host, qemu)
    assert.deepEqual(await guest.rtas('ibm,nmi-interlock', []), [-3])
    assert.deepEqual(await guest.rtas('ibm,nmi-register', [0x6a00, 0x6c00]), [0])
    assert.deepEqual(await guest.rtas('ibm,nmi-interlock', []), [0])
  })

  test('C025 memory that cannot be preserved ends the partition: guest panicked', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host, qemu)
    assert.equal(await guest.register(structureAt, oneCpu), 0)
    const params = { partition: guest.id }
    await host.client.armFirmwareFault({ params, body: { name: 'preserve-hardware-error' } })
    assert.deepEqual(await guest.osTerm('OS panic: sysrq'), [])
    const { state, lastFailure, crashes } = await guest.partition()
    assert.deepEqual(
      { state, lastFailure, crashes },
      {
        state: 'not-activated',
        lastFailure: 'OS terminated: OS panic: sysrq; guest panicked',
        crashes: 0,
      },
    )
  })

  test('C024 ibm,os-term without a registration ends the partition', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host, qemu)
    assert.deepEqual(await guest.osTerm('OS panic: sysrq'), [])
    const { state, lastFailure } = await guest.partition()
    assert.equal(state, 'not-activated')
    assert.equal(lastFailure, 'OS terminated: OS panic: sysrq; guest panicked')
  })

  test('C018 what PAPR checks beyond it is accepted: a length that names another number of sections', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host, qemu)
    assert.equal(await guest.register(structureAt, oneCpu, 400), 0)
  })

  test('C026 a system reset that no kernel takes restarts the partition without a dump', async () => {
    await using host = await startHypervisor()
    const guest = await aStartedGuest(host, qemu)
    assert.equal(await guest.register(structureAt, oneCpu), 0)
    await host.client.systemReset({ params: { partition: guest.id } })
    const { state, crashes } = await guest.partition()
    assert.deepEqual({ state, crashes }, { state: 'starting', crashes: 0 })
  })
})
