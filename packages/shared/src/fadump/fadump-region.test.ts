import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  aDumpMemoryStructure,
  aGoodDump,
  aSection,
} from '../../../../test/fixtures/dump-structures.ts'
import { truthBytes } from '../../../../test/fixtures/truth/index.ts'
import { decodeDeviceTree, findNode } from '../fdt/index.ts'
import { realAddress } from '../units/index.ts'
import {
  decodeDumpMemoryStructure,
  fadumpRegionText,
  kernelProfiles,
  type FadumpRegionInput,
} from './index.ts'

/** The example of the kernel documentation: 2 GiB, CPU state 0x40020, HPTE 0x1000, boot memory 256 MiB. */
const documented = aDumpMemoryStructure({
  sections: [
    aSection({ sourceDataType: 1, sourceLength: 0x4_0020n, destinationAddress: 0x6ffb_0000n }),
    aSection({ sourceDataType: 2, sourceLength: 0x1000n, destinationAddress: 0x6fff_0020n }),
    aSection({
      sourceDataType: 0x11,
      sourceLength: 0x1000_0000n,
      destinationAddress: 0x6fff_1020n,
    }),
  ],
})
const v5Input: FadumpRegionInput = {
  profile: kernelProfiles.v5,
  isEnabled: true,
  structure: documented,
  dumpActive: false,
  preservedStart: realAddress(0x1000_0000n),
}
const modernInput: FadumpRegionInput = {
  profile: kernelProfiles.modern,
  isEnabled: true,
  structure: decodeDumpMemoryStructure(truthBytes('fdm-registered.bin')),
  dumpActive: false,
  preservedStart: realAddress(0x1400_0000n),
}

describe('fadump_region of v5', () => {
  test('C134 is the example of the kernel documentation in the first boot', () => {
    assert.equal(
      fadumpRegionText(v5Input),
      `CPU : [0x0000006ffb0000-0x0000006fff001f] 0x40020 bytes, Dumped: 0x0
HPTE: [0x0000006fff0020-0x0000006fff101f] 0x1000 bytes, Dumped: 0x0
DUMP: [0x0000006fff1020-0x0000007fff101f] 0x10000000 bytes, Dumped: 0x0
`,
    )
  })

  test('C134 shows what was dumped and what else is reserved in the capture boot', () => {
    const structure = aGoodDump(documented.sections)
    assert.equal(
      fadumpRegionText({ ...v5Input, structure, dumpActive: true }),
      `CPU : [0x0000006ffb0000-0x0000006fff001f] 0x40020 bytes, Dumped: 0x40020
HPTE: [0x0000006fff0020-0x0000006fff101f] 0x1000 bytes, Dumped: 0x1000
DUMP: [0x0000006fff1020-0x0000007fff101f] 0x10000000 bytes, Dumped: 0x10000000
    : [0x00000010000000-0x0000006ffaffff] 0x5ffb0000 bytes, Dumped: 0x5ffb0000
`,
    )
  })

  test('C134 has no fourth line when the reservation begins with the CPU state', () => {
    const preservedStart = realAddress(0x6ffb_0000n)
    const text = fadumpRegionText({ ...v5Input, dumpActive: true, preservedStart })
    assert.equal(text.split('\n').length, 4)
  })

  test('C135 is empty when fadump is not enabled', () => {
    assert.equal(fadumpRegionText({ ...v5Input, isEnabled: false }), '')
    const { structure: _none, ...nothing } = v5Input
    assert.equal(fadumpRegionText(nothing), '')
  })
})

describe('fadump_region of modern', () => {
  test('C134 is what a real first kernel shows', () => {
    assert.equal(
      fadumpRegionText(modernInput),
      `CPU :[0x00000014000000-0x000000140009ff] 0xa00 bytes, Dumped: 0x0
HPTE:[0x00000014000a00-0x000000140009ff] 0x0 bytes, Dumped: 0x0
DUMP: Src: 0x00000000000000, Dest: 0x00000014010000, Size: 0x14000000, Dumped: 0x0 bytes

[0x0000007ffff800-0x0000007fffffff]: cmdline append: ''
`,
    )
  })

  test('C134 is what a real capture kernel shows', () => {
    const { root } = decodeDeviceTree(truthBytes('second.dtb'))
    const property = findNode(root, '/rtas')?.properties.get('ibm,kernel-dump')
    const structure = decodeDumpMemoryStructure(property ?? new Uint8Array(0))
    assert.equal(
      fadumpRegionText({
        ...modernInput,
        structure,
        dumpActive: true,
        appendedArguments: 'nr_cpus=1',
      }),
      `CPU :[0x00000014000000-0x000000140009ff] 0xa00 bytes, Dumped: 0xa00
HPTE:[0x00000014000a00-0x000000140009ff] 0x0 bytes, Dumped: 0x0
DUMP: Src: 0x00000000000000, Dest: 0x00000014010000, Size: 0x14000000, Dumped: 0x14000000 bytes

[0x0000007ffff800-0x0000007fffffff]: cmdline append: 'nr_cpus=1'

Memory above 0x00000014000000 is reserved for saving crash dump
`,
    )
  })

  test('C135 is empty when fadump is not enabled', () => {
    assert.equal(fadumpRegionText({ ...modernInput, isEnabled: false }), '')
  })

  test('names a section type that the kernel does not know, without ending the line', () => {
    const structure = aDumpMemoryStructure({ sections: [aSection({ sourceDataType: 0x0200 })] })
    assert.equal(
      fadumpRegionText({ ...modernInput, structure }),
      'Unknown region type 512 : Src: 0x00000000000000, Dest: 0x00000010000000, ',
    )
  })
})
