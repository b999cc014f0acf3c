import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { truthBytes } from '../../../../test/fixtures/truth/index.ts'
import { assertSameStructure } from '../../../../test/support/structures.ts'
import { InvariantError, realAddress, toHex, viewOf } from '../units/index.ts'
import {
  checkCrashInfoHeader,
  crashInfoHeaderLayout,
  crashInfoHeaderLength,
  decodeCpuMask,
  decodeCrashInfoHeader,
  emptyPtRegs,
  encodeCpuMask,
  encodeCrashInfoHeader,
  kernelProfiles,
  type CrashInfoHeader,
} from './index.ts'

const { v5, modern } = kernelProfiles
const cpus = (count: number): Set<number> => new Set(Array.from({ length: count }, (_, cpu) => cpu))

const oldHeader: CrashInfoHeader = {
  format: 'FADMPINF',
  elfCoreHeaderAddress: realAddress(0xffff_3998n),
  crashingCpu: 5,
  registers: emptyPtRegs(v5).map((_, index) => BigInt(index)),
  cpuMask: new Set([0, 63, 64, 1023]),
}
const newHeader: CrashInfoHeader = {
  format: 'FADMPSIG',
  version: 1,
  vmcoreinfoAddress: realAddress(0x167b_0000n),
  vmcoreinfoSize: 0x1_0024n,
  crashingCpu: 0xffff_ffff,
  registers: emptyPtRegs(modern),
  cpuMask: cpus(2),
}

describe('the crash info header', () => {
  test('C094 of v5 is FADMPINF, 504 big-endian bytes, fields at their offsets', () => {
    const bytes = encodeCrashInfoHeader(oldHeader, v5)
    assert.equal(crashInfoHeaderLength(v5), 504)
    assert.equal(bytes.byteLength, 504)
    assert.equal(
      toHex(bytes.subarray(0, 0x18)),
      '4641444d50494e46' + '00000000ffff3998' + '00000005' + '00000000',
    )
    assert.equal(toHex(bytes.subarray(0x18 + 8 * 32, 0x18 + 8 * 33)), '0000000000000020')
    assert.equal(toHex(bytes.subarray(0x178, 0x188)), '8000000000000001' + '0000000000000001')
    assert.equal(toHex(bytes.subarray(0x178 + 120)), '8000000000000000')
    assert.deepEqual(decodeCrashInfoHeader(bytes, v5), oldHeader)
  })

  test('C094 of v5 with 2048 CPUs is 632 bytes', () => {
    assert.equal(crashInfoHeaderLength({ ...v5, nrCpus: 2048 }), 632)
  })

  test('C094 of modern is FADMPSIG version 1, 680 little-endian bytes, as a real kernel registers it', () => {
    assert.equal(crashInfoHeaderLength(modern), 680)
    const encoded = encodeCrashInfoHeader(newHeader, modern)
    assertSameStructure('crash-info', encoded, truthBytes('fadumphdr-first.bin'))
    assert.deepEqual(decodeCrashInfoHeader(truthBytes('fadumphdr-first.bin'), modern), newHeader)
  })

  test('C094 of a real crash names CPU 1 and its registers', () => {
    const header = decodeCrashInfoHeader(truthBytes('fadumphdr-second.bin'), modern)
    assert.equal(header.crashingCpu, 1)
    assert.deepEqual(header.cpuMask, cpus(2))
    assert.equal(header.registers[33], 0x8000_0000_0000_1033n)
    assert.equal(header.registers.length, 48)
    assert.equal(
      toHex(encodeCrashInfoHeader(header, modern)),
      toHex(truthBytes('fadumphdr-second.bin')),
    )
  })

  test('can be written in either byte order', () => {
    const shape = { ...modern, byteOrder: 'big' } as const
    const bytes = encodeCrashInfoHeader(newHeader, shape)
    assert.equal(toHex(bytes.subarray(0, 16)), '4641444d50534947' + '00000001' + 'ffffffff')
    assert.deepEqual(decodeCrashInfoHeader(bytes, shape), newHeader)
  })

  test('of another format or size than the kernel’s is a programmer error', () => {
    assert.throws(() => encodeCrashInfoHeader(oldHeader, modern), InvariantError)
    const short = { ...oldHeader, registers: [] }
    assert.throws(() => encodeCrashInfoHeader(short, v5), InvariantError)
  })

  test('has a layout whose rows name the kernel’s fields', () => {
    assert.deepEqual(
      crashInfoHeaderLayout(modern).rows.map((row) => `${row[1]} ${row[3]}`),
      [
        '0 magic_number',
        '8 version',
        '12 crashing_cpu',
        '16 vmcoreinfo_raddr',
        '24 vmcoreinfo_size',
        '32 pt_regs_sz',
        '36 cpu_mask_sz',
        '40 regs',
        '424 cpu_mask',
      ],
    )
  })
})

