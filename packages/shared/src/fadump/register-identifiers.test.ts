import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  misprintedIdentifiers,
  registerId,
  registerIdentifiers,
  registerName,
  registerNames,
} from './index.ts'

/** Numbers of the PAPR table, one of each kind and all that are not arrays. */
const papr: readonly (readonly [name: string, id: bigint])[] = [
  ['CPUSTRT', 0x4350555354525400n],
  ['CPUEND', 0x435055454e440000n],
  ['GPR00', 0x4750523030000000n],
  ['GPR09', 0x4750523039000000n],
  ['GPR10', 0x4750523130000000n],
  ['GPR29', 0x4750523239000000n],
  ['GPR31', 0x4750523331000000n],
  ['FPR31', 0x4650523331000000n],
  ['VR00_HI', 0x565230305f484900n],
  ['VR31_LO', 0x565233315f4c4f00n],
  ['VSR00_HI', 0x56535230305f4849n],
  ['VSR63_LO', 0x56535236335f4c4fn],
  ['X-GPR00', 0x582d475052303000n],
  ['X-VS00HI', 0x582d565330304849n],
  ['X-VS63LO', 0x582d565336334c4fn],
  ['ACOP', 0x41434f5000000000n],
  ['AMR', 0x414d520000000000n],
  ['CFAR', 0x4346415200000000n],
  ['CR', 0x4352000000000000n],
  ['CTR', 0x4354520000000000n],
  ['CTRL', 0x4354524c00000000n],
  ['DABR', 0x4441425200000000n],
  ['DABRX', 0x4441425258000000n],
  ['DAR', 0x4441520000000000n],
  ['DEC', 0x4445430000000000n],
  ['DSCR', 0x4453435200000000n],
  ['DSISR', 0x4453495352000000n],
  ['FPSCR', 0x4650534352000000n],
  ['LR', 0x4c52000000000000n],
  ['MMCR0', 0x4d4d435230000000n],
  ['MMCR1', 0x4d4d435231000000n],
  ['MSR', 0x4d53520000000000n],
  ['NIA', 0x4e49410000000000n],
  ['PID', 0x5049440000000000n],
  ['PIR', 0x5049520000000000n],
  ['PMC1', 0x504d433100000000n],
  ['PMC2', 0x504d433200000000n],
  ['PMC3', 0x504d433300000000n],
  ['PMC4', 0x504d433400000000n],
  ['PMC5', 0x504d433500000000n],
  ['PMC6', 0x504d433600000000n],
  ['PURR', 0x5055525200000000n],
  ['PVR', 0x5056520000000000n],
  ['SDAR', 0x5344415200000000n],
  ['SIAR', 0x5349415200000000n],
  ['SPRG0', 0x5350524730000000n],
  ['SPRG3', 0x5350524733000000n],
  ['SPURR', 0x5350555252000000n],
  ['SRR0', 0x5352523000000000n],
  ['SRR1', 0x5352523100000000n],
  ['TB', 0x5442000000000000n],
  ['TSR', 0x5453520000000000n],
  ['UAMOR', 0x55414d4f52000000n],
  ['VRSAVE', 0x5652534156450000n],
  ['VSCR', 0x5653435200000000n],
  ['XER', 0x5845520000000000n],
  ['FSCR', 0x4653435200000000n],
  ['VTB', 0x5654420000000000n],
  ['IC', 0x4943000000000000n],
  ['DAWR0', 0x4441575230000000n],
  ['DAWRX0', 0x4441575258300000n],
  ['CIABR', 0x4349414252000000n],
  ['TAR', 0x5441520000000000n],
  ['BESCR', 0x4245534352000000n],
  ['EBBHR', 0x4542424852000000n],
  ['EBBRR', 0x4542425252000000n],
  ['IAMR', 0x49414d5200000000n],
  ['PSPB', 0x5053504200000000n],
  ['RPR', 0x5250520000000000n],
  ['MMCR2', 0x4d4d435232000000n],
  ['SIER', 0x5349455200000000n],
  ['DPDES', 0x4450444553000000n],
  ['TIR', 0x5449520000000000n],
  ['TID', 0x5449440000000000n],
  ['SPMC1', 0x53504d4331000000n],
  ['SPMC2', 0x53504d4332000000n],
  ['MMCRS', 0x4d4d435253000000n],
  ['WORC', 0x574f524300000000n],
  ['WORT', 0x574f525400000000n],
  ['TFHAR', 0x5446484152000000n],
  ['TFIAR', 0x5446494152000000n],
  ['TEXASR', 0x5445584153520000n],
  ['X-CR', 0x582d435200000000n],
  ['X-VSCR', 0x582d565343520000n],
  ['X-XER', 0x582d584552000000n],
  ['X-LR', 0x582d4c5200000000n],
  ['X-CTR', 0x582d435452000000n],
  ['X-FPSCR', 0x582d465053435200n],
  ['X-AMR', 0x582d414d52000000n],
  ['X-TSR', 0x582d545352000000n],
  ['X-VRSAVE', 0x582d565253415645n],
  ['X-DSCR', 0x582d445343520000n],
  ['X-TAR', 0x582d544152000000n],
  ['LMRR', 0x4c4d525200000000n],
  ['LMSER', 0x4c4d534552000000n],
  ['PSSCR', 0x5053534352000000n],
]

