import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { truthBytes } from '../../../../test/fixtures/truth/index.ts'
import { byteLength, InvariantError, isZero, toHex, viewOf } from '../units/index.ts'
import {
  cpuEndId,
  firmwarePersonalities,
  namedRegisters,
  readRegisterSaveArea,
  readRegisterSaveAreaStart,
  registerId,
  registerIdentifiers,
  RegisterSaveAreaError,
  registerSaveAreaLength,
  writeRegisterSaveArea,
  type RegisterSaveAreaErrorCode,
  type SavedCpu,
} from './index.ts'

const someCpus: readonly SavedCpu[] = [
  { cpu: 0, registers: { NIA: 0xc000_0000_0000_1234n, GPR00: 1n, GPR31: 0xffff_ffff_ffff_ffffn } },
  { cpu: 895, registers: { MSR: 0x8000_0000_0000_1033n, CR: 0x4400_0228n } },
]
/** CPUSTRT, the 329 registers that are no checkpoint, CPUEND. */
const entriesPerCpu = 331

function areaOf(cpus: readonly SavedCpu[] = someCpus): Uint8Array {
  const { papr } = firmwarePersonalities
  return writeRegisterSaveArea(cpus, registerSaveAreaLength(cpus.length, papr), papr)
}

function hexAt(bytes: Uint8Array, offset: number, length: number): string {
  return toHex(bytes.subarray(offset, offset + length))
}

describe('the area that firmware writes', () => {
  test('C050 begins with the magic 0x5245475341564500 and version 0', () => {
    assert.equal(hexAt(areaOf(), 0, 12), '524547534156450000000000')
  })

  test('C051 has NumCpus at 0x1C after zero padding, the first entry at 0x20', () => {
    const area = areaOf()
    assert.equal(hexAt(area, 0x0c, 4), '0000001c')
    assert.ok(isZero(area.subarray(0x10, 0x1c)))
    assert.equal(hexAt(area, 0x1c, 4), '00000002')
    assert.equal(hexAt(area, 0x20, 8), '4350555354525400')
  })

  test('C051 QEMU has NumCpus at 0x10 and entries at 0x14', () => {
    const { qemu } = firmwarePersonalities
    const length = registerSaveAreaLength(2, qemu)
    assert.equal(length, 0xa00n)
    const area = writeRegisterSaveArea(someCpus, length, qemu)
    assert.equal(hexAt(area, 0x0c, 8), '0000001000000002')
    assert.equal(hexAt(area, 0x14, 8), '4350555354525400')
    assert.deepEqual(
      [...readRegisterSaveArea(area)].map(({ cpu, entries }) => [cpu, entries.length]),
      someCpus.map(({ cpu }) => [cpu, 77]),
    )
  })

  test('C052 counts the CPUs it was given: those online', () => {
    assert.equal(readRegisterSaveAreaStart(areaOf()).cpus, 2)
    assert.equal(readRegisterSaveAreaStart(areaOf([])).cpus, 0)
  })

  test('C053 encloses each CPU in CPUSTRT and CPUEND with its logical id in the low 32 bits', () => {
    const area = areaOf()
    const second = 0x20 + entriesPerCpu * 16
    assert.equal(hexAt(area, second, 16), '43505553545254000000' + '00000000037f')
    assert.equal(hexAt(area, second - 16, 16), '435055454e4400000000' + '000000000000')
    const end = second + (entriesPerCpu - 1) * 16
    assert.equal(hexAt(area, end, 16), '435055454e4400000000' + '00000000037f')
  })

  test('C055 has GPR00 to GPR31 ascending, nothing between them', () => {
    const [cpu] = [...readRegisterSaveArea(areaOf())]
    const ids = cpu?.entries.map(({ id }) => id) ?? []
    const first = ids.indexOf(registerId('GPR00'))
    assert.deepEqual(
      ids.slice(first, first + 32),
      Array.from({ length: 32 }, (_, index) => registerId(`GPR${String(index).padStart(2, '0')}`)),
    )
  })

  test('has every register of the table, unnamed ones as 0, checkpoints only where there is one', () => {
    const [plain] = [...readRegisterSaveArea(areaOf())]
    const expected = registerIdentifiers.filter(({ group }) => group === 'register')
    assert.deepEqual(
      plain?.entries.map(({ id }) => id),
      expected.map(({ id }) => id),
    )
    assert.equal(plain?.entries.filter(({ value }) => value !== 0n).length, 3)
    const withCheckpoint = areaOf([{ cpu: 1, registers: { 'X-CR': 7n } }])
    const [checkpointed] = [...readRegisterSaveArea(withCheckpoint)]
    assert.equal(checkpointed?.entries.length, 500)
    assert.equal(namedRegisters(checkpointed?.entries ?? [])['X-CR'], 7n)
  })

  test('C063 has the advertised size, zero behind the last CPU', () => {
    assert.deepEqual(
      [2, 8, 20, 32, 896].map((cpus) => registerSaveAreaLength(cpus)),
      [0x4020n, 0x1_0020n, 0x2_8020n, 0x4_0020n, 0x70_0020n],
    )
    const length = registerSaveAreaLength(8)
    const area = writeRegisterSaveArea(someCpus, length)
    assert.equal(BigInt(area.byteLength), length)
    assert.ok(isZero(area.subarray(0x20 + 2 * entriesPerCpu * 16)))
  })

  test('C063 with more CPUs than room is refused', () => {
    assert.throws(() => writeRegisterSaveArea(someCpus, byteLength(0x4019)), InvariantError)
  })

  test('refuses a register that PAPR does not know', () => {
    assert.throws(() => areaOf([{ cpu: 0, registers: { NIP: 1n } }]), /outside the table: NIP/)
  })

  test('is read back as it was written', () => {
    const value = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
    const names = registerIdentifiers
      .filter(({ group }) => group !== 'marker')
      .map(({ name }) => name)
    const cpu = fc.record({
      cpu: fc.nat(0xffff_ffff),
      registers: fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 20 }),
    })
    fc.assert(
      fc.property(fc.array(cpu, { maxLength: 3 }), (cpus) => {
        const read = [...readRegisterSaveArea(areaOf(cpus))]
        assert.deepEqual(
          read.map((saved) => saved.cpu),
          cpus.map((saved) => saved.cpu),
        )
        for (const [index, { registers }] of cpus.entries()) {
          const named = namedRegisters(read[index]?.entries ?? [])
          for (const [name, expected] of Object.entries(registers))
            assert.equal(named[name], expected)
        }
      }),
      { numRuns: 30 },
    )
  })
})