describe('a capture kernel', () => {
  const newBytes = (): Uint8Array => encodeCrashInfoHeader(newHeader, modern)
  const refusalOf = (bytes: Uint8Array): string | undefined =>
    checkCrashInfoHeader(bytes, modern)?.message

  test('accepts a header of its own kind, whatever its version', () => {
    assert.equal(refusalOf(newBytes()), undefined)
    assert.equal(refusalOf(encodeCrashInfoHeader({ ...newHeader, version: 2 }, modern)), undefined)
    assert.equal(checkCrashInfoHeader(encodeCrashInfoHeader(oldHeader, v5), v5), undefined)
  })

  test('C095 tells an old, a swapped, a corrupt header and one of another size apart', () => {
    const old = encodeCrashInfoHeader(oldHeader, { ...v5, byteOrder: 'little' })
    const padded = new Uint8Array(680)
    padded.set(old)
    assert.equal(refusalOf(padded), "Old magic number, can't process the dump.")
    const swapped = encodeCrashInfoHeader(newHeader, { ...modern, byteOrder: 'big' })
    assert.equal(refusalOf(swapped), 'Endianness mismatch between the crashed and fadump kernels.')
    assert.equal(refusalOf(new Uint8Array(680)), 'Fadump header is corrupted.')
    for (const offset of [0x20, 0x24]) {
      const resized = newBytes()
      viewOf(resized).setUint32(offset, 352, true)
      assert.equal(refusalOf(resized), 'Fadump header size mismatch.')
    }
  })

  test('C095 takes a header that is cut short for corrupt', () => {
    assert.equal(refusalOf(newBytes().subarray(0, 679)), 'Fadump header is corrupted.')
    assert.equal(refusalOf(new Uint8Array(0)), 'Fadump header is corrupted.')
  })

  test('C096 of v5 refuses everything but FADMPINF', () => {
    for (const bytes of [
      newBytes(),
      new Uint8Array(504),
      encodeCrashInfoHeader(oldHeader, v5).subarray(0, 503),
    ]) {
      assert.equal(checkCrashInfoHeader(bytes, v5)?.message, 'Crash info header is not valid.')
    }
  })
})

describe('a CPU mask', () => {
  test('has bit c % 64 of word c / 64, in the kernel’s byte order', () => {
    assert.equal(toHex(encodeCpuMask(new Set([1]), v5).subarray(0, 8)), '0000000000000002')
    assert.equal(toHex(encodeCpuMask(new Set([1]), modern).subarray(0, 8)), '0200000000000000')
    const many = new Set([0, 7, 63, 64, 127, 895])
    for (const profile of [v5, modern]) {
      assert.deepEqual(decodeCpuMask(encodeCpuMask(many, profile), profile.byteOrder), many)
    }
  })

  test('ends with NR_CPUS', () => {
    assert.throws(() => encodeCpuMask(new Set([1024]), v5), InvariantError)
    assert.equal(encodeCpuMask(new Set(), modern).byteLength, 256)
  })
})
