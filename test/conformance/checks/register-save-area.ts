/** C050–C063: what firmware writes of the CPUs, and what the capture kernel reads of it (spec §5). */
import assert from 'node:assert/strict'
import { toAscii, viewOf } from '@fadump-lab/shared/units'
import type { Lpar } from '../../support/lpar.ts'
import { cpuNotes, prRegister } from '../core.ts'
import { assertAccepted, assertRejected, type Check, type Checks, type Given } from '../given.ts'
import { resultsOf, smallStructure, structureHex } from '../structures.ts'

interface Entry {
  readonly id: string
  readonly value: bigint
  /** Where the entry lies in the area. */
  readonly at: number
}

const entryBytes = 16
const areaBytes = (given: Given) => Number(given.places.cpuStateLength)

async function areaOf(given: Given, lpar: Lpar): Promise<Uint8Array> {
  return lpar.bytes(given.places.cpuState, areaBytes(given))
}

/** Entries up to the last CPUEND, from where the personality puts the first. */
function entriesOf(given: Given, area: Uint8Array): readonly Entry[] {
  const view = viewOf(area)
  const first = given.byFirmware({ papr: 0x20, qemu: 0x14 })
  const count = Math.floor((area.byteLength - first) / entryBytes)
  const entries = Array.from({ length: count }, (_, index) => {
    const at = first + index * entryBytes
    const id = toAscii(area.subarray(at, at + 8)).replace(/\0+$/, '')
    return { id, value: view.getBigUint64(at + 8), at }
  })
  return entries.slice(0, entries.findLastIndex(({ id }) => id === 'CPUEND') + 1)
}

/** The entry `name` of the CPU whose CPUSTRT is the `number`-th. */
function entryOf(entries: readonly Entry[], number: number, name: string): Entry {
  const starts = entries.filter(({ id }) => id === 'CPUSTRT')
  const start = starts[number]
  const found = entries.find(({ id, at }) => id === name && at >= (start?.at ?? 0))
  assert.ok(start !== undefined && found !== undefined, `${name} of CPU ${number}`)
  return found
}

/** Crashes; before the capture kernel reads the area, eight bytes of it are replaced. */
function withChangedEntry(
  given: Given,
  change: (entries: readonly Entry[]) => readonly (readonly [at: number, hex: string])[],
): Promise<Lpar> {
  return given.crashedThenChanged(async (lpar) => {
    for (const [at, hex] of change(entriesOf(given, await areaOf(given, lpar)))) {
      await lpar.poke(given.places.cpuState + BigInt(at), hex)
    }
  })
}

const idHex = (name: string) => Buffer.from(name.padEnd(8, '\0'), 'latin1').toString('hex')

const wrongMagic: Check = async (given) => {
  const captured = await given.captured()
  assert.equal(await captured.hex(given.places.cpuState, 8), '5245475341564500')
  const lpar = await given.crashedWith((live) => live.arm('regsave-magic'))
  await assertRejected(lpar, /Unable to read register save area\.$/)
}

const markers: Check = async (given) => {
  const captured = await given.captured()
  const entries = entriesOf(given, await areaOf(given, captured))
  const cpus = given.byFirmware({ papr: [0n, 1n], qemu: [0n, 1n, 2n] })
  const low = (name: string) =>
    entries.filter(({ id }) => id === name).map(({ value }) => value & 0xffff_ffffn)
  assert.deepEqual(low('CPUSTRT'), cpus)
  assert.deepEqual(low('CPUEND'), cpus)
  const lpar = await withChangedEntry(given, (all) => [
    [entryOf(all, 0, 'CPUSTRT').at + 8, 'deadbeef'],
    [entryOf(all, 0, 'CPUEND').at + 8, 'deadbeef'],
  ])
  assert.equal((await cpuNotes(lpar)).length, 2)
}

const identifiers: Check = async (given) => {
  const area = await areaOf(given, await given.captured())
  const entries = entriesOf(given, area)
  for (const { at } of entries) {
    assert.match(toAscii(area.subarray(at, at + 8)), /^[A-Z][A-Z0-9_-]*\0*$/)
  }
  const { at } = entryOf(entries, 0, 'GPR29')
  assert.equal(Buffer.from(area.subarray(at, at + 8)).toString('hex'), '4750523239000000')
}

const ascendingGroups: Check = async (given) => {
  const entries = entriesOf(given, await areaOf(given, await given.captured()))
  for (const start of entries.filter(({ id }) => id === 'GPR00')) {
    const from = entries.indexOf(start)
    assert.deepEqual(
      entries.slice(from, from + 32).map(({ id }) => id),
      Array.from({ length: 32 }, (_, index) => `GPR${String(index).padStart(2, '0')}`),
    )
  }
}

