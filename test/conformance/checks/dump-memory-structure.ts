/** C030–C042: the dump memory structure as a kernel writes it, and as firmware gives it back (spec §4, §7.1). */
import assert from 'node:assert/strict'
import type { Lpar } from '../../support/lpar.ts'
import type { Check, Checks, Given } from '../given.ts'
import {
  resultsOf,
  smallStructure,
  structureHex,
  type Result,
  type Section,
} from '../structures.ts'

/** The structure that the kernel of `lpar` has registered, as it lies in memory. */
async function registeredHex(lpar: Lpar): Promise<string> {
  const call = lpar.calls().find(({ args }) => args[0] === 1)
  const [, address = 0, length = 0] = call?.args ?? []
  return lpar.hex(address, length)
}

const parameterArea: Section = {
  type: 0x100,
  source: 0x7fff_f800n,
  length: 0x800n,
  destination: 0x7fff_f800n,
}

/** What the kernel of 2 GiB and 3 CPUs must register. */
function expectedSections(given: Given): readonly Section[] {
  const { cpuStateLength, hpteLength, cpuState, hpte, realMode } = given.places
  const three: readonly Section[] = [
    { type: 1, length: cpuStateLength, destination: cpuState },
    { type: 2, length: hpteLength, destination: hpte },
    { type: 0x11, length: 0x1400_0000n, destination: realMode },
  ]
  return given.isV5 ? three : [...three, parameterArea]
}

/** Registers `sections` by hand, dies, and gives what firmware says of the dump. */
async function dumped(
  given: Given,
  sections: readonly Section[],
  prepare?: (lpar: Lpar) => Promise<void>,
): Promise<{ readonly lpar: Lpar; readonly status: number; readonly sections: readonly Result[] }> {
  const lpar = await given.bare()
  await prepare?.(lpar)
  const hex = structureHex(sections)
  await lpar.poke(0x20_0000, hex)
  const args = [1, 0x20_0000, hex.length / 2]
  assert.deepEqual(await lpar.rtas('ibm,configure-kernel-dump', args), [0])
  const { epoch } = await lpar.partition()
  await lpar.rtas('ibm,os-term', [0])
  await lpar.nextBoot(epoch + 1)
  return { lpar, ...resultsOf((await lpar.rtasProperty('ibm,kernel-dump')) ?? '') }
}

const holes: Check = async (given) => {
  const lpar = await given.lpar({
    memoryHoles: [
      { address: '0x8000000', length: 0x800_0000 },
      { address: '0x18000000', length: 0x800_0000 },
    ],
  })
  const types = resultsOf(await registeredHex(lpar)).sections.map(({ type }) => type)
  assert.deepEqual(types, [1, 2, 0x11, 0x11, 0x11, 0x100])
  await lpar.write('kernel/fadump/registered', '0')
  assert.deepEqual(
    lpar.calls().map(({ args: [command, , length] }) => [command, length]),
    [
      [1, 40 + 40 * 6],
      [2, 440],
    ],
  )
  const captured = await given.lpar()
  await captured.crash()
  await captured.write('kernel/fadump/release_mem', '1')
  const invalidated = captured.calls().find(({ args }) => args[0] === 3)
  assert.equal(invalidated?.args[2], 440)
}

/** One bad section among good ones; the good ones must be dumped all the same. */
async function errorsOf(given: Given, bad: Section): Promise<number> {
  const good = smallStructure(given.cell.firmware)
  const { sections } = await dumped(given, [...good, bad])
  for (const section of sections.slice(0, 3)) {
    assert.deepEqual([section.errors, section.dumped], [0, section.length])
  }
  assert.equal(sections[3]?.dumped, 0n)
  return sections[3]?.errors ?? -1
}

const end = 0x8000_0000n

export const dumpMemoryStructureChecks: Checks = {
  C030: async (given) => {
    const lpar = await given.registered()
    assert.equal(await registeredHex(lpar), structureHex(expectedSections(given)))
  },
  C031: async (given) => {
    const hex = await registeredHex(await given.registered())
    assert.equal(hex.slice(16, 24), '00000028')
    assert.equal(hex.slice(2 * 0x28, 2 * 0x30), '0000000100010000')
  },
  C032: async (given) => {
    const hex = await registeredHex(await given.registered())
    assert.equal(hex.length / 2, 160)
    assert.deepEqual(
      resultsOf(hex).sections.map(({ type }) => type),
      [1, 2, 0x11],
    )
  },
  C033: holes,
  C034: async (given) => {
    const hex = await registeredHex(await given.registered())
    assert.equal(hex.slice(2 * 0x0c, 2 * 0x28), '00'.repeat(0x1c))
    for (let at = 0x28; at < hex.length / 2; at += 40) {
      assert.equal(hex.slice(2 * at, 2 * at + 8), '00000001')
    }
  },
  C035: async (given) => {
    const { sections } = resultsOf(await registeredHex(await given.registered()))
    for (const [index, { destination, length }] of sections.slice(0, -1).entries()) {
      assert.equal(sections[index + 1]?.destination, destination + length)
    }
  },
  C036: async (given) => {
    const { sections } = resultsOf(await registeredHex(await given.registered()))
    assert.equal((sections[2]?.destination ?? 1n) % 0x1_0000n, 0n)
  },
  C037: async (given) => {
    const [cpuState, hpte, realMode] = smallStructure(given.cell.firmware)
    assert.ok(cpuState !== undefined && hpte !== undefined && realMode !== undefined)
    const skipped = { ...realMode, request: 0 }
    const { lpar, sections } = await dumped(given, [cpuState, hpte, skipped])
    assert.deepEqual([sections[2]?.errors, sections[2]?.dumped], [0, 0n])
    assert.equal(await lpar.hex(realMode.destination, 64), '00'.repeat(64))
  },
  C038: async (given) => {
    const unknown = { type: 0x77, source: 0n, length: 0x1000n, destination: 0x3800_0000n }
    assert.equal(await errorsOf(given, unknown), 0x8000)
  },
  C039: async (given) => {
    const copy = (source: bigint, length: bigint, destination: bigint) =>
      errorsOf(given, { type: 0x11, source, length, destination })
    assert.equal(await copy(end, 0x1000n, 0x3800_0000n), 0x4000)
    assert.equal(await copy(end - 0x1000n, 0x2000n, 0x3800_0000n), 0x2000)
    assert.equal(await copy(0n, 0x1000n, end), 0x1000)
    assert.equal(await copy(0n, 0x2000n, end - 0x1000n), 0x0800)
  },
  C040: async (given) => {
    const property = await (await given.captured()).rtasProperty('ibm,kernel-dump')
    const { status, sections } = resultsOf(property ?? '')
    assert.equal(status, 0xc000)
    for (const { dumped: done, length } of sections) assert.equal(done, length)
  },
  C041: async (given) => {
    const bad = { type: 0x11, source: end, length: 0x1000n, destination: 0x3800_0000n }
    const { status } = await dumped(given, [...smallStructure(given.cell.firmware), bad])
    assert.equal(status, given.byFirmware({ papr: 0xe000, qemu: 0xc000 }))
  },
  C042: async (given) => {
    const { lpar, sections } = await dumped(
      given,
      [...smallStructure(given.cell.firmware), parameterArea],
      async (live) => live.poke(0x7fff_f800n, '6e725f637075733d31'),
    )
    assert.deepEqual([sections[3]?.errors, sections[3]?.dumped], [0, 0x800n])
    assert.ok(lpar.id.length > 0)
  },
}
