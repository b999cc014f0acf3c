import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { aDumpMemoryStructure, aSection } from '../../../../test/fixtures/dump-structures.ts'
import { truthBytes } from '../../../../test/fixtures/truth/index.ts'
import { assertSameStructure } from '../../../../test/support/structures.ts'
import { decodeDeviceTree, findNode } from '../fdt/index.ts'
import { LayoutError } from '../layout/index.ts'
import { fromHex, InvariantError, toHex } from '../units/index.ts'
import {
  decodeDumpMemoryStructure,
  describeFlags,
  dumpSectionHeaderLayout,
  dumpSectionLayout,
  dumpStatusFlags,
  dumpStructureBytesWhole,
  dumpStructureLength,
  encodeDumpMemoryStructure,
  sectionErrorFlags,
  sectionTypeOf,
  type DumpMemoryStructure,
} from './index.ts'

/** Linux 3.4 on 4 GiB with 8 CPUs: CPU state 0x27a0, HPTE 0x1000, boot memory 320 MiB, area at 0xebff0000. */
const workedExample = `
  00000001 0003 0000 00000028 00000000 0000000000000000 0000000000000000 00000000 00000000
  00000001 0001 0000 0000000000000000 00000000000027a0 0000000000000000 00000000ebff0000
  00000001 0002 0000 0000000000000000 0000000000001000 0000000000000000 00000000ebff27a0
  00000001 0011 0000 0000000000000000 0000000014000000 0000000000000000 00000000ebff37a0`

describe('the dump memory structure', () => {
  test('C030 header and section are 40 bytes each with the fields of PAPR at their offsets', () => {
    assert.equal(dumpSectionHeaderLayout.size, 40)
    assert.deepEqual(
      dumpSectionHeaderLayout.rows.map(([, offset, scalar, name]) => [offset, scalar.size, name]),
      [
        [0x00, 4, 'dump_format_version'],
        [0x04, 2, 'dump_num_sections'],
        [0x06, 2, 'dump_status_flag'],
        [0x08, 4, 'offset_first_dump_section'],
        [0x0c, 4, 'dd_block_size'],
        [0x10, 8, 'dd_block_offset'],
        [0x18, 8, 'dd_num_blocks'],
        [0x20, 4, 'dd_offset_disk_path'],
        [0x24, 4, 'max_time_auto'],
      ],
    )
    assert.equal(dumpSectionLayout.size, 40)
    assert.deepEqual(
      dumpSectionLayout.rows.map(([, offset, scalar, name]) => [offset, scalar.size, name]),
      [
        [0x00, 4, 'request_flag'],
        [0x04, 2, 'source_data_type'],
        [0x06, 2, 'error_flags'],
        [0x08, 8, 'source_address'],
        [0x10, 8, 'source_len'],
        [0x18, 8, 'bytes_dumped'],
        [0x20, 8, 'destination_address'],
      ],
    )
  })

  test('C030 and C032 the worked example of 4 GiB and 8 CPUs is 160 big-endian bytes', () => {
    const bytes = encodeDumpMemoryStructure(aDumpMemoryStructure())
    assert.equal(toHex(bytes), toHex(fromHex(workedExample)))
    assert.equal(bytes.byteLength, 160)
    assert.deepEqual(decodeDumpMemoryStructure(bytes), aDumpMemoryStructure())
  })

  test('C031 the first section lies at 0x28', () => {
    const bytes = encodeDumpMemoryStructure(
      aDumpMemoryStructure({ sections: [aSection({ requestFlag: 0xaabb_ccdd })] }),
    )
    assert.equal(toHex(bytes.subarray(0x08, 0x0c)), '00000028')
    assert.equal(toHex(bytes.subarray(0x28, 0x2c)), 'aabbccdd')
  })

  test('of a real registration decodes to what the kernel meant', () => {
    const structure = decodeDumpMemoryStructure(truthBytes('fdm-registered.bin'))
    assert.equal(structure.header.dumpStatusFlag, 0)
    assert.deepEqual(sectionRows(structure), [
      [0x0001, 0n, 0xa00n, 0n, 0x1400_0000n],
      [0x0002, 0n, 0n, 0n, 0x1400_0a00n],
      [0x0011, 0n, 0x1400_0000n, 0n, 0x1401_0000n],
      [0x0100, 0x7fff_f800n, 0x800n, 0n, 0x7fff_f800n],
    ])
    const encoded = encodeDumpMemoryStructure(structure)
    assertSameStructure('fdm', encoded, truthBytes('fdm-registered.bin').subarray(0, 200))
  })

  test('of a real dump differs in status and bytes_dumped only', () => {
    const registered = decodeDumpMemoryStructure(truthBytes('fdm-registered.bin'))
    const { root } = decodeDeviceTree(truthBytes('second.dtb'))
    const property = findNode(root, '/rtas')?.properties.get('ibm,kernel-dump')
    const dump = decodeDumpMemoryStructure(property ?? new Uint8Array(0))
    assert.deepEqual(dump.header, { ...registered.header, dumpStatusFlag: 0xc000 })
    assert.deepEqual(
      dump.sections,
      registered.sections.map((section) => ({ ...section, bytesDumped: section.sourceLength })),
    )
  })

  test('is 40 + 40·n bytes, 440 with all ten sections', () => {
    assert.deepEqual([0, 1, 3, 4, 10].map(dumpStructureLength), [40n, 80n, 160n, 200n, 440n])
    assert.equal(dumpStructureBytesWhole, 440)
  })

  test('with eleven sections, or cut short, does not decode', () => {
    const eleven = encodeDumpMemoryStructure(aDumpMemoryStructure())
    eleven[5] = 11
    assert.throws(() => decodeDumpMemoryStructure(eleven), /dump_num_sections is 11/)
    const whole = encodeDumpMemoryStructure(aDumpMemoryStructure())
    for (const length of [0, 39, 40, 79, 159]) {
      assert.throws(() => decodeDumpMemoryStructure(whole.subarray(0, length)), LayoutError)
    }
  })

  test('whose header miscounts its sections does not encode', () => {
    const wrong = aDumpMemoryStructure({ header: { dumpNumSections: 2 } })
    assert.throws(() => encodeDumpMemoryStructure(wrong), InvariantError)
  })

  test('keeps every value a field can hold', () => {
    const u64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn })
    const fields = {
      requestFlag: fc.nat(0xffff_ffff),
      sourceDataType: fc.nat(0xffff),
      errorFlags: fc.nat(0xffff),
      sourceAddress: u64,
      sourceLength: u64,
      bytesDumped: u64,
      destinationAddress: u64,
    }
    const section = fc.record(fields, { noNullPrototype: true })
    fc.assert(
      fc.property(fc.array(section, { maxLength: 10 }), (sections) => {
        const structure = aDumpMemoryStructure({ sections })
        assert.deepEqual(decodeDumpMemoryStructure(encodeDumpMemoryStructure(structure)), structure)
      }),
      { numRuns: 50 },
    )
  })
})

