import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { aDumpMemoryStructure, aGoodDump } from '../../../../test/fixtures/dump-structures.ts'
import { truthBytes } from '../../../../test/fixtures/truth/index.ts'
import { decodeDeviceTree, findNode } from '../fdt/index.ts'
import { byteLength, fromHex, toHex } from '../units/index.ts'
import {
  decodeDumpSizes,
  dumpProperties,
  encodeDumpSizes,
  encodeDumpVersion,
  firmwarePersonalities,
  kernelProfiles,
  scanFirmwareDump,
  type FirmwareDumpOption,
} from './index.ts'

const option: FirmwareDumpOption = {
  dumpOption: true,
  cpuStateSize: byteLength(0x13e0),
  hpteSize: byteLength(0x1000),
  personality: firmwarePersonalities.papr,
}
const dumpNames = [
  'ibm,configure-kernel-dump',
  'ibm,configure-kernel-dump-sizes',
  'ibm,configure-kernel-dump-version',
  'ibm,kernel-dump',
]
const { v5, modern } = kernelProfiles

function hexOf(properties: ReadonlyMap<string, Uint8Array>, name: string): string | undefined {
  const value = properties.get(name)
  return value === undefined ? undefined : toHex(value)
}

describe('what firmware announces in /rtas', () => {
  test('C001 without the dump option there is none of the four properties and no support', () => {
    const properties = dumpProperties({ ...option, dumpOption: false, dump: aGoodDump() })
    assert.deepEqual(
      dumpNames.map((name) => properties.has(name)),
      [false, false, false, false],
    )
    for (const profile of [v5, modern]) {
      const scanned = scanFirmwareDump(properties, profile)
      assert.equal(scanned.isSupported, false)
      assert.equal(scanned.dump, undefined)
    }
  })

  test('C002 ibm,configure-kernel-dump is one big-endian cell, the token', () => {
    assert.equal(hexOf(dumpProperties(option), 'ibm,configure-kernel-dump'), '0000202d')
  })

  test('C003 ibm,configure-kernel-dump-sizes has 12 bytes an entry, for types 1 and 2', () => {
    assert.equal(
      hexOf(dumpProperties(option), 'ibm,configure-kernel-dump-sizes'),
      '0000000100000000000013e0' + '000000020000000000001000',
    )
  })

  test('C005 ibm,configure-kernel-dump-version is 00 01 00 01, under QEMU in host byte order', () => {
    assert.equal(hexOf(dumpProperties(option), 'ibm,configure-kernel-dump-version'), '00010001')
    assert.equal(toHex(encodeDumpVersion(firmwarePersonalities.qemu)), '01000100')
  })

  test('C006 ibm,kernel-dump is there only while a dump waits, 40 + 40·n bytes long', () => {
    assert.equal(dumpProperties(option).has('ibm,kernel-dump'), false)
    const properties = dumpProperties({ ...option, dump: aGoodDump() })
    assert.equal(properties.get('ibm,kernel-dump')?.byteLength, 160)
    assert.equal(hexOf(properties, 'ibm,kernel-dump')?.slice(0, 16), '000000010003c000')
  })

  test('C007 ibm,extended-os-term is there whenever ibm,configure-kernel-dump is', () => {
    const properties = dumpProperties(option)
    assert.equal(hexOf(properties, 'ibm,extended-os-term'), '')
    assert.equal(scanFirmwareDump(properties, v5).canTerminate, true)
    properties.delete('ibm,extended-os-term')
    assert.equal(scanFirmwareDump(properties, v5).canTerminate, false)
  })
})

describe('what a kernel makes of /rtas', () => {
  test('C004 a size is high and low cell together; unknown types are ignored', () => {
    const sizes = encodeDumpSizes([
      { type: 1, size: byteLength(0x1_0000_2000n) },
      { type: 9, size: byteLength(5) },
      { type: 2, size: byteLength(0x1000) },
    ])
    assert.equal(toHex(sizes.subarray(0, 12)), '000000010000000100002000')
    const properties = new Map([
      ...dumpProperties(option),
      ['ibm,configure-kernel-dump-sizes', sizes],
    ])
    const scanned = scanFirmwareDump(properties, v5)
    assert.equal(scanned.cpuStateSize, 0x1_0000_2000n)
    assert.equal(scanned.hpteSize, 0x1000n)
  })

  test('C004 without the property, or with less than an entry of it, sizes are 0', () => {
    for (const bytes of [undefined, new Uint8Array(0), fromHex('0000000100000000000013')]) {
      const properties = dumpProperties(option)
      properties.delete('ibm,configure-kernel-dump-sizes')
      if (bytes !== undefined) properties.set('ibm,configure-kernel-dump-sizes', bytes)
      const scanned = scanFirmwareDump(properties, modern)
      assert.deepEqual([scanned.cpuStateSize, scanned.hpteSize], [0n, 0n])
      assert.equal(scanned.isSupported, true)
    }
  })

  test('the properties of a real first boot', () => {
    const scanned = scanFirmwareDump(rtasOf('first.dtb'), modern)
    assert.deepEqual(scanned, {
      isSupported: true,
      token: 0x202d,
      cpuStateSize: 0xa00n,
      hpteSize: 0n,
      canTerminate: true,
      log: [],
    })
  })

  test('the properties of a real capture boot', () => {
    const scanned = scanFirmwareDump(rtasOf('second.dtb'), modern)
    assert.equal(scanned.dump?.header.dumpStatusFlag, 0xc000)
    assert.deepEqual(
      scanned.dump?.sections.map((section) => section.bytesDumped),
      [0xa00n, 0n, 0x1400_0000n, 0x800n],
    )
    assert.deepEqual(scanned.log, ['rtas fadump: Firmware-assisted dump is active.'])
  })

  test('the v5 kernel says nothing while it scans', () => {
    const properties = dumpProperties({ ...option, dump: aGoodDump() })
    assert.deepEqual(scanFirmwareDump(properties, v5).log, [])
  })

  test('sizes decode as they were encoded', () => {
    const sizes = [{ type: 1, size: byteLength(0xffff_ffff_ffff_ffffn) }]
    assert.deepEqual(decodeDumpSizes(encodeDumpSizes(sizes)), sizes)
  })

  test('a dump that is no structure is a malformed device tree', () => {
    const properties = new Map([
      ...dumpProperties({ ...option, dump: aDumpMemoryStructure() }),
      ['ibm,kernel-dump', new Uint8Array(39)],
    ])
    assert.throws(() => scanFirmwareDump(properties, v5), /need 40 bytes, have 39/)
  })
})

function rtasOf(file: 'first.dtb' | 'second.dtb'): ReadonlyMap<string, Uint8Array> {
  return findNode(decodeDeviceTree(truthBytes(file)).root, '/rtas')?.properties ?? new Map()
}
