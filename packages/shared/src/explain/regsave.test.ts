import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { truthBytes } from '../../../../test/fixtures/truth/index.ts'
import { byteLength, viewOf } from '../units/index.ts'
import { registerId, registerSaveAreaLength, writeRegisterSaveArea } from '../fadump/index.ts'
import { explain, explainStructure } from './index.ts'

const words = (lines: readonly string[]): string[] =>
  lines.map((line) => line.trim().replaceAll(/ {2,}/g, '  '))

/** CPUs 0, 2, 4 … with NIA 0x1000 · cpu. */
function anArea(cpus: number): Uint8Array {
  const saved = Array.from({ length: cpus }, (_, index) => ({
    cpu: 2 * index,
    registers: { NIA: BigInt(0x2000 * index) },
  }))
  return writeRegisterSaveArea(saved, byteLength(registerSaveAreaLength(cpus)))
}

describe('a register save area explained', () => {
  test('as QEMU wrote it: 79 entries for each of 2 CPUs, the second one inside RTAS', () => {
    const lines = words(explainStructure('regsave', truthBytes('regsave.bin')))
    assert.deepEqual(lines.slice(0, 10), [
      'rtas_fadump_reg_save_area_header',
      '0000  5245475341564500  magic_number  0x5245475341564500  "REGSAVE"',
      '0008  00000000  version  0x00000000  always 0',
      '000c  00000010  num_cpu_offset  0x00000010  where the number of CPUs stands',
      'number of CPUs',
      '0010  00000002  num_cpus  0x00000002  entries of 2 CPUs follow: those that were online',
      'CPU 0, number 1 of 2: 77 registers',
      '0014  43505553545254000000000000000000  CPUSTRT  0x0000000000000000  CPU 0 begins',
      '0024  41434f50000000000000000000000000  ACOP  0x0000000000000000  Linux skips it',
      '0034  414d520000000000fcffffffffffffff  AMR  0xfcffffffffffffff  Linux skips it',
    ])
    for (const line of [
      '06a4  4750523033000000000000000000f000  GPR03  0x000000000000f000  pt_regs.gpr3 of Linux',
      '08a4  4d535200000000000000000000001002  MSR  0x0000000000001002  pt_regs.msr of Linux: ME,RI',
      '08b4  4e49410000000000000000002fff0010  NIA  0x000000002fff0010  pt_regs.nip of Linux',
      '05d4  44415752310000000000000000000000  DAWR1  0x0000000000000000  Linux skips it: not in the table of PAPR',
      '09e4  435055454e4400000000000000000001  CPUEND  0x0000000000000001  CPU 1 ends',
    ]) {
      assert.ok(lines.includes(line), line)
    }
    assert.deepEqual(lines.slice(-2), [
      'behind the CPUs shown',
      '(12 bytes from 0x9f4 on are left: not zero, and no part of the structure)',
    ])
  })

  test('C051 as PAPR has it, with padding before the number of CPUs', () => {
    const lines = words(explainStructure('regsave', anArea(1)))
    assert.deepEqual(lines.slice(3, 7), [
      '000c  0000001c  num_cpu_offset  0x0000001c  where the number of CPUs stands',
      'number of CPUs',
      '0010  000000000000000000000000  (padding)  0  always 0',
      '001c  00000001  num_cpus  0x00000001  entries of 1 CPU follow: those that were online',
    ])
  })

  test('of many CPUs two are shown and the others counted; one can be asked for by its id', () => {
    const area = anArea(5)
    const titles = (cpu?: number) =>
      explain('regsave', area, cpu === undefined ? {} : { cpus: { only: cpu } }).parts.flatMap(
        ({ title, remarks = [] }) => [title, ...remarks],
      )
    assert.deepEqual(titles().slice(2, 6), [
      'CPU 0, number 1 of 5: 329 registers',
      'CPU 2, number 2 of 5: 329 registers',
      'behind the CPUs shown',
      '3 more CPUs are not shown (4,6,8): --cpu N shows one of them in full',
    ])
    assert.deepEqual(titles(8).slice(2, 3), ['CPU 8, number 5 of 5: 329 registers'])
    assert.equal(
      explain('regsave', area, { cpus: { only: 1 } }).defect,
      'at offset 0x20: expected CPU 1; found CPUs 0,2,4,6,8',
    )
  })

  test('a register name is bytes like any other: a terminal is not made to obey it', () => {
    const area = truthBytes('regsave.bin').slice()
    viewOf(area).setBigUint64(0x24, registerId('\x1b[2J\x07é'))
    assert.ok(
      words(explainStructure('regsave', area)).some((line) => line.includes('\\x1b[2J\\x07é')),
    )
  })
})

describe('bytes that are no register save area', () => {
  test('the magic of something else is named with what to do', () => {
    assert.equal(
      explain('regsave', truthBytes('fdm-registered.bin')).defect,
      'at offset 0x0: expected 5245475341564500 (the magic "REGSAVE"); found 0000000100040000: a dump memory structure, explain it as fdm',
    )
    assert.match(explain('regsave', new Uint8Array(64)).defect ?? '', /nothing but zeros$/)
  })

  test('where a CPU must begin, what is there instead is named', () => {
    const area = truthBytes('regsave.bin').slice()
    viewOf(area).setBigUint64(0x504, registerId('GPR00'))
    assert.equal(explain('regsave', area).defect, 'at offset 0x504: expected CPUSTRT; found GPR00')
    viewOf(area).setBigUint64(0x504, 0xffn)
    assert.match(explain('regsave', area).defect ?? '', /found 0x00000000000000ff$/)
  })

  test('a number of CPUs outside the area, or beyond all, is refused after the header', () => {
    const area = truthBytes('regsave.bin').slice()
    viewOf(area).setUint32(0x0c, 0xa00)
    const { parts, defect } = explain('regsave', area)
    assert.equal(parts.length, 1)
    assert.equal(defect, 'NumCpusOffset 0xa00 is outside the area of 2560 bytes')
    viewOf(area).setUint32(0x0c, 0x10)
    viewOf(area).setUint32(0x10, 65_537)
    assert.equal(explain('regsave', area).defect, 'NumCpus is 65537, at most 65536 are read')
  })

  test('an area that ends within a CPU shows the CPUs before it', () => {
    const { parts, defect } = explain('regsave', truthBytes('regsave.bin').subarray(0, 0x800))
    assert.equal(parts.at(-1)?.title, 'CPU 0, number 1 of 2: 77 registers')
    assert.equal(defect, 'the registers of CPU 1 do not end with CPUEND before offset 0x7f4')
  })
})
