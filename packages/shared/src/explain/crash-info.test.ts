import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { truthBytes } from '../../../../test/fixtures/truth/index.ts'
import { encodeCrashInfoHeader, kernelProfiles } from '../fadump/index.ts'
import { realAddress, viewOf } from '../units/index.ts'
import { diffStructures, explain, explainStructure } from './index.ts'

const words = (lines: readonly string[]): string[] =>
  lines.map((line) => line.trim().replaceAll(/ {2,}/g, '  '))

describe('a crash info header explained', () => {
  test('as a real kernel left it: little-endian by its magic, CPU 1 crashed', () => {
    const lines = words(explainStructure('crash-info', truthBytes('fadumphdr-second.bin')))
    assert.deepEqual(lines.slice(0, 10), [
      'fadump_crash_info_header, little-endian',
      '0000  474953504d444146  magic_number  0x4641444d50534947  "FADMPSIG"',
      '0008  01000000  version  0x00000001  the only one there is',
      '000c  01000000  crashing_cpu  0x00000001  CPU 1 crashed',
      '0010  00007b1600000000  vmcoreinfo_raddr  0x00000000167b0000  real address of the VMCOREINFO note, relocated',
      '0018  2400010000000000  vmcoreinfo_size  0x0000000000010024  65572 bytes of VMCOREINFO note',
      '0020  80010000  pt_regs_sz  0x00000180  48 registers',
      '0024  00010000  cpu_mask_sz  0x00000100  2048 CPUs at most',
      'regs: the CPU that crashed',
      '0028  30ca0400000000c0  gpr0  0xc00000000004ca30',
    ])
    for (const line of [
      '0128  4ccb0400000000c0  nip  0xc00000000004cb4c  next instruction',
      '0130  3310000000000080  msr  0x8000000000001033  SF,ME,IR,DR,RI,LE',
      '0148  8c950200000000c0  link  0xc00000000002958c  return address',
      '01a8  03000000000000000000000000000000…  cpu_mask  CPUs 0-1  2048 bits',
    ]) {
      assert.ok(lines.includes(line), line)
    }
  })

  test('before the crash no CPU is named; only then registers and the CPU are written', () => {
    const [first, second] = [truthBytes('fadumphdr-first.bin'), truthBytes('fadumphdr-second.bin')]
    assert.ok(
      words(explainStructure('crash-info', first)).includes(
        '000c  ffffffff  crashing_cpu  0xffffffff  no CPU has crashed yet',
      ),
    )
    const differing = diffStructures('crash-info', first, second)
    assert.equal(
      differing[0],
      'crashing_cpu: 0xffffffff (no CPU has crashed yet) ≠ 0x00000001 (CPU 1 crashed)',
    )
    assert.ok(differing.slice(1).every((line) => line.startsWith('regs.')))
  })

  test('of 3.4 is big-endian by its magic and states no sizes', () => {
    const header = {
      format: 'FADMPINF',
      elfCoreHeaderAddress: realAddress(0xffff_3998n),
      crashingCpu: 5,
      registers: Array.from({ length: 44 }, (_, index) => BigInt(index)),
      cpuMask: new Set([0, 1, 2, 5, 1023]),
    } as const
    const lines = words(
      explainStructure('crash-info', encodeCrashInfoHeader(header, kernelProfiles.v5)),
    )
    assert.deepEqual(lines.slice(0, 8), [
      'fadump_crash_info_header, big-endian',
      '0000  4641444d50494e46  magic_number  0x4641444d50494e46  "FADMPINF"',
      '0008  00000000ffff3998  elfcorehdr_addr  0x00000000ffff3998  ELF core header, right behind this one',
      '0010  00000005  crashing_cpu  0x00000005  CPU 5 crashed',
      '0014  00000000  (padding)  0x00000000  always 0',
      '(FADMPINF states no sizes: struct pt_regs of 352 bytes and a cpumask of 128 are assumed)',
      'regs: the CPU that crashed',
      '0018  0000000000000000  gpr0  0x0000000000000000',
    ])
    assert.match(lines.at(-1) ?? '', / CPUs 0-2,5,1023 {2}1024 bits$/)
  })
})

describe('bytes that are no crash info header', () => {
  const changed = (offset: number, value: number): Uint8Array => {
    const bytes = truthBytes('fadumphdr-second.bin')
    viewOf(bytes).setUint32(offset, value, true)
    return bytes
  }
  const refused: Readonly<Record<string, [bytes: Uint8Array, defect: RegExp]>> = {
    'a wrong magic': [changed(0, 0), /^at offset 0x0: expected .*"FADMPSIG".*; found 00000000/],
    'sizes cut off': [
      changed(0, 0x5053_4947).subarray(0, 0x24),
      /^at offset 0x0: expected the 40 bytes of fadump_crash_info_header; found 36 bytes$/,
    ],
    'registers of half a word': [
      changed(0x20, 4),
      /^at offset 0x20: expected a pt_regs_sz of at most 384, a multiple of 8; found 4$/,
    ],
    'more registers than there are': [changed(0x20, 392), /pt_regs_sz .*; found 392$/],
    'a mask beyond all CPUs': [
      changed(0x24, 0xffff_fff8),
      /^at offset 0x24: expected a cpu_mask_sz of at most 1024, a multiple of 8; found 4294967288$/,
    ],
    'a mask cut short': [
      truthBytes('fadumphdr-second.bin').subarray(0, 679),
      /expected the 680 bytes of fadump_crash_info_header; found 679 bytes$/,
    ],
  }
  for (const [what, [bytes, defect]] of Object.entries(refused)) {
    test(`${what}: the place, the rule and what is there`, () => {
      assert.match(explain('crash-info', bytes).defect ?? '', defect)
    })
  }
})
