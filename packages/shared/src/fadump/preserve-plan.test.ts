import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  aDumpMemoryStructure,
  aSection,
  sectionsOf4Gib,
} from '../../../../test/fixtures/dump-structures.ts'
import { byteLength, GiB } from '../units/index.ts'
import {
  firmwarePersonalities,
  planPreserve,
  type DumpSection,
  type FirmwarePersonalityName,
  type PreservePlan,
} from './index.ts'

const partitionSize = byteLength(4n * GiB)

function plan(
  sections: readonly DumpSection[],
  personality: FirmwarePersonalityName = 'papr',
): PreservePlan {
  return planPreserve({
    structure: aDumpMemoryStructure({ sections }),
    partitionSize,
    cpuStateSize: byteLength(0x27a0),
    hpteSize: byteLength(0x1000),
    personality: firmwarePersonalities[personality],
  })
}

/** The outcome of one section. */
function outcomeOf(section: DumpSection, personality: FirmwarePersonalityName = 'papr') {
  const [outcome] = plan([section], personality).outcomes
  return { error: outcome?.errorFlags, dumped: outcome?.bytesDumped, does: outcome?.action.kind }
}

const failure = (error: number) => ({ error, dumped: 0n, does: 'none' })

describe('a good dump', () => {
  test('C040 has status 0xC000 and bytes_dumped = source_len in every section', () => {
    const { structure, hasErrors } = plan(sectionsOf4Gib)
    assert.equal(hasErrors, false)
    assert.equal(structure.header.dumpStatusFlag, 0xc000)
    assert.deepEqual(
      structure.sections,
      sectionsOf4Gib.map((section) => ({ ...section, bytesDumped: section.sourceLength })),
    )
  })

  test('writes firmware data and copies boot memory to the destinations', () => {
    assert.deepEqual(
      plan(sectionsOf4Gib).outcomes.map((outcome) => outcome.action),
      [
        { kind: 'write-cpu-state', target: 0xebff_0000n, length: 0x27a0n },
        { kind: 'write-hpte', target: 0xebff_27a0n, length: 0x1000n },
        { kind: 'copy', source: 0n, target: 0xebff_37a0n, length: 0x1400_0000n },
      ],
    )
  })

  test('C042 a section whose source is its destination is not copied and counts as dumped', () => {
    const parameters = aSection({
      sourceDataType: 0x0100,
      sourceAddress: 0x7fff_f800n,
      sourceLength: 0x800n,
      destinationAddress: 0x7fff_f800n,
    })
    assert.deepEqual(outcomeOf(parameters), { error: 0, dumped: 0x800n, does: 'none' })
  })

  test('copies an OS section elsewhere, unless the firmware is QEMU', () => {
    const section = aSection({ sourceDataType: 0x0200 })
    assert.deepEqual(outcomeOf(section), { error: 0, dumped: 0x1000n, does: 'copy' })
    assert.deepEqual(outcomeOf(section, 'qemu'), failure(0x8000))
    const text = aSection({ sourceDataType: 0x0012 })
    assert.deepEqual(outcomeOf(text), { error: 0, dumped: 0x1000n, does: 'copy' })
  })

  test('has nothing to do for a section of length 0', () => {
    const empty = aSection({
      sourceLength: 0n,
      sourceAddress: 2n ** 60n,
      destinationAddress: 2n ** 60n,
    })
    assert.deepEqual(outcomeOf(empty), { error: 0, dumped: 0n, does: 'none' })
  })
})

