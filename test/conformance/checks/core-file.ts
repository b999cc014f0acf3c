/** C100–C109: the ELF core header in memory and /proc/vmcore as a reader sees it (spec §8). */
import assert from 'node:assert/strict'
import { lparKernelRoutes } from '@fadump-lab/shared/contracts'
import { toHex } from '@fadump-lab/shared/units'
import type { Lpar } from '../../support/lpar.ts'
import {
  cpuNotes,
  programHeaders,
  vmcoreHeaders,
  vmcoreNotes,
  type ProgramHeader,
} from '../core.ts'
import { bootMemory, patternInBootMemory, type Check, type Checks, type Given } from '../given.ts'

const kernelBase = 0xc000_0000_0000_0000n

/** The header that the kernel gives to /proc/vmcore: two notes, and the loads. */
async function elfCoreHeader(
  lpar: Lpar,
): Promise<{ hex: string; headers: readonly ProgramHeader[] }> {
  const at = BigInt(await lpar.kernelVariable('vmcore.elfCoreHeader'))
  const bytes = await lpar.bytes(at, 64 + 56 * 4)
  return { hex: toHex(bytes.subarray(0, 64)), headers: programHeaders(bytes) }
}

/** The loads of 2 GiB: boot memory from its copy, and what lies on both sides of the reserved area. */
const loads = (given: Given): readonly (readonly [offset: bigint, paddr: bigint, size: bigint])[] =>
  given.byProfile({
    v5: [
      [given.places.realMode, 0n, bootMemory],
      [0x1400_0000n, 0x1400_0000n, 0x57ff_0000n],
    ],
    // The area ends at 0x280102a8, on no page boundary.
    modern: [
      [given.places.realMode, 0n, bootMemory],
      [0x2801_02a8n, 0x2801_02a8n, 0x57fe_fd58n],
    ],
  })

const elfHeader: Check = async (given) => {
  const captured = await given.captured()
  const { hex, headers } = await elfCoreHeader(captured)
  assert.equal(headers.length, 2 + loads(given).length)
  const expected = given.byProfile({
    v5:
      '7f454c46020201' +
      '00'.repeat(9) +
      '0004' +
      '0015' +
      '00000001' +
      '00'.repeat(8) +
      '0000000000000040' +
      '00'.repeat(8) +
      '00000000' +
      '0040' +
      '0038' +
      '0004' +
      '00'.repeat(6),
    modern:
      '7f454c46020101' +
      '00'.repeat(9) +
      '0400' +
      '1500' +
      '01000000' +
      '00'.repeat(8) +
      '4000000000000000' +
      '00'.repeat(8) +
      '02000000' +
      '4000' +
      '3800' +
      '0400' +
      '00'.repeat(6),
  })
  assert.equal(hex, expected)
}

const noteHeaders: Check = async (given) => {
  const captured = await given.captured()
  const [cpus, info] = (await elfCoreHeader(captured)).headers
  assert.ok(cpus !== undefined && info !== undefined)
  assert.deepEqual([cpus.type, cpus.memsz, cpus.filesz], [4, 0x1_0000n, 0x1_0000n])
  assert.ok(cpus.offset > 0n && cpus.offset < bootMemory, 'the notes are in boot memory')
  const address = BigInt(await captured.kernelVariable('vmcoreinfo.address'))
  assert.equal(info.type, 4)
  assert.equal(info.offset, given.places.realMode + address)
  assert.equal(info.memsz, given.byProfile({ v5: 4096n, modern: 0x1_0024n }))
}

const frozenRanges: Check = async (given) => {
  const lpar = await given.lpar({ memoryBytes: 2 ** 31, maximumMemoryBytes: 3 * 2 ** 30 })
  await lpar.write('kernel/dlpar', 'memory add count 1')
  await lpar.crash()
  const ends = (await vmcoreHeaders(lpar)).map(({ paddr, memsz }) => paddr + memsz)
  const isThere = ends.includes(0x9000_0000n)
  assert.equal(isThere, given.byProfile({ v5: false, modern: true }))
  if (!given.isV5) return
  await lpar.write('kernel/fadump_release_mem', '1')
  await lpar.crash()
  const after = (await vmcoreHeaders(lpar)).map(({ paddr, memsz }) => paddr + memsz)
  assert.ok(after.includes(0x9000_0000n), 'registered again, the memory is there')
}

