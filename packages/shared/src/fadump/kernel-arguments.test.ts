import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { byteLength, GiB, KiB, MiB, TiB } from '../units/index.ts'
import {
  appendBootArguments,
  crashkernelOf,
  kernelProfiles,
  memparse,
  parseCrashkernel,
  parseKernelArguments,
  splitCommandLine,
} from './index.ts'

const { v5, modern } = kernelProfiles

describe('fadump=', () => {
  const enabled = (commandLine: string): boolean =>
    parseKernelArguments(commandLine, modern).isFadumpEnabled

  test('enables with on, disables with off, and is off when absent', () => {
    assert.equal(enabled('console=hvc0 fadump=on'), true)
    assert.equal(enabled('fadump=off'), false)
    assert.equal(enabled('console=hvc0'), false)
    assert.equal(enabled('fadump'), false)
  })

  test('is matched as a prefix: fadump=once enables, fadump=banana changes nothing', () => {
    assert.equal(enabled('fadump=once'), true)
    assert.equal(enabled('fadump=officially'), false)
    assert.equal(enabled('fadump=banana'), false)
    assert.equal(enabled('fadump=on fadump=banana'), true)
    assert.equal(enabled('fadump=ON'), false)
  })

  test('counts as often as it stands there, so the last one wins', () => {
    assert.equal(enabled('fadump=on fadump=off'), false)
    assert.equal(enabled('fadump=off fadump=on'), true)
    assert.equal(enabled('fadump=on nr_cpus=1 fadump=off'), false)
  })

  test('nocma enables and forbids CMA; the v5 kernel does not know the word', () => {
    const nocma = parseKernelArguments('fadump=nocma', modern)
    assert.deepEqual([nocma.isFadumpEnabled, nocma.isCmaAllowed], [true, false])
    assert.equal(parseKernelArguments('fadump=nocma fadump=on', modern).isCmaAllowed, false)
    assert.equal(parseKernelArguments('fadump=nocma', v5).isFadumpEnabled, false)
  })
})

describe('sizes in boot arguments', () => {
  test('have a suffix of either case and any C radix', () => {
    const sizes: readonly (readonly [text: string, value: bigint, rest: string])[] = [
      ['320M', 320n * MiB, ''],
      ['320m@64M', 320n * MiB, '@64M'],
      ['0x14000000', 0x1400_0000n, ''],
      ['0X10k', 16n * KiB, ''],
      ['010', 8n, ''],
      ['0', 0n, ''],
      ['08', 0n, '8'],
      ['1G', GiB, ''],
      ['2t', 2n * TiB, ''],
      ['1P', 2n ** 50n, ''],
      ['1E', 2n ** 60n, ''],
      ['16E', 0n, ''],
      ['1GB', GiB, 'B'],
      ['x', 0n, 'x'],
      ['', 0n, ''],
      ['-1', 0n, '-1'],
    ]
    for (const [text, value, rest] of sizes) assert.deepEqual(memparse(text), { value, rest }, text)
  })

  test('are read for fadump_reserve_mem= and mem=, which is rounded up to a page', () => {
    const parsed = parseKernelArguments('fadump_reserve_mem=700M mem=3G', v5)
    assert.deepEqual([parsed.reserveMemory, parsed.memoryLimit], [700n * MiB, 3n * GiB])
    assert.equal(parseKernelArguments('mem=1000001', v5).memoryLimit, 0x10_0000n)
    assert.equal(parseKernelArguments('fadump-reserve-mem=1M', v5).reserveMemory, MiB)
  })
})

describe('a command line', () => {
  test('is cut at blanks outside quotes and ends at --', () => {
    assert.deepEqual(splitCommandLine('a  b=1 "c=x y" d="p q" -- fadump=on'), [
      { name: 'a', value: undefined },
      { name: 'b', value: '1' },
      { name: 'c', value: 'x y' },
      { name: 'd', value: 'p q' },
    ])
    assert.deepEqual(splitCommandLine(''), [])
  })

  test('has no argument by the name of an object property', () => {
    assert.equal(
      parseKernelArguments('constructor=1 __proto__=1 fadump=on', v5).isFadumpEnabled,
      true,
    )
  })
})

