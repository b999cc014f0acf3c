import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import fc from 'fast-check'
import { concat, fromHex } from '../units/index.ts'
import { encodeNote, noteLength, notesOf, noteTerminator } from './note.ts'
import {
  decodePrstatus,
  encodePrstatus,
  encodePrstatusNote,
  isPrstatus,
  prstatusNoteBytes,
} from './prstatus-ppc64.ts'

suite('ELF notes', () => {
  test('name and descriptor are padded to four bytes, the sizes are not', () => {
    const note = encodeNote({ name: 'CORE', type: 1, descriptor: fromHex('aabbccddee') }, 'big')
    assert.deepEqual(note, fromHex('00000005 00000005 00000001 434f524500000000 aabbccddee000000'))
    assert.equal(noteLength('CORE', 5), 28)
  })

  test('a note area is read up to its terminator, in either byte order', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            name: fc.stringMatching(/^[A-Z]{1,12}$/),
            type: fc.nat(),
            descriptor: fc.uint8Array({ maxLength: 40 }),
          }),
        ),
        fc.constantFrom('big' as const, 'little' as const),
        fc.nat(40),
        (notes, order, rest) => {
          const area = concat([
            ...notes.map((note) => encodeNote(note, order)),
            noteTerminator,
            new Uint8Array(rest).fill(0xff),
          ])
          const found = [...notesOf(area, order)]
          assert.deepEqual(
            found.map(({ name, type, descriptor }) => ({
              name,
              type,
              descriptor: [...descriptor],
            })),
            notes.map((note) => ({ ...note, descriptor: [...note.descriptor] })),
          )
        },
      ),
    )
  })

  const one = encodeNote({ name: 'CORE', type: 1, descriptor: new Uint8Array(8) }, 'big')
  const patched = (offset: number, size: string): Uint8Array => {
    const bytes = one.slice()
    bytes.set(fromHex(size), offset)
    return bytes
  }
  for (const [what, area] of [
    ['n_descsz is -1', patched(4, 'ffffffff')],
    ['n_descsz is one too large', patched(4, '00000009')],
    ['n_namesz is -1', patched(0, 'ffffffff')],
    ['the area ends within the descriptor', one.subarray(0, one.byteLength - 1)],
  ] as const) {
    test(`a note is refused when ${what}`, () => {
      assert.throws(() => [...notesOf(area, 'big')], { rule: 'noteBeyondSegment' })
    })
  }

  test('up to eleven left-over bytes are padding', () => {
    const area = concat([one, new Uint8Array(11).fill(0xff)])
    assert.equal([...notesOf(area, 'big')].length, 1)
  })
})

suite('NT_PRSTATUS of ppc64', () => {
  const registers = Array.from({ length: 48 }, (_, index) => 0xc000_0000_0000_0000n + BigInt(index))

  test('C105 each NT_PRSTATUS note is 524 bytes, name CORE, descriptor 504, nip at descriptor + 368', () => {
    const note = encodePrstatusNote({ pid: 0, registers }, 'big')
    assert.equal(note.byteLength, 524)
    assert.equal(prstatusNoteBytes, 524)
    assert.deepEqual(note.subarray(0, 20), fromHex('00000005 000001f8 00000001 434f524500000000'))
    // nip is pr_reg[32]: 20 + 368 from the start of the note.
    assert.deepEqual(note.subarray(388, 396), fromHex('c000000000000020'))
    assert.deepEqual(note.subarray(20 + 120, 20 + 128), fromHex('c000000000000001'), 'gpr1')
    assert.deepEqual(note.subarray(20 + 488, 20 + 496), fromHex('c00000000000002f'), 'iamr')
  })

  test('C105 pr_pid and everything but pr_reg is zero', () => {
    const descriptor = encodePrstatus({ pid: 0, registers }, 'little')
    assert.ok(descriptor.subarray(0, 112).every((byte) => byte === 0))
    assert.ok(descriptor.subarray(496).every((byte) => byte === 0))
  })

  test('pr_pid stands at 32 in the byte order of the machine', () => {
    const pid = (order: 'big' | 'little'): Uint8Array =>
      encodePrstatus({ pid: 7, registers: [] }, order).subarray(32, 36)
    assert.deepEqual(pid('big'), fromHex('00000007'))
    assert.deepEqual(pid('little'), fromHex('07000000'))
  })

  test('registers that a kernel does not copy are zero: 44 of 48 in 3.4', () => {
    const { registers: found } = decodePrstatus(
      encodePrstatus({ pid: 0, registers: registers.slice(0, 44) }, 'big'),
      'big',
    )
    assert.equal(found.length, 48)
    assert.deepEqual(found.slice(0, 44), registers.slice(0, 44))
    assert.deepEqual(found.slice(44), [0n, 0n, 0n, 0n])
  })

  test('a decoded note gives back pid and registers in either byte order', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.array(fc.bigInt(0n, 2n ** 64n - 1n), { minLength: 48, maxLength: 48 }),
        fc.constantFrom('big' as const, 'little' as const),
        (pid, values, order) => {
          const [note] = [...notesOf(encodePrstatusNote({ pid, registers: values }, order), order)]
          assert.ok(note && isPrstatus(note))
          assert.deepEqual(decodePrstatus(note.descriptor, order), { pid, registers: values })
        },
      ),
    )
  })

  test('the 49th register and a descriptor of another size are refused', () => {
    assert.throws(() => encodePrstatus({ pid: 0, registers: [...registers, 0n] }, 'big'), {
      name: 'InvariantError',
    })
    // 32-bit powerpc has 268 bytes.
    assert.throws(() => decodePrstatus(new Uint8Array(268), 'big'), { rule: 'prstatusSize' })
  })
})
