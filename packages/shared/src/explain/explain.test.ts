import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { truthBytes, type TruthFile } from '../../../../test/fixtures/truth/index.ts'
import { assertSameStructure } from '../../../../test/support/structures.ts'
import { encodeRtasCall, encodeRtasReply } from '../rtas/index.ts'
import { fromHex } from '../units/index.ts'
import {
  cpuListText,
  diffStructures,
  explain,
  explainStructure,
  structureKinds,
  type StructureKind,
} from './index.ts'

const words = (lines: readonly string[]): string[] =>
  lines.map((line) => line.trim().replaceAll(/ {2,}/g, '  '))
const kinds = Object.keys(structureKinds) as StructureKind[]

/** The recorded bytes of each kind. */
const recorded: Readonly<Record<StructureKind, Uint8Array>> = {
  fdm: truthBytes('fdm-registered.bin'),
  regsave: truthBytes('regsave.bin'),
  'crash-info': truthBytes('fadumphdr-second.bin'),
  elf: truthBytes('vmcore-head.bin'),
  fdt: truthBytes('second.dtb'),
  rtas: fromHex('0000202d 00000003 00000001 00000001 02a3f000 000000c8 fffffff7'),
}

describe('an RTAS argument buffer explained', () => {
  test('tells service, command and status', () => {
    assert.deepEqual(words(explainStructure('rtas', recorded.rtas)), [
      'rtas_args, ibm,configure-kernel-dump',
      '0000  0000202d  token  0x0000202d  ibm,configure-kernel-dump',
      '0004  00000003  nargs  0x00000003  3 arguments',
      '0008  00000001  nret  0x00000001  1 cells of return',
      '000c  00000001  args[0]  0x00000001  register for future kernel dump',
      '0010  02a3f000  args[1]  0x02a3f000  real address of the dump memory structure',
      '0014  000000c8  args[2]  0x000000c8  200 bytes of structure',
      '0018  fffffff7  rets[0]  0xfffffff7  status -9 (A dump is already registered); 0 before the call as well',
    ])
  })

  test('of an unknown service and an unknown status says so', () => {
    const call = { token: 0x2999, args: [1], returnCount: 1 }
    const lines = words(explainStructure('rtas', encodeRtasReply(call, [-77])))
    assert.match(lines[1] ?? '', /no service of this firmware$/)
    assert.match(lines.at(-1) ?? '', /status -77 \(unknown status\)/)
  })

  test('with counts that do not fit is refused', () => {
    const buffer = encodeRtasCall({ token: 1, args: [1], returnCount: 1 })
    assert.match(explain('rtas', buffer.subarray(0, 16)).defect ?? '', /make 5 cells, .* has 4$/)
  })
})

describe('two structures compared', () => {
  test('say nothing when they say the same', () => {
    for (const kind of kinds)
      assert.deepEqual(diffStructures(kind, recorded[kind], recorded[kind]), [])
  })

  test('tell every field that differs by its path, with what both values mean', () => {
    const dumped = recorded.fdm.slice()
    dumped.set(fromHex('c000'), 0x06)
    dumped.set(fromHex('0000000000000a00'), 0x40)
    assert.deepEqual(diffStructures('fdm', recorded.fdm, dumped), [
      'dump_status_flag: 0x0000 (no dump has been taken) ≠ 0xc000 (dump performed, dump was triggered by the previous system boot)',
      'sections[0].bytes_dumped: 0x0000000000000000 (nothing) ≠ 0x0000000000000a00 (all of it)',
    ])
  })

  test('tell fields that one of them lacks, and why it cannot be read further', () => {
    const lines = diffStructures('fdm', recorded.fdm, recorded.fdm.subarray(0, 0xa0))
    assert.match(lines[0] ?? '', /^sections\[3\]\.request_flag: .*; the second has none$/)
    assert.equal(
      lines.at(-1),
      'the first is readable; the second is at offset 0xa0: expected the 40 bytes of rtas_fadump_section; found nothing',
    )
  })

  test('make the message of a failing test', () => {
    const other = recorded.fdm.slice()
    other[0x9f] = 1
    assertSameStructure('fdm', recorded.fdm, recorded.fdm.slice())
    assert.throws(() => assertSameStructure('fdm', recorded.fdm, other), {
      message: [
        'dump memory structure, as registered or as ibm,kernel-dump, actual ≠ expected:',
        'sections[2].destination_address: 0x0000000014010000 (real address, up to 0x28010000) ≠ 0x0000000014010001 (real address, up to 0x28010001)',
      ].join('\n'),
    })
    other.set(recorded.fdm)
    other[439] = 1
    assert.throws(() => assertSameStructure('fdm', recorded.fdm, other), /00 ≠ 0+1/)
  })

  test('look at every CPU', () => {
    const other = recorded.regsave.slice()
    other[0x9f3] = 7
    assert.deepEqual(diffStructures('regsave', recorded.regsave, other), [
      'cpu[1].CPUEND: 0x0000000000000001 (CPU 1 ends) ≠ 0x0000000000000007 (CPU 7 ends)',
    ])
  })

  test('of different kinds of content stop counting at 100', () => {
    const lines = diffStructures('regsave', recorded.regsave, recorded.fdm)
    assert.equal(lines.length, 101)
    assert.match(lines.at(-1) ?? '', /^… and \d+ more differences$/)
  })
})

describe('any bytes', () => {
  test('of a recorded structure, changed anywhere or cut, are explained or refused, never tripped over', () => {
    const change = fc.record({
      kind: fc.constantFrom(...kinds),
      at: fc.nat(),
      byte: fc.nat(255),
      end: fc.option(fc.nat(), { freq: 4 }),
    })
    fc.assert(
      fc.property(change, ({ kind, at, byte, end }) => {
        const bytes = recorded[kind].slice()
        // Headers stand first: that is where a change matters most.
        bytes[at % Math.min(bytes.byteLength, 0x400)] = byte
        const lines = explainStructure(
          kind,
          end === null ? bytes : bytes.subarray(0, end % bytes.byteLength),
        )
        assert.ok(lines.length > 0)
        assert.ok(lines.every((line) => !/\p{Cc}/u.test(line)))
      }),
      { numRuns: 300 },
    )
  })

  test('taken for any other structure are refused with what they are', () => {
    const files: readonly TruthFile[] = [
      'fdm-registered.bin',
      'regsave.bin',
      'fadumphdr-first.bin',
      'second.dtb',
      'vmcore-head.bin',
    ]
    for (const file of files) {
      const own = kinds.filter((kind) => explain(kind, truthBytes(file)).defect === undefined)
      assert.equal(own.length, 1, `${file} is ${own.join(', ')}`)
    }
  })
})

test('CPU lists are written as the kernel writes them', () => {
  assert.equal(cpuListText([]), 'none')
  assert.equal(cpuListText([4, 0, 1, 2, 7]), '0-2,4,7')
})