describe('crashkernel=', () => {
  const ranges = '2G-4G:384M,4G-16G:512M,16G-64G:1G,64G-128G:2G,128G-:4G'
  const sizeOf = (text: string, memory: bigint): bigint =>
    parseCrashkernel(text, byteLength(memory)).size

  test('C080 takes the size and leaves the offset', () => {
    assert.equal(sizeOf('512M', 4n * GiB), 512n * MiB)
    assert.equal(sizeOf('512M@64M', 4n * GiB), 512n * MiB)
    assert.equal(sizeOf(`${ranges}@128M`, 4n * GiB), 512n * MiB)
  })

  test('picks the first range with start ≤ memory < end', () => {
    assert.equal(sizeOf(ranges, 2n * GiB), 384n * MiB)
    assert.equal(sizeOf(ranges, 4n * GiB), 512n * MiB)
    assert.equal(sizeOf(ranges, 16n * GiB), GiB)
    assert.equal(sizeOf(ranges, 128n * GiB), 4n * GiB)
    assert.equal(sizeOf(ranges, TiB), 4n * GiB)
    assert.equal(sizeOf(ranges, 1n * GiB), 0n)
  })

  test('counts memory rounded up to 128 MiB, because firmware keeps some', () => {
    assert.equal(sizeOf(ranges, 4n * GiB - MiB), 512n * MiB)
    assert.equal(sizeOf(ranges, 4n * GiB - 128n * MiB), 384n * MiB)
  })

  test('gives nothing when it is malformed, and says why', () => {
    const lineOf = (text: string): string | undefined =>
      parseCrashkernel(text, byteLength(4n * GiB)).log[0]
    assert.equal(lineOf('x'), 'crashkernel: memory value expected')
    assert.equal(lineOf('1G,high'), 'crashkernel: unrecognized char: ,')
    assert.equal(lineOf('x-:1G'), 'crashkernel: Memory value expected')
    assert.equal(lineOf('1G:1G'), "crashkernel: '-' expected")
    assert.equal(lineOf('2G-x:1G'), 'crashkernel: Memory value expected')
    assert.equal(lineOf('2G-1G:1G'), 'crashkernel: end <= start')
    assert.equal(lineOf('2G-3G,4G:1G'), "crashkernel: ':' expected")
    assert.equal(lineOf('2G-3G:'), 'crashkernel: Memory value expected')
    assert.equal(lineOf('2G-8G:4G'), 'crashkernel: invalid size')
    assert.equal(lineOf('16G-:1G'), 'crashkernel size resulted in zero bytes')
    assert.equal(lineOf('2G-:0'), 'crashkernel size resulted in zero bytes')
  })

  test('of all memory or more counts as nothing', () => {
    assert.equal(sizeOf('4G', 4n * GiB), 0n)
    assert.equal(sizeOf('5G', 4n * GiB), 0n)
  })

  test('is the last one without a suffix', () => {
    const last = parseKernelArguments('crashkernel=1G crashkernel=2G crashkernel=3G,high', modern)
    assert.equal(last.crashkernel, '2G')
    assert.equal(crashkernelOf(last, byteLength(16n * GiB)).size, 2n * GiB)
    assert.equal(crashkernelOf({}, byteLength(16n * GiB)).size, 0n)
  })
})

describe('the parameter area', () => {
  test('is appended with a blank, which stays when it is empty', () => {
    assert.deepEqual(appendBootArguments('console=hvc0 fadump=on', 'nr_cpus=1'), {
      commandLine: 'console=hvc0 fadump=on nr_cpus=1',
      log: ['fadump: Updated cmdline: console=hvc0 fadump=on nr_cpus=1'],
    })
    assert.equal(appendBootArguments('fadump=on', '').commandLine, 'fadump=on ')
  })

  test('is cut so that the command line has at most 2047 characters', () => {
    const { commandLine, log } = appendBootArguments('a'.repeat(2000), 'b'.repeat(47))
    assert.equal(commandLine.length, 2047)
    assert.ok(commandLine.endsWith(` ${'b'.repeat(46)}`))
    assert.equal(log[0], 'fadump: WARNING: Appending parameters exceeds cmdline size. Truncating!')
    assert.equal(appendBootArguments('a'.repeat(2000), 'b'.repeat(46)).log.length, 1)
  })
})
