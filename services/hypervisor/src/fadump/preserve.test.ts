import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { fromHex, toHex } from '@fadump-lab/shared/units'
import { aCrashedGuest, kernelDump } from '../testing/crashed-guest.ts'
import type { Guest } from '../testing/guest.ts'
import { startHypervisor, type StartedHypervisor } from '../testing/started-hypervisor.ts'
import {
  aDumpMemoryStructure,
  modernStructure,
  resultsOf,
  v5Structure,
} from '../testing/structures.ts'

async function results(
  host: StartedHypervisor,
  guest: Guest,
): Promise<ReturnType<typeof resultsOf>> {
  const dump = await kernelDump(host, guest)
  assert.ok(dump !== undefined)
  return resultsOf(dump)
}

const readHex = async (guest: Guest, address: bigint, length: number) =>
  toHex(await guest.read(address, length))

/** Bytes of boot memory that lie across every kind of boundary, and where they stand relative to its start. */
const bootMemory: readonly (readonly [bigint, string])[] = [
  [0x0n, '00010203'],
  [0x1_ffffn, 'aabb'],
  [0x12_3457n, '0123456789abcdef'],
  [0xff_ffffn, '7e'],
]

const writeBootMemory = async (guest: Guest) => {
  for (const [address, digits] of bootMemory) await guest.write(address, fromHex(digits))
}

suite('boot memory', () => {
  for (const [layout, structure, destination] of [
    ['v5: behind the page table area, on no page boundary', v5Structure, 0x200_3020n],
    ['modern: on a page', modernStructure, 0x201_0000n],
  ] as const) {
    test(`C040 is at its destination after the crash (${layout})`, async () => {
      await using host = await startHypervisor()
      const guest = await aCrashedGuest(host, structure, { before: writeBootMemory })
      for (const [address, digits] of bootMemory) {
        assert.equal(await readHex(guest, destination + address, digits.length / 2), digits)
      }
      assert.equal(await readHex(guest, destination + 0x100_0000n, 16), '00'.repeat(16))
      const { status, sections } = await results(host, guest)
      assert.equal(status, 0xc000)
      assert.deepEqual(
        sections.slice(0, 3),
        [0x2020n, 0x1000n, 0x100_0000n].map((bytesDumped) => ({ errorFlags: 0, bytesDumped })),
      )
    })
  }

  test('C042 a parameter area stays where it is and counts as dumped', async () => {
    await using host = await startHypervisor()
    const guest = await aCrashedGuest(host, modernStructure, {
      before: async (live) => live.write(0x3ff_f800n, fromHex('6e725f637075733d31')),
    })
    assert.equal(await readHex(guest, 0x3ff_f800n, 9), '6e725f637075733d31')
    assert.deepEqual((await results(host, guest)).sections[3], {
      errorFlags: 0,
      bytesDumped: 0x800n,
    })
  })

  test('the capture kernel may overwrite it: the copy is its own', async () => {
    await using host = await startHypervisor()
    const guest = await aCrashedGuest(host, modernStructure, { before: writeBootMemory })
    await guest.write(0n, new Uint8Array(0x20_0000).fill(0x5a))
    assert.equal(await readHex(guest, 0x213_3457n, 8), '0123456789abcdef')
  })
})

