import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import fc from 'fast-check'
import { byteLength, fromHex, realAddress } from '../units/index.ts'
import {
  composeCoreHeaders,
  coreHeadersLength,
  decodeCoreHeaders,
  encodeCoreHeaders,
  withCpuNotes,
  type CoreHeadersInput,
} from './core-headers.ts'
import { programHeaderLayout } from './program-header.ts'

const address = realAddress
const length = byteLength

/** fadump.md §6.4: POWER6, 4 GiB, 8 CPUs; boot memory 320 MiB, real mode region preserved at 0xebff37a0. */
const p6: CoreHeadersInput = {
  order: 'big',
  flags: 0,
  notes: [
    { address: address(0), length: length(0) },
    { address: address(0xebff_37a0n + 0x27b_0000n), length: length(4096) },
  ],
  loads: [
    { physical: address(0), address: address(0xebff_37a0n), length: length(0x1400_0000) },
    {
      physical: address(0x1400_0000),
      address: address(0x1400_0000),
      length: length(0xebff_0000n - 0x1400_0000n),
    },
  ],
}

suite('ELF core header in memory', () => {
  test('C100 phnum is 2 + loads; the header block of two loads is 288 bytes', () => {
    const bytes = encodeCoreHeaders(p6)
    assert.equal(bytes.byteLength, 288)
    assert.equal(coreHeadersLength(4), 288)
    assert.deepEqual(bytes.subarray(56, 58), fromHex('0004'))
  })

  test('C101 phdr0 is the PT_NOTE of the CPUs, zero until the capture kernel knows its buffer', () => {
    const bytes = encodeCoreHeaders(p6)
    assert.deepEqual(
      bytes.subarray(64, 120),
      fromHex(`00000004 00000000 0000000000000000 0000000000000000 0000000000000000
               0000000000000000 0000000000000000 0000000000000000`),
    )
    const patched = withCpuNotes(decodeCoreHeaders(bytes), {
      address: address(0x25a_0000),
      length: length(0x1_0000),
    })
    const after = composeCoreHeaders(patched)
    assert.deepEqual(
      after.subarray(64, 120),
      fromHex(`00000004 00000000 00000000025a0000 0000000000000000 00000000025a0000
               0000000000010000 0000000000010000 0000000000000000`),
    )
    assert.deepEqual(after.subarray(120), bytes.subarray(120))
  })

  test('C101 phdr1 is the PT_NOTE of VMCOREINFO at its relocated address', () => {
    assert.deepEqual(
      encodeCoreHeaders(p6).subarray(120, 176),
      fromHex(`00000004 00000000 00000000ee7a37a0 0000000000000000 00000000ee7a37a0
               0000000000001000 0000000000001000 0000000000000000`),
    )
  })

  test('C102 PT_LOAD 0: paddr 0, offset where the copy is, flags 7, vaddr 0xc000000000000000', () => {
    assert.deepEqual(
      encodeCoreHeaders(p6).subarray(176, 232),
      fromHex(`00000001 00000007 00000000ebff37a0 c000000000000000 0000000000000000
               0000000014000000 0000000014000000 0000000000000000`),
    )
  })

  test('C103 other PT_LOADs: offset = paddr', () => {
    assert.deepEqual(
      encodeCoreHeaders(p6).subarray(232),
      fromHex(`00000001 00000007 0000000014000000 c000000014000000 0000000014000000
               00000000d7ff0000 00000000d7ff0000 0000000000000000`),
    )
  })

  test('decoding gives back what was encoded, in either byte order', () => {
    const range = fc.record({
      address: fc.bigInt(0n, 2n ** 50n).map(realAddress),
      length: fc.bigInt(0n, 2n ** 50n).map(byteLength),
    })
    const load = fc
      .tuple(range, fc.bigInt(0n, 2n ** 50n).map(realAddress))
      .map(([place, physical]) => ({ ...place, physical }))
    fc.assert(
      fc.property(
        fc.record({
          order: fc.constantFrom('big' as const, 'little' as const),
          flags: fc.nat(2),
          notes: fc.array(range, { minLength: 1, maxLength: 2 }),
          loads: fc.array(load, { maxLength: 130 }),
        }),
        (input) => {
          const bytes = encodeCoreHeaders(input)
          const headers = decodeCoreHeaders(bytes)
          assert.equal(headers.order, input.order)
          assert.equal(headers.header.flags, input.flags)
          assert.deepEqual(
            headers.programHeaders.map((header) => header.offset),
            [...input.notes, ...input.loads].map((segment) => segment.address),
          )
          assert.deepEqual(composeCoreHeaders(headers), bytes)
        },
      ),
    )
  })

  test('C107 headers that end early or start without PT_NOTE are refused', () => {
    const bytes = encodeCoreHeaders(p6)
    assert.throws(() => decodeCoreHeaders(bytes.subarray(0, 287)), { rule: 'truncated' })
    const loadsOnly = decodeCoreHeaders(encodeCoreHeaders({ ...p6, notes: [] }))
    assert.throws(() => withCpuNotes(loadsOnly, p6.notes[0] ?? assert.fail()), {
      rule: 'noteFirst',
    })
  })

  test('program headers are 56 bytes with p_type first and p_align last', () => {
    assert.equal(programHeaderLayout.size, 56)
    assert.equal(programHeaderLayout.offsetOf('align'), 48)
  })
})