describe('register identifiers', () => {
  test('C054 are ASCII names, left-justified and NUL-padded, as PAPR prints them', () => {
    const ids = new Map(registerIdentifiers.map(({ name, id }) => [name, id]))
    for (const [name, id] of papr) {
      assert.equal(registerId(name), id, name)
      assert.equal(ids.get(name), id, name)
      assert.equal(registerName(id), name)
    }
  })

  test('are 502, none twice, two of them markers', () => {
    assert.equal(registerIdentifiers.length, 502)
    assert.equal(registerNames.size, 500)
    assert.ok(!registerNames.has('CPUSTRT') && !registerNames.has('CPUEND'))
    assert.equal(new Set(registerIdentifiers.map(({ id }) => id)).size, 502)
    const countOf = (pattern: RegExp): number =>
      registerIdentifiers.filter(({ name }) => pattern.test(name)).length
    assert.deepEqual(
      [/^FPR\d\d$/, /^GPR\d\d$/, /^VR\d\d_/, /^VSR\d\d_/, /^X-GPR/, /^X-VS\d\d/].map(countOf),
      [32, 32, 64, 128, 32, 128],
    )
    assert.equal(registerIdentifiers.filter(({ group }) => group === 'checkpoint').length, 171)
  })

  test('C055 come in table order: GPRs ascending and together, high before low', () => {
    const names = registerIdentifiers.map(({ name }) => name)
    const first = names.indexOf('GPR00')
    assert.deepEqual(
      names.slice(first, first + 32),
      Array.from({ length: 32 }, (_, index) => `GPR${String(index).padStart(2, '0')}`),
    )
    assert.deepEqual(names.slice(0, 4), ['CPUSTRT', 'CPUEND', 'ACOP', 'AMR'])
    assert.equal(names.indexOf('VR07_LO'), names.indexOf('VR07_HI') + 1)
    assert.equal(names.indexOf('VSR63_LO'), names.indexOf('VSR63_HI') + 1)
  })

  test('C055 come in table order also where that is not the alphabet', () => {
    const names = registerIdentifiers.map(({ name }) => name)
    for (const part of [
      'SPRG3 SPURR SRR0 SRR1 TB TSR UAMOR',
      'VRSAVE VSCR',
      'XER FSCR VTB IC DAWR0 DAWRX0 CIABR TAR BESCR EBBHR EBBRR IAMR PSPB RPR MMCR2 SIER DPDES TIR',
      'LMRR LMSER PSSCR',
    ]) {
      const expected = part.split(' ')
      const first = names.indexOf(expected[0] ?? '')
      assert.deepEqual(names.slice(first, first + expected.length), expected)
    }
  })

  test('that the public table misprints stand for the registers they describe', () => {
    assert.equal(misprintedIdentifiers.get(0x4d4d435240000000n), 'MMCRA')
    assert.equal(misprintedIdentifiers.get(0x582d565355314c4fn), 'X-VS51LO')
    assert.equal(registerId('MMCRA'), 0x4d4d435241000000n)
  })
})