const withoutHeader: Check = async (given) => {
  const lpar = await given.lpar()
  if (given.isQemu) {
    // QEMU does not dump by itself: here the kernel dies before it has filled its header.
    const { crashInfo } = given.places
    const asRegistered = await lpar.bytes(crashInfo, 0x2a8)
    lpar.wire.beforeRtas = async (service) => {
      if (service === 'ibm,os-term') await lpar.poke(crashInfo, asRegistered)
    }
    await lpar.crash()
  } else {
    await lpar.kill()
  }
  await assertAccepted(lpar)
  // Modern kernels name all possible CPUs in advance: every CPU of the area has a note.
  const notes = given.byProfile({ v5: 0, modern: given.byFirmware({ papr: 2, qemu: 3 }) })
  assert.equal((await cpuNotes(lpar)).length, notes)
}

const neverOverrun: Check = async (given) => {
  const lpar = await given.bare()
  const [cpuState, ...rest] = smallStructure(given.cell.firmware)
  assert.ok(cpuState !== undefined)
  const hex = structureHex([{ ...cpuState, length: 0x1000n }, ...rest])
  await lpar.poke(0x20_0000, hex)
  await lpar.rtas('ibm,configure-kernel-dump', [1, 0x20_0000, 160])
  const { epoch } = await lpar.partition()
  await lpar.rtas('ibm,os-term', [0])
  await lpar.nextBoot(epoch + 1)
  const { sections } = resultsOf((await lpar.rtasProperty('ibm,kernel-dump')) ?? '')
  assert.notEqual(sections[0]?.errors, 0)
  assert.equal(sections[0]?.dumped, 0n)
  assert.equal(await lpar.hex(cpuState.destination + 0x1000n, 64), '00'.repeat(64))
}

export const registerSaveAreaChecks: Checks = {
  C050: wrongMagic,
  C051: async (given) => {
    const captured = await given.captured()
    const head = given.byFirmware({
      papr: '0000001c' + '00'.repeat(12) + '00000002' + '4350555354525400',
      qemu: '00000010' + '00000003' + '4350555354525400',
    })
    const { cpuState } = given.places
    assert.equal(await captured.hex(cpuState + 8n, 4 + head.length / 2), `00000000${head}`)
    assert.equal((await cpuNotes(captured)).length, 2)
  },
  C052: async (given) => {
    const captured = await given.captured()
    const { cpuState } = given.places
    const at = given.byFirmware({ papr: 0x1cn, qemu: 0x10n })
    const expected = given.byFirmware({ papr: '00000002', qemu: '00000003' })
    assert.equal(await captured.hex(cpuState + at, 4), expected)
  },
  C053: markers,
  C054: identifiers,
  C055: ascendingGroups,
  C056: async (given) => {
    const lpar = await withChangedEntry(given, (all) => [
      [entryOf(all, 0, 'CFAR').at, idHex('NOSUCHID')],
    ])
    await assertAccepted(lpar)
    assert.equal((await cpuNotes(lpar)).length, 2)
  },
  C057: async (given) => {
    const lpar = await withChangedEntry(given, (all) => [
      [entryOf(all, 0, 'GPR31').at, `${idHex('GPR32')}${'ff'.repeat(8)}`],
    ])
    await assertAccepted(lpar)
    const [note] = await cpuNotes(lpar)
    assert.equal(note?.registers[31], 0n)
    assert.ok(!note.registers.includes(0xffff_ffff_ffff_ffffn))
  },
  C058: async (given) => {
    const lpar = await given.crashedWith((live) => live.arm('regsave-no-cpustrt'))
    await assertRejected(lpar, /Unable to read CPU state data$/)
  },
  C059: async (given) => {
    const lpar = await given.crashedWith((live) => live.arm('regsave-no-cpuend'))
    await assertRejected(lpar, /Unable to read CPU state data$/)
  },
  C060: async (given) => {
    const lpar = await withChangedEntry(given, (all) => [
      [entryOf(all, 0, 'CPUSTRT').at + 12, '00000007'],
      [entryOf(all, 0, 'CPUEND').at + 12, '00000007'],
    ])
    await assertAccepted(lpar)
    assert.equal((await cpuNotes(lpar)).length, 1)
  },
  C061: async (given) => {
    const lpar = await withChangedEntry(given, (all) => [
      [entryOf(all, 1, 'NIA').at + 8, 'dddddddddddddddd'],
      [entryOf(all, 0, 'NIA').at + 8, 'eeeeeeeeeeeeeeee'],
    ])
    const [other, crashing] = await cpuNotes(lpar)
    assert.equal(other?.registers[prRegister.nip], 0xeeee_eeee_eeee_eeeen)
    assert.ok(crashing !== undefined)
    assert.notEqual(crashing.registers[prRegister.nip], 0xdddd_dddd_dddd_ddddn)
    const offset = given.byProfile({ v5: 0x18n, modern: 0x28n })
    const registers = await lpar.bytes(given.places.crashInfo + offset, 44 * 8)
    const view = viewOf(registers)
    const inHeader = Array.from({ length: 44 }, (_, index) =>
      view.getBigUint64(8 * index, !given.isV5),
    )
    assert.deepEqual(crashing.registers.slice(0, 44), inHeader)
  },
  C062: withoutHeader,
  C063: neverOverrun,
}
