/** C010–C024, C028: `ibm,configure-kernel-dump` and `ibm,os-term`, call by call (spec §3). */
import assert from 'node:assert/strict'
import { fromAscii } from '@fadump-lab/shared/units'
import type { Lpar } from '../../support/lpar.ts'
import type { Check, Checks, Given } from '../given.ts'
import { resultsOf, smallStructure, structureHex } from '../structures.ts'

const structureAt = 0x20_0000
const register = 1
const unregister = 2
const invalidate = 3

/** The status of one call. */
async function configure(lpar: Lpar, ...args: readonly number[]): Promise<number | undefined> {
  const [status] = await lpar.rtas('ibm,configure-kernel-dump', args)
  return status
}

/** Lays a structure into memory and registers it. */
async function registerAt(
  lpar: Lpar,
  hex: string,
  options: { readonly at?: number; readonly length?: number } = {},
): Promise<number | undefined> {
  const { at = structureAt, length = hex.length / 2 } = options
  await lpar.poke(at, hex)
  return configure(lpar, register, at, length)
}

async function osTerm(lpar: Lpar): Promise<readonly number[]> {
  await lpar.poke(0x21_0000, fromAscii('OS panic: gone\0'))
  return lpar.rtas('ibm,os-term', [0x21_0000])
}

const valid = (given: Given) => structureHex(smallStructure(given.cell.firmware))

async function registration(lpar: Lpar): Promise<string> {
  return (await lpar.partition()).registration
}

/** A partition whose dump is active: the capture kernel does not look at it. */
async function withActiveDump(given: Given): Promise<Lpar> {
  const lpar = await given.bare()
  assert.equal(await registerAt(lpar, valid(given)), 0)
  const { epoch } = await lpar.partition()
  assert.deepEqual(await osTerm(lpar), [])
  await lpar.nextBoot(epoch + 1)
  assert.equal(await registration(lpar), 'active')
  return lpar
}

const wrongCells: Check = async (given) => {
  const lpar = await given.bare()
  await lpar.poke(structureAt, valid(given))
  const service = 'ibm,configure-kernel-dump'
  assert.deepEqual(await lpar.rtas(service, [register, structureAt]), [-3])
  assert.deepEqual(await lpar.rtas(service, [register, structureAt, 160, 0]), [-3])
  const [status] = await lpar.rtas(service, [register, structureAt, 160], 2)
  assert.equal(status, -3)
  assert.equal(await registration(lpar), 'idle')
}

const sectionCount: Check = async (given) => {
  const lpar = await given.bare()
  const regions = Array.from({ length: 9 }, (_, index) => ({
    type: 0x11,
    source: BigInt(index) * 0x10_0000n,
    length: 0x10_0000n,
    destination: 0x3010_0000n + BigInt(index) * 0x10_0000n,
  }))
  const areas = smallStructure(given.cell.firmware).slice(0, 2)
  assert.equal(await registerAt(lpar, structureHex([...areas, ...regions])), -3)
  assert.equal(await registerAt(lpar, structureHex([...areas, ...regions.slice(0, 8)])), 0)
}

const places: Check = async (given) => {
  const lpar = await given.bare({ rmaBytes: 0x1000_0000 })
  const hex = valid(given)
  assert.equal(await configure(lpar, register, 0, 160), -3)
  assert.equal(await registerAt(lpar, hex, { length: 39 }), -3)
  assert.equal(await registerAt(lpar, hex, { at: 0x1000_0000 }), -3)
  assert.equal(await registerAt(lpar, hex, { at: 0x1000_0000 - 159 }), -3)
  assert.equal(await registerAt(lpar, hex, { at: 0x1000_0000 - 160 }), 0)
}

const laterEdits: Check = async (given) => {
  const lpar = await given.bare()
  assert.equal(await registerAt(lpar, valid(given)), 0)
  await lpar.poke(structureAt, 'ff'.repeat(160))
  const { epoch } = await lpar.partition()
  await osTerm(lpar)
  await lpar.nextBoot(epoch + 1)
  const { status, sections } = resultsOf((await lpar.rtasProperty('ibm,kernel-dump')) ?? '')
  assert.equal(status, 0xc000)
  assert.deepEqual(
    sections.map(({ type }) => type),
    [1, 2, 0x11],
  )
}

/** Spec §3.3: what comes back, and how long the kernel waits before it asks again. */
const delays: readonly (readonly [status: number, delayMs: number])[] = [
  [-2, 1],
  [9900, 1],
  [9901, 10],
  [9902, 100],
  [9903, 1000],
  [9904, 10_000],
  [9905, 100_000],
]