describe('flags', () => {
  test('are those of PAPR', () => {
    assert.deepEqual(
      dumpStatusFlags.map(({ flag }) => flag),
      [0x8000, 0x4000, 0x2000],
    )
    assert.deepEqual(
      sectionErrorFlags.map(({ flag }) => flag),
      [0x8000, 0x4000, 0x2000, 0x1000, 0x0800],
    )
  })

  test('are described, reserved bits included', () => {
    assert.equal(
      describeFlags(0xc000, dumpStatusFlags),
      'dump performed, dump was triggered by the previous system boot',
    )
    assert.equal(
      describeFlags(0x0801, sectionErrorFlags),
      'partition memory destination too small, reserved 0x0001',
    )
    assert.equal(describeFlags(0, sectionErrorFlags), '')
  })
})

describe('section types', () => {
  test('belong to firmware below 0x0011, to the operating system from 0x0100 on, and are reserved elsewhere', () => {
    const ownerOf = (type: number): string | undefined => sectionTypeOf(type)?.owner
    assert.deepEqual([0x0001, 0x0002].map(ownerOf), ['firmware', 'firmware'])
    assert.deepEqual([0x0011, 0x0012, 0x0100, 0x0101, 0xffff].map(ownerOf), Array(5).fill('memory'))
    assert.deepEqual(
      [0x0000, 0x0003, 0x0010, 0x0013, 0x00ff].map(ownerOf),
      Array(5).fill(undefined),
    )
  })
})

function sectionRows(structure: DumpMemoryStructure): (number | bigint)[][] {
  return structure.sections.map((section) => [
    section.sourceDataType,
    section.sourceAddress,
    section.sourceLength,
    section.bytesDumped,
    section.destinationAddress,
  ])
}
