import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { aDumpMemoryStructure, aSection } from '../../../../test/fixtures/dump-structures.ts'
import { truthBytes } from '../../../../test/fixtures/truth/index.ts'
import { encodeDumpMemoryStructure } from '../fadump/index.ts'
import { fromHex } from '../units/index.ts'
import { explain, explainStructure } from './index.ts'

/** The lines without their columns. */
const words = (lines: readonly string[]): string[] =>
  lines.map((line) => line.trim().replaceAll(/ {2,}/g, '  '))

const structure = (...given: Parameters<typeof aDumpMemoryStructure>) =>
  encodeDumpMemoryStructure(aDumpMemoryStructure(...given))

/** The line of a field in the part with this title. */
function lineOf(bytes: Uint8Array, path: string): string {
  const fields = explain('fdm', bytes).parts.flatMap((part) => part.fields)
  const field = fields.find((each) => each.path === path)
  return `${field?.value}  ${field?.meaning}`
}

describe('a dump memory structure explained', () => {
  test('as a real kernel registered it', () => {
    const lines = words(explainStructure('fdm', truthBytes('fdm-registered.bin')))
    assert.deepEqual(lines.slice(0, 10), [
      'rtas_fadump_section_header',
      '0000  00000001  dump_format_version  0x00000001  the only version there is',
      '0004  0004  dump_num_sections  0x0004  4 sections follow, at most 10',
      '0006  0000  dump_status_flag  0x0000  no dump has been taken',
      '0008  00000028  offset_first_dump_section  0x00000028  right behind this header',
      '000c  00000000  dd_block_size  0x00000000  no disk dump',
      '0010  0000000000000000  dd_block_offset  0x0000000000000000  no disk dump',
      '0018  0000000000000000  dd_num_blocks  0x0000000000000000  no disk dump',
      '0020  00000000  dd_offset_disk_path  0x00000000  no disk dump',
      '0024  00000000  max_time_auto  0x00000000  no automatic dump-reboot',
    ])
    const realMode = lines.indexOf('rtas_fadump_section sections[2]: real mode region')
    assert.deepEqual(lines.slice(realMode + 1, realMode + 8), [
      '0078  00000001  request_flag  0x00000001  firmware copies to partition memory',
      '007c  0011  source_data_type  0x0011  real mode region, copied from memory (Linux: boot memory, overwritten by the next boot)',
      '007e  0000  error_flags  0x0000  no error',
      '0080  0000000000000000  source_address  0x0000000000000000  real address, up to 0x14000000',
      '0088  0000000014000000  source_len  0x0000000014000000  320 MiB are asked for',
      '0090  0000000000000000  bytes_dumped  0x0000000000000000  nothing',
      '0098  0000000014010000  destination_address  0x0000000014010000  real address, up to 0x28010000',
    ])
    assert.deepEqual(lines.slice(-3), [
      'behind the sections',
      '(Linux has its crash info header behind the real mode region, at 0x28010000)',
      '(240 bytes from 0xc8 on are left: all zero)',
    ])
  })

  test('flags are told by their meaning, bits without one as reserved', () => {
    const header = { dumpStatusFlag: 0xe001 }
    const sections = [
      aSection({ errorFlags: 0x8400 }),
      aSection({ requestFlag: 0, sourceDataType: 0x0003 }),
      aSection({ requestFlag: 3, sourceDataType: 0x0101 }),
    ]
    const bytes = structure({ header, sections })
    assert.equal(
      lineOf(bytes, 'dump_status_flag'),
      '0xe001  dump performed, dump was triggered by the previous system boot, dump error occurred, reserved 0x0001',
    )
    assert.equal(
      lineOf(bytes, 'sections[0].error_flags'),
      '0x8400  invalid section data type, reserved 0x0400',
    )
    assert.equal(
      lineOf(bytes, 'sections[1].request_flag'),
      '0x00000000  firmware leaves the section alone',
    )
    assert.equal(
      lineOf(bytes, 'sections[1].source_data_type'),
      '0x0003  reserved type: firmware reports an error',
    )
    assert.match(lineOf(bytes, 'sections[2].request_flag'), /reserved bits are set$/)
    assert.match(lineOf(bytes, 'sections[2].source_data_type'), /OS defined, copied from memory/)
  })

  test('what was dumped is compared with what was asked for', () => {
    const dumped = (bytesDumped: bigint) =>
      lineOf(structure({ sections: [aSection({ bytesDumped })] }), 'sections[0].bytes_dumped')
    assert.match(dumped(0n), / {2}nothing$/)
    assert.match(dumped(0x1000n), / {2}all of it$/)
    assert.match(dumped(0xfffn), / {2}4095 bytes of 4 KiB: incomplete$/)
  })

  test('addresses beyond all memory are told, not tripped over', () => {
    const far = { destinationAddress: 2n ** 64n - 1n, sourceLength: 2n ** 64n - 1n }
    const { parts, defect } = explain('fdm', structure({ sections: [aSection(far)] }))
    assert.equal(defect, undefined)
    assert.equal(parts.length, 2)
  })
})

describe('bytes that are no dump memory structure', () => {
  const whole = structure()
  const changed = (offset: number, digits: string): Uint8Array => {
    const bytes = whole.slice()
    bytes.set(fromHex(digits), offset)
    return bytes
  }
  const refused: Readonly<Record<string, [bytes: Uint8Array, defect: string]>> = {
    nothing: [
      new Uint8Array(0),
      'at offset 0x0: expected the 4 bytes of dump_format_version 1, big-endian; found nothing',
    ],
    'another version': [
      changed(0, '00000002'),
      'at offset 0x0: expected 00000001 (dump_format_version 1, big-endian); found 00000002',
    ],
    'little-endian': [
      changed(0, '01000000'),
      'at offset 0x0: expected 00000001 (dump_format_version 1, big-endian); found 01000000: perhaps little-endian; firmware structures are big-endian',
    ],
    'a device tree': [
      truthBytes('first.dtb'),
      'at offset 0x0: expected 00000001 (dump_format_version 1, big-endian); found d00dfeed: a flattened device tree, explain it as fdt',
    ],
    'a header cut short': [
      whole.subarray(0, 39),
      'at offset 0x0: expected the 40 bytes of rtas_fadump_section_header; found 39 bytes',
    ],
    'a section cut short': [
      whole.subarray(0, 0x28 + 39),
      'at offset 0x28: expected the 40 bytes of rtas_fadump_section; found 39 bytes',
    ],
    'eleven sections': [
      changed(4, '000b'),
      'at offset 0x4: expected a dump_num_sections of at most 10; found 11',
    ],
  }
  for (const [what, [bytes, defect]] of Object.entries(refused)) {
    test(`${what}: the place, the rule and what is there`, () => {
      assert.equal(explain('fdm', bytes).defect, defect)
      assert.equal(explainStructure('fdm', bytes).at(-1), `not readable: ${defect}`)
    })
  }

  test('what can be read before the fault is shown', () => {
    const { parts } = explain('fdm', whole.subarray(0, 0x28 + 40))
    assert.deepEqual(
      parts.map((part) => part.title),
      ['rtas_fadump_section_header', 'rtas_fadump_section sections[0]: CPU state data'],
    )
  })
})