const retries: Check = async (given) => {
  const own = await given.lpar()
  for (const [status, delayMs] of delays) {
    await own.write('kernel/fadump_registered', '0')
    await own.arm('register-status', status)
    given.bench.pauses.length = 0
    await own.write('kernel/fadump_registered', '1')
    assert.deepEqual(given.bench.pauses, [delayMs], `after ${status}`)
    assert.equal(await own.read('kernel/fadump_registered'), '1\n')
  }
  await own.write('kernel/fadump_registered', '0')
  const turns = 100
  await own.arm('register-status', -2, turns)
  given.bench.pauses.length = 0
  await own.write('kernel/fadump_registered', '1')
  assert.equal(given.bench.pauses.length, turns)
  assert.equal(await registration(own), 'registered')
}

const migrated: Check = async (given) => {
  const lpar = await given.lpar()
  await lpar.migrate()
  assert.equal(await registration(lpar), 'idle')
  const { crashes, registration: after } = await lpar.crash()
  assert.equal(crashes, 0)
  assert.notEqual(after, 'active')
  const status = given.byFirmware({ papr: '0', qemu: 'no return' })
  assert.equal(String(lpar.calls('ibm,os-term')[0]?.status), status)
}

export const rtasChecks: Checks = {
  C010: wrongCells,
  C011: async (given) => {
    const lpar = await given.bare()
    assert.equal(await registerAt(lpar, valid(given)), 0)
    assert.equal(await registration(lpar), 'registered')
  },
  C012: async (given) => {
    const lpar = await given.bare()
    assert.equal(await registerAt(lpar, valid(given)), 0)
    assert.equal(await registerAt(lpar, valid(given)), -9)
    assert.equal(await registration(lpar), 'registered')
  },
  C013: async (given) => {
    const lpar = await withActiveDump(given)
    assert.equal(await registerAt(lpar, valid(given)), -10)
    assert.equal(await configure(lpar, unregister, structureAt, 160), -10)
    assert.equal(await registration(lpar), 'active')
  },
  C014: async (given) => {
    const lpar = await given.bare()
    await lpar.poke(structureAt, valid(given))
    for (const command of [0, 4, 0xffff_ffff]) {
      assert.equal(await configure(lpar, command, structureAt, 160), -3, `command ${command}`)
    }
  },
  C015: async (given) => {
    const lpar = await given.bare()
    for (const version of [0, 2, 0x0100_0000]) {
      const hex = structureHex(smallStructure(given.cell.firmware), { version })
      assert.equal(await registerAt(lpar, hex), -3, `version ${version}`)
    }
  },
  C016: sectionCount,
  C017: places,
  C018: async (given) => {
    const lpar = await given.bare()
    const hex = `${valid(given)}${'00'.repeat(40)}`
    assert.equal(await registerAt(lpar, hex, { length: 200 }), -3)
    assert.equal(await registerAt(lpar, hex, { length: 159 }), -3)
    assert.equal(await registerAt(lpar, hex, { length: 160 }), 0)
  },
  C019: async (given) => {
    const lpar = await given.bare()
    const hex = `${valid(given)}${'00'.repeat(360)}`
    assert.equal(await registerAt(lpar, hex, { length: 513 }), -3)
    assert.equal(await registerAt(lpar, hex, { length: 520 }), -3)
  },
  C020: laterEdits,
  C021: async (given) => {
    const lpar = await withActiveDump(given)
    assert.equal(await configure(lpar, invalidate, 0, 0), 0)
    await lpar.restart()
    assert.equal(await lpar.rtasProperty('ibm,kernel-dump'), undefined)
  },
  C022: async (given) => {
    const lpar = await given.bare()
    const status = given.byFirmware({ papr: -3, qemu: 0 })
    assert.equal(await configure(lpar, invalidate, 0, 0), status)
    assert.equal(await registerAt(lpar, valid(given)), 0)
    assert.equal(await configure(lpar, invalidate, 0, 0), status)
    const left = given.byFirmware({ papr: 'registered', qemu: 'idle' })
    assert.equal(await registration(lpar), left)
  },
  C023: retries,
  C024: async (given) => {
    const lpar = await given.bare()
    assert.deepEqual(await osTerm(lpar), [0])
    assert.equal(await lpar.rtasProperty('ibm,kernel-dump'), undefined)
  },
  C028: migrated,
}
