import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { fromHex, toHex } from '../units/index.ts'
import { annotate, bytes, layout, u16, u32, u64, u8 } from './index.ts'

const sample = layout('sample', 16, [
  ['kind', 0x0, u8, 'kind', 'one byte'],
  ['flags', 0x1, u8, 'flags', 'one more'],
  ['count', 0x2, u16, 'count', 'two bytes'],
  ['length', 0x4, u32, 'length', 'four bytes'],
  ['address', 0x8, u64, 'address', 'eight bytes'],
])

const value = { kind: 1, flags: 2, count: 0x0304, length: 0x05060708, address: 0x090a0b0c0d0e0f10n }

suite('wire structures declared as tables', () => {
  test('both byte orders put every byte where the table says', () => {
    assert.equal(toHex(sample.encode(value, 'big')), '0102030405060708090a0b0c0d0e0f10')
    assert.equal(toHex(sample.encode(value, 'little')), '0102040308070605100f0e0d0c0b0a09')
  })

  test('decoding gives the encoded value back, at any offset', () => {
    const padded = fromHex(`ffff${toHex(sample.encode(value, 'big'))}ff`)
    assert.deepEqual(sample.decode(padded, 'big', 2), value)
    assert.equal(sample.offsetOf('address'), 8)
  })

  test('too few bytes are refused with what is needed and what there is', () => {
    assert.throws(() => sample.decode(new Uint8Array(15), 'big'), {
      name: 'LayoutError',
      message: 'sample@0: need 16 bytes, have 15',
    })
    assert.throws(() => sample.decode(new Uint8Array(16), 'big', -1), { name: 'LayoutError' })
  })

  const tooLarge: readonly [string, Partial<typeof value>][] = [
    ['kind', { kind: 256 }],
    ['kind', { kind: -1 }],
    ['kind', { kind: 1.5 }],
    ['count', { count: 0x1_0000 }],
    ['length', { length: 2 ** 32 }],
    ['address', { address: 2n ** 64n }],
    ['address', { address: -1n }],
  ]
  for (const [field, change] of tooLarge) {
    test(`${field} ${Object.values(change)[0]} is refused instead of wrapped`, () => {
      assert.throws(() => sample.encode({ ...value, ...change }, 'big'), {
        message: `sample.${field} cannot be encoded`,
      })
    })
  }

  test('a table with a hole, an overlap, a wrong size or a repeated name is a programmer error', () => {
    const broken = [
      () => layout('x', 4, [['a', 1, u8, 'a', '']]),
      () =>
        layout('x', 4, [
          ['a', 0, u16, 'a', ''],
          ['b', 1, u16, 'b', ''],
        ]),
      () => layout('x', 4, [['a', 0, u16, 'a', '']]),
      () =>
        layout('x', 2, [
          ['a', 0, u8, 'a', ''],
          ['a', 1, u8, 'a', ''],
        ]),
    ]
    for (const declare of broken) assert.throws(declare, { name: 'InvariantError' })
  })

  const tiny = layout('tiny', 6, [
    ['version', 0, u16, 'dump_format_version', 'always 1'],
    ['rest', 2, bytes(4), 'rest', 'reserved'],
  ])

  test('annotate prints place, bytes, the field of the source, the value and what it means', () => {
    assert.deepEqual(annotate(tiny, fromHex('000100000000'), { order: 'big', base: 0x28 }), [
      '0028  0001      dump_format_version  0x0001  always 1',
      '002a  00000000  rest                 0       reserved',
    ])
  })

  test('what a value means can be told from the value; offsets count from the start of the bytes', () => {
    const lines = annotate(tiny, fromHex('ffff010000000000'), {
      order: 'little',
      at: 2,
      meanings: { version: (version) => (version === 1 ? 'as it must be' : 'wrong') },
    })
    assert.equal(lines[0], '0002  0100      dump_format_version  0x0001  as it must be')
  })

  test('a long field is printed by its first 16 bytes', () => {
    const long = layout('long', 20, [['data', 0, bytes(20), 'data', '']])
    assert.deepEqual(annotate(long, new Uint8Array(20).fill(0xab), { order: 'big' }), [
      `0000  ${'ab'.repeat(16)}…  data  20 bytes`,
    ])
  })
})