const registers: Check = async (given) => {
  const captured = await given.captured()
  const notes = await cpuNotes(captured)
  assert.equal(notes.length, 2)
  for (const { name, bytes, descriptor, pid } of notes) {
    assert.deepEqual([name, bytes, descriptor.byteLength, pid], ['CORE', 524, 504, 0])
  }
  const [cpus] = (await elfCoreHeader(captured)).headers
  const at = cpus?.offset ?? 0n
  assert.equal(await captured.hex(at + 2n * 524n, 12), '00'.repeat(12))
  const name = given.byProfile({
    v5: '00000005000001f800000001',
    modern: '05000000f801000001000000',
  })
  assert.equal(await captured.hex(at, 20), `${name}434f524500000000`)
}

const vmcore: Check = async (given) => {
  const captured = await given.captured()
  const headers = await vmcoreHeaders(captured)
  assert.deepEqual(
    headers.map(({ type }) => type),
    [4, 1, 1],
  )
  const [note, low] = headers
  assert.ok(note !== undefined && low !== undefined)
  const notes = (await vmcoreNotes(captured)).reduce((sum, { bytes }) => sum + bytes, 0)
  assert.equal(Number(note.filesz), notes)
  // v5: headers, notes and loads back to back; modern: each in whole pages (spec §8.4).
  const size = given.byProfile({
    v5: 64 + 56 * 3 + notes + 0x1400_0000 + 0x57ff_0000,
    modern: 1_812_004_864,
  })
  assert.equal(await captured.vmcoreSize(), size)
  const at = Number(low.offset + patternInBootMemory)
  assert.equal(toHex(await captured.vmcore(at, 2)), 'b007')
  assert.notEqual(await captured.hex(patternInBootMemory, 2), 'b007')
}

const badHeader: Check = async (given) => {
  for (const [offset, hex] of [
    [0n, '00000000'],
    [16n, '0002'],
    [4n, '01'],
    [52n, '0041'],
    [54n, '0039'],
    [56n, '0000'],
  ] as const) {
    const elf = given.places.crashInfo + 504n
    const lpar = await given.crashedThenChanged((live) => live.poke(elf + offset, hex))
    assert.equal(await lpar.vmcoreSize(), 'ENOENT', `${hex} at ${offset}`)
  }
}

export const coreFileChecks: Checks = {
  C100: elfHeader,
  C101: noteHeaders,
  C102: async (given) => {
    const { headers } = await elfCoreHeader(await given.captured())
    const first = headers[2]
    assert.ok(first !== undefined)
    const { type, flags, offset, vaddr, paddr, filesz, memsz } = first
    assert.deepEqual([type, flags, vaddr, paddr], [1, 7, kernelBase, 0n])
    assert.deepEqual([offset, filesz, memsz], [given.places.realMode, bootMemory, bootMemory])
  },
  C103: async (given) => {
    const { headers } = await elfCoreHeader(await given.captured())
    assert.deepEqual(
      headers.slice(2).map(({ offset, paddr, memsz }) => [offset, paddr, memsz]),
      loads(given),
    )
    for (const { vaddr, paddr } of headers.slice(2)) assert.equal(vaddr, kernelBase + paddr)
  },
  C104: frozenRanges,
  C105: registers,
  C106: vmcore,
  C107: badHeader,
  C108: async (given) => {
    assert.equal(await (await given.registered()).vmcoreSize(), 'ENOENT')
    const captured = await given.captured()
    assert.equal(typeof (await captured.vmcoreSize()), 'number')
    // 0400: its owner may read it, and nobody may write it.
    const operations = Object.values(lparKernelRoutes).filter(({ path }) => path.includes('vmcore'))
    assert.deepEqual([...new Set(operations.map(({ method }) => method))], ['GET'])
    assert.ok(operations.every(({ access }) => !('role' in access)))
  },
  C109: async (given) => {
    const page = 0x1_0000n
    for (const { type, offset, paddr } of await vmcoreHeaders(await given.captured())) {
      assert.equal(offset % page, type === 1 ? paddr % page : 0n)
    }
  },
}