suite('areas that firmware fills', () => {
  const twoCpus = aDumpMemoryStructure([
    { type: 0x0001, length: 0x6020n, destination: 0x200_0000n },
    { type: 0x0002, length: 0x1000n, destination: 0x200_6020n },
    { type: 0x0011, length: 0x1_0000n, destination: 0x201_0000n },
  ])

  test('the register save area holds the CPUs that are online, with their registers', async () => {
    await using host = await startHypervisor()
    const guest = await aCrashedGuest(host, twoCpus, {
      partition: { processors: 3 },
      before: async (live) => {
        await host.client.putVcpus({
          params: { partition: live.id },
          body: {
            epoch: 1,
            vcpus: [
              { cpu: 0, online: true, registers: { GPR29: '0x1111', NIA: '0xc000000000004500' } },
              { cpu: 1, online: false, registers: { NIA: '0xdead' } },
              { cpu: 2, online: true, registers: { NIA: '0xc0000000000a8cf0' } },
            ],
          },
        })
      },
    })
    const area = await guest.read(0x200_0000n, 0x6020)
    // REGSAVE, version 0, NumCpusOffset 0x1c, padding, two CPUs, the first one's CPUSTRT.
    assert.equal(
      toHex(area.subarray(0, 0x30)),
      '5245475341564500' +
        '00000000' +
        '0000001c' +
        '00'.repeat(12) +
        '00000002' +
        '4350555354525400' +
        '0000000000000000',
    )
    const text = toHex(area)
    assert.ok(text.includes('4750523239000000' + '0000000000001111'), 'GPR29 of CPU 0')
    assert.ok(text.includes('4e49410000000000' + 'c000000000004500'), 'NIA of CPU 0')
    assert.ok(text.includes('4350555354525400' + '0000000000000002'), 'CPUSTRT of CPU 2')
    assert.ok(text.includes('435055454e440000' + '0000000000000002'), 'CPUEND of CPU 2')
    assert.ok(!text.includes('4350555354525400' + '0000000000000001'), 'no CPUSTRT of CPU 1')
    assert.ok(!text.includes('000000000000dead'), 'nothing of CPU 1')
  })

  test('the page table area is empty but well formed', async () => {
    await using host = await startHypervisor()
    const guest = await aCrashedGuest(host, v5Structure)
    // HPTESAVE, version 0, NumEntriesOffset 0x18, padding, no entries.
    assert.equal(
      await readHex(guest, 0x200_2020n, 0x28),
      '4850544553415645' + '00000000' + '00000018' + '00'.repeat(8 + 8 + 8),
    )
  })
})

suite('the OS-identified string', () => {
  for (const [firmware, result, at] of [
    ['papr', { errorFlags: 0, bytesDumped: 0x1_0000n }, '4c696e7578'],
    ['qemu', { errorFlags: 0x8000, bytesDumped: 0n }, '0000000000'],
  ] as const) {
    test(`C038 section 0x0012 under ${firmware}: ${result.bytesDumped} bytes`, async () => {
      await using host = await startHypervisor()
      const structure = aDumpMemoryStructure([
        { type: 0x0012, source: 0x8_0000n, length: 0x1_0000n, destination: 0x200_0000n },
      ])
      const guest = await aCrashedGuest(host, structure, {
        partition: { firmware },
        before: async (live) => live.write(0x8_0000n, fromHex('4c696e7578')),
      })
      assert.deepEqual((await results(host, guest)).sections, [result])
      assert.equal(await readHex(guest, 0x200_0000n, 5), at)
    })
  }
})

suite('sections that cannot be dumped', () => {
  const memoryBytes = 0x400_0000n
  const good = { type: 0x0011, length: 0x1_0000n, destination: 0x200_0000n } as const
  const cases: readonly [string, Parameters<typeof aDumpMemoryStructure>[0][number], number][] = [
    ['C037 request_flag 0: skipped without an error', { ...good, request: 0 }, 0],
    ['C038 a reserved type', { ...good, type: 0x0077 }, 0x8000],
    ['C039 a source outside memory', { ...good, source: memoryBytes }, 0x4000],
    ['C039 a source that runs past the end', { ...good, source: memoryBytes - 0x8000n }, 0x2000],
    ['C039 a destination outside memory', { ...good, destination: memoryBytes }, 0x1000],
    [
      'C039 a destination that runs past the end',
      { ...good, destination: memoryBytes - 0x8000n },
      0x0800,
    ],
    [
      'C039 less CPU state than firmware advertises',
      { type: 0x0001, length: 0x2010n, destination: 0x210_0000n },
      0x0800,
    ],
    [
      'C039 lengths that wrap around 2^64',
      { ...good, length: 0xffff_ffff_ffff_ffffn, source: 0x1000n },
      0x2000 | 0x0800,
    ],
  ]
  for (const [what, section, errorFlags] of cases) {
    test(`${what}; the section beside it is dumped`, async () => {
      await using host = await startHypervisor()
      const structure = aDumpMemoryStructure([section, { ...good, destination: 0x300_0000n }])
      const guest = await aCrashedGuest(host, structure, { before: writeBootMemory })
      const { status, sections } = await results(host, guest)
      assert.deepEqual(sections[0], { errorFlags, bytesDumped: 0n })
      assert.deepEqual(sections[1], { errorFlags: 0, bytesDumped: 0x1_0000n })
      assert.equal(await readHex(guest, 0x300_0000n, 4), '00010203')
      // C041: the error shows in the header as well.
      assert.equal(status, errorFlags === 0 ? 0xc000 : 0xe000)
    })
  }
})