describe('a section that is not dumped', () => {
  test('C037 for want of the request flag has no error and nothing dumped', () => {
    for (const requestFlag of [0, 2, 3]) {
      assert.deepEqual(outcomeOf(aSection({ requestFlag })), failure(0))
    }
    assert.equal(plan([aSection({ requestFlag: 0 })]).structure.header.dumpStatusFlag, 0xc000)
  })

  test('C038 for its type has error 0x8000, and the others are dumped', () => {
    for (const sourceDataType of [0, 3, 0x10, 0x13, 0xff]) {
      assert.deepEqual(outcomeOf(aSection({ sourceDataType })), failure(0x8000))
    }
    const { outcomes } = plan([aSection({ sourceDataType: 3 }), ...sectionsOf4Gib])
    assert.deepEqual(
      outcomes.map((outcome) => outcome.errorFlags),
      [0x8000, 0, 0, 0],
    )
  })

  test('C039 for a source outside memory has error 0x4000', () => {
    assert.deepEqual(outcomeOf(aSection({ sourceAddress: 4n * GiB })), failure(0x4000))
    assert.deepEqual(outcomeOf(aSection({ sourceAddress: 2n ** 64n - 1n })), failure(0x4000))
  })

  test('C039 for a length beyond its source has error 0x2000', () => {
    assert.deepEqual(outcomeOf(aSection({ sourceAddress: 4n * GiB - 0xfffn })), failure(0x2000))
    const cpuState = aSection({ sourceDataType: 1, sourceLength: 0x27a1n })
    assert.deepEqual(outcomeOf(cpuState), failure(0x2000))
  })

  test('C039 for a destination outside memory has error 0x1000', () => {
    assert.deepEqual(outcomeOf(aSection({ destinationAddress: 4n * GiB })), failure(0x1000))
    const cpuState = aSection({
      sourceDataType: 1,
      sourceLength: 0x27a0n,
      destinationAddress: 4n * GiB,
    })
    assert.deepEqual(outcomeOf(cpuState), failure(0x1000))
  })

  test('C039 for a destination with too little room has error 0x0800', () => {
    assert.deepEqual(
      outcomeOf(aSection({ destinationAddress: 4n * GiB - 0xfffn })),
      failure(0x0800),
    )
    assert.deepEqual(outcomeOf(aSection({ destinationAddress: 4n * GiB - 0x1000n })).error, 0)
  })

  test('C039 names everything that is wrong', () => {
    const section = aSection({ sourceAddress: 4n * GiB, destinationAddress: 4n * GiB })
    assert.deepEqual(outcomeOf(section), failure(0x5000))
  })

  test('C063 a CPU state or HPTE section below the advertised size is too small and is not overrun', () => {
    assert.deepEqual(
      outcomeOf(aSection({ sourceDataType: 1, sourceLength: 0x279fn })),
      failure(0x0800),
    )
    assert.deepEqual(
      outcomeOf(aSection({ sourceDataType: 2, sourceLength: 0xfffn })),
      failure(0x0800),
    )
  })

  test('QEMU writes the CPU state it has, whatever was asked for', () => {
    const section = aSection({ sourceDataType: 1, sourceLength: 0xa00n })
    assert.deepEqual(outcomeOf(section, 'qemu'), {
      error: 0,
      dumped: 0x27a0n,
      does: 'write-cpu-state',
    })
  })

  test('C041 sets 0x2000 in the header beside 0xC000, which QEMU loses', () => {
    const sections = [...sectionsOf4Gib, aSection({ sourceDataType: 3 })]
    assert.equal(plan(sections).structure.header.dumpStatusFlag, 0xe000)
    assert.equal(plan(sections, 'qemu').structure.header.dumpStatusFlag, 0xc000)
    assert.equal(plan(sections, 'qemu').hasErrors, true)
  })
})

test('whatever is registered, an action stays in partition memory and a section is dumped whole or not at all', () => {
  const near = (edge: bigint) => fc.bigInt({ min: edge - 0x2000n, max: edge + 0x2000n })
  const place = fc.oneof(near(0x2000n), near(4n * GiB), near(2n ** 64n - 0x2001n))
  const section = fc.record({
    requestFlag: fc.constantFrom(0, 1),
    sourceDataType: fc.constantFrom(1, 2, 3, 0x11, 0x12, 0x100, 0x200),
    errorFlags: fc.constant(0),
    sourceAddress: place,
    sourceLength: fc.constantFrom(0n, 1n, 0x1000n, 0x27a0n, 2n ** 64n - 1n),
    bytesDumped: fc.constant(0n),
    destinationAddress: place,
  })
  fc.assert(
    fc.property(fc.array(section, { maxLength: 10 }), (sections) => {
      const { outcomes, structure, hasErrors } = plan(sections)
      for (const { action, bytesDumped, errorFlags, section: asked } of outcomes) {
        assert.ok(bytesDumped === 0n || (bytesDumped === asked.sourceLength && errorFlags === 0))
        if (action.kind === 'none') continue
        assert.ok(action.target + action.length <= partitionSize)
        if (action.kind === 'copy') assert.ok(action.source + action.length <= partitionSize)
      }
      assert.equal((structure.header.dumpStatusFlag & 0x2000) !== 0, hasErrors)
    }),
  )
})