describe('an area of a real firmware', () => {
  test('C051 is read through its NumCpusOffset 0x10', () => {
    assert.deepEqual(readRegisterSaveAreaStart(truthBytes('regsave.bin')), {
      cpus: 2,
      entriesOffset: 0x14,
    })
  })

  test('has 77 registers for each of 2 CPUs', () => {
    const cpus = [...readRegisterSaveArea(truthBytes('regsave.bin'))]
    assert.deepEqual(
      cpus.map(({ cpu, entries }) => [cpu, entries.length]),
      [
        [0, 77],
        [1, 77],
      ],
    )
    const idle = namedRegisters(cpus[0]?.entries ?? [])
    assert.equal(idle['GPR01'], 0xc000_0000_0141_fcd0n)
    assert.equal(idle['CR'], 0x4400_0228n)
    assert.equal(idle['DSISR'], 0x4000_0000n)
    const crashing = namedRegisters(cpus[1]?.entries ?? [])
    assert.deepEqual(
      [crashing['NIA'], crashing['MSR'], crashing['GPR03']],
      [0x2fff_0010n, 0x1002n, 0xf000n],
    )
  })
})

describe('an area that cannot be read', () => {
  const cases: readonly (readonly [
    what: string,
    code: RegisterSaveAreaErrorCode,
    area: () => Uint8Array,
  ])[] = [
    ['C050 with another magic', 'bad-magic', () => changed((view) => view.setUint8(7, 1))],
    ['of 15 bytes', 'truncated', () => areaOf().subarray(0, 15)],
    [
      'whose NumCpusOffset lies in the header',
      'truncated',
      () => changed((view) => view.setUint32(0x0c, 0x0c)),
    ],
    [
      'whose NumCpusOffset lies outside',
      'truncated',
      () => changed((view) => view.setUint32(0x0c, 0x4020)),
    ],
    ['with 65537 CPUs', 'bad-cpu-count', () => changed((view) => view.setUint32(0x1c, 65_537))],
    [
      'C058 without CPUSTRT',
      'missing-cpu-start',
      () => changed((view) => view.setUint8(0x20, 0x58)),
    ],
    [
      'C058 with a CPU less than NumCpus says',
      'missing-cpu-start',
      () => changed((view) => view.setUint32(0x1c, 3)),
    ],
    ['cut before the first CPU', 'truncated', () => areaOf().subarray(0, 0x2f)],
    [
      'C059 without CPUEND',
      'missing-cpu-end',
      () => changed((view) => view.setUint8(0x20 + (entriesPerCpu - 1) * 16, 0x58)),
    ],
    ['C059 cut inside a CPU', 'missing-cpu-end', () => areaOf().subarray(0, 0x20 + 100 * 16)],
  ]
  for (const [what, code, area] of cases) {
    test(`${what} ends with ${code}`, () => {
      assert.throws(
        () => [...readRegisterSaveArea(area())],
        (error) => error instanceof RegisterSaveAreaError && error.code === code,
      )
    })
  }

  test('C053 the high half of the CPU id is ignored', () => {
    const area = changed((view) => view.setUint32(0x28, 0xdead_beef))
    assert.equal([...readRegisterSaveArea(area)][0]?.cpu, 0)
  })

  test('whatever its bytes are, reading ends', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 400 }), (tail) => {
        const area = new Uint8Array(0x20 + tail.byteLength)
        area.set(areaOf().subarray(0, 0x20))
        area.set(tail, 0x20)
        try {
          for (const { entries } of readRegisterSaveArea(area)) {
            assert.ok(entries.every(({ id }) => id !== cpuEndId))
          }
        } catch (error) {
          assert.ok(error instanceof RegisterSaveAreaError)
        }
      }),
    )
  })
})

function changed(change: (view: DataView) => void): Uint8Array {
  const area = areaOf()
  change(viewOf(area))
  return area
}
