import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { aGoodDump, sectionsOf4Gib } from '../../../../test/fixtures/dump-structures.ts'
import { truthBytes } from '../../../../test/fixtures/truth/index.ts'
import { decodeDeviceTree, findNode } from '../fdt/index.ts'
import { realAddress, viewOf } from '../units/index.ts'
import {
  decodeDumpMemoryStructure,
  emptyPtRegs,
  encodeCrashInfoHeader,
  kernelProfiles,
  processDump,
  registerSaveAreaLength,
  writeRegisterSaveArea,
  type AcceptedDump,
  type CrashInfoHeader,
  type DumpMemoryStructure,
  type DumpSection,
  type KernelProfile,
  type ProcessedDump,
  type RejectedDump,
} from './index.ts'

const { v5, modern } = kernelProfiles
/** Places in a structure of three sections. */
const [cpuState, hpte, realMode] = [0, 1, 2] as const

const savedCpus = [0, 1, 2, 3].map((cpu) => ({
  cpu,
  registers: { NIA: BigInt(0x1000 + cpu), GPR01: BigInt(cpu) },
}))

interface Case {
  readonly profile?: KernelProfile
  readonly structure?: DumpMemoryStructure
  readonly header?: Partial<Pick<CrashInfoHeader, 'crashingCpu' | 'cpuMask'>>
  readonly cpuState?: Uint8Array
}

function headerBytes(profile: KernelProfile, overrides: Case['header']): Uint8Array {
  const common = {
    crashingCpu: 2,
    cpuMask: new Set([0, 1, 2, 3]),
    registers: emptyPtRegs(profile).map((_, index) => BigInt(0xaa00 + index)),
    ...overrides,
  }
  const header: CrashInfoHeader =
    profile.crashInfoFormat === 'FADMPINF'
      ? { format: 'FADMPINF', elfCoreHeaderAddress: realAddress(0xffff_3998n), ...common }
      : {
          format: 'FADMPSIG',
          version: 1,
          vmcoreinfoAddress: realAddress(0n),
          vmcoreinfoSize: 0n,
          ...common,
        }
  return encodeCrashInfoHeader(header, profile)
}

function processed(options: Case = {}): ProcessedDump {
  const profile = options.profile ?? v5
  return processDump({
    profile,
    structure: options.structure ?? aGoodDump(),
    crashInfo: headerBytes(profile, options.header),
    cpuState: options.cpuState ?? writeRegisterSaveArea(savedCpus, registerSaveAreaLength(8)),
  })
}

function accepted(options: Case = {}): AcceptedDump {
  const result = processed(options)
  assert.ok(result.isAccepted, result.isAccepted ? '' : result.log.join())
  return result
}

function rejected(options: Case): RejectedDump {
  const result = processed(options)
  assert.ok(!result.isAccepted)
  return result
}

/** A good dump with one section changed, and the header status if given. */
function dumpWith(
  index: number,
  change: Partial<DumpSection>,
  status = 0xc000,
): DumpMemoryStructure {
  const dump = aGoodDump()
  return {
    header: { ...dump.header, dumpStatusFlag: status },
    sections: dump.sections.map((section, at) =>
      at === index ? { ...section, ...change } : section,
    ),
  }
}

function withStatus(status: number): DumpMemoryStructure {
  return dumpWith(-1, {}, status)
}

const short = { bytesDumped: 1n }

describe('v5 looks at the sections', () => {
  const notValid = ['Dump taken by platform is not valid']
  const incomplete = ['Dump taken by platform is incomplete']

  test('C110 an error of CPU state or real mode region, a short real mode region, no CPU state: rejected', () => {
    assert.deepEqual(
      rejected({ structure: dumpWith(cpuState, { errorFlags: 0x1000 }) }).log,
      notValid,
    )
    assert.deepEqual(
      rejected({ structure: dumpWith(realMode, { errorFlags: 0x4000 }) }).log,
      notValid,
    )
    assert.deepEqual(rejected({ structure: dumpWith(realMode, short) }).log, incomplete)
    assert.deepEqual(
      rejected({ structure: dumpWith(cpuState, { bytesDumped: 0n }) }).log,
      incomplete,
    )
  })

  test('C111 an error of the HPTE section is accepted', () => {
    assert.equal(
      accepted({ structure: dumpWith(hpte, { errorFlags: 0x1000, bytesDumped: 0n }) }).cpus.length,
      4,
    )
  })

  test('C112 CPU state that is short but not empty is accepted', () => {
    assert.equal(accepted({ structure: dumpWith(cpuState, short) }).cpus.length, 4)
  })

  test('C113 header status 0x2000 exactly is rejected, 0xE000 passes unless the bug is fixed', () => {
    assert.equal(rejected({ structure: withStatus(0x2000) }).reason, 'dump-error')
    assert.equal(accepted({ structure: withStatus(0xe000) }).cpus.length, 4)
    const fixed = { ...v5, dumpStatusTest: 'any-bit' } as const
    assert.deepEqual(rejected({ structure: withStatus(0xe000), profile: fixed }).log, notValid)
  })

  test('a structure without its three sections is rejected', () => {
    const structure = aGoodDump(sectionsOf4Gib.slice(0, 1))
    assert.equal(rejected({ structure }).reason, 'section-missing')
  })
})

describe('modern looks at the sections', () => {
  const profile = modern

  test('C110 an error or a short section is rejected with its number and place', () => {
    assert.deepEqual(
      rejected({ profile, structure: dumpWith(cpuState, { bytesDumped: 0x13e0n }) }).log,
      [
        'rtas fadump: Dump taken by platform is incomplete (0)',
        'rtas fadump: Region type: 1 src addr: 0x0 dest addr: 0xebff0000',
      ],
    )
    assert.deepEqual(
      rejected({ profile, structure: dumpWith(realMode, { errorFlags: 0x1000, bytesDumped: 0n }) })
        .log,
      [
        'rtas fadump: Dump taken by platform is not valid (2)',
        'rtas fadump: Dump taken by platform is incomplete (2)',
        'rtas fadump: Region type: 17 src addr: 0x0 dest addr: 0xebff37a0',
      ],
    )
  })

  test('C111 an error of the HPTE section is rejected', () => {
    assert.equal(
      rejected({ profile, structure: dumpWith(hpte, { errorFlags: 0x800 }) }).reason,
      'section-error',
    )
  })

  test('C112 CPU state that is short but not empty is rejected', () => {
    assert.equal(
      rejected({ profile, structure: dumpWith(cpuState, short) }).reason,
      'section-incomplete',
    )
  })

  test('C113 the header status is not looked at', () => {
    assert.equal(accepted({ profile, structure: withStatus(0x2000) }).cpus.length, 4)
  })

  test('C114 lost parameters are a warning, an unknown section too', () => {
    const parameters = { ...sectionsOf4Gib[realMode], sourceDataType: 0x100 } as DumpSection
    const unknown = {
      ...parameters,
      sourceDataType: 0x200,
      sourceAddress: 0x10n,
      destinationAddress: 0x20n,
    }
    const good = aGoodDump([...sectionsOf4Gib, parameters, unknown])
    assert.equal(accepted({ profile, structure: good }).isParameterAreaUsable, true)
    const sections = good.sections.map((section) =>
      section.sourceDataType === 0x100 ? { ...section, errorFlags: 0x4000 } : section,
    )
    const result = accepted({ profile, structure: { ...good, sections } })
    assert.equal(result.isParameterAreaUsable, false)
    assert.deepEqual(result.log, [
      'rtas fadump: Failed to process additional parameters! Proceeding anyway..',
      'rtas fadump: Unknown region found: type: 512 src addr: 0x10 dest addr: 0x20',
    ])
    assert.equal(result.cpus.length, 4)
  })
})

describe('the crash info header', () => {
  test('C096 of another kind is rejected by v5, after the sections', () => {
    const crashInfo = headerBytes(modern, {})
    const cpuStateBytes = writeRegisterSaveArea([], registerSaveAreaLength(0))
    const input = { profile: v5, structure: aGoodDump(), crashInfo, cpuState: cpuStateBytes }
    assert.deepEqual(processDump(input), {
      isAccepted: false,
      reason: 'not-valid',
      log: ['Crash info header is not valid.'],
    })
    const bad = { ...input, structure: dumpWith(realMode, short) }
    assert.equal(processDump(bad).log[0], 'Dump taken by platform is incomplete')
  })

  test('C095 of another kind is rejected by modern, before the sections', () => {
    const crashInfo = headerBytes(v5, {})
    const input = {
      profile: modern,
      structure: dumpWith(realMode, short),
      crashInfo,
      cpuState: crashInfo,
    }
    assert.deepEqual(processDump(input).log, ['fadump: Fadump header is corrupted.'])
  })
})

describe('the notes', () => {
  for (const profile of [v5, modern]) {
    test(`C060 of a ${profile.name} kernel leave out a CPU that is not in the mask`, () => {
      const { cpus } = accepted({ profile, header: { cpuMask: new Set([1, 3, 500]) } })
      assert.deepEqual(
        cpus.map(({ cpu }) => cpu),
        [1, 3],
      )
    })

    test(`C061 of a ${profile.name} kernel take the crashing CPU from the header, the others from firmware`, () => {
      const { cpus } = accepted({ profile })
      assert.deepEqual(
        cpus.map(({ cpu, ptRegs }) => [cpu, ptRegs[1], ptRegs[32], ptRegs[40], ptRegs.length]),
        [
          [0, 0n, 0x1000n, 0n, profile.ptRegsCount],
          [1, 1n, 0x1001n, 0n, profile.ptRegsCount],
          [2, 0xaa01n, 0xaa20n, 0xaa28n, profile.ptRegsCount],
          [3, 3n, 0x1003n, 0n, profile.ptRegsCount],
        ],
      )
    })

    test(`C050, C058 and C059 a ${profile.name} kernel rejects an area that it cannot read`, () => {
      const area = (change: (view: DataView) => void): Uint8Array => {
        const bytes = writeRegisterSaveArea(savedCpus, registerSaveAreaLength(8))
        change(viewOf(bytes))
        return bytes
      }
      const lastLine = (bytes: Uint8Array): string | undefined =>
        rejected({ profile, cpuState: bytes }).log.at(-1)
      const prefix = profile.logPrefix.platform
      assert.equal(
        lastLine(area((view) => view.setUint8(0, 0))),
        `${prefix}Unable to read register save area.`,
      )
      for (const bytes of [
        area((view) => view.setUint8(0x20, 0)),
        area((view) => view.setUint32(0x1c, 5)),
        area(() => undefined).subarray(0, 0x200),
      ]) {
        assert.equal(lastLine(bytes), `${prefix}Unable to read CPU state data`)
      }
    })
  }

  test('C110 a buffer for the notes that no allocation can give rejects the dump, before any CPU is read', () => {
    const area = (cpus: number): Uint8Array => {
      const bytes = writeRegisterSaveArea(savedCpus, registerSaveAreaLength(8))
      viewOf(bytes).setUint32(0x1c, cpus)
      return bytes
    }
    // 31300 · 536 bytes are just below 16 MiB, 31301 are a page more.
    assert.equal(rejected({ profile: v5, cpuState: area(31_300) }).reason, 'missing-cpu-start')
    assert.deepEqual(rejected({ profile: v5, cpuState: area(31_301) }), {
      isAccepted: false,
      reason: 'no-notes-buffer',
      log: ['Failed to allocate 0x1010000 bytes for cpu notes buffer'],
    })
    assert.deepEqual(rejected({ profile: modern, cpuState: area(0xffff) }).log, [
      'fadump: Failed to allocate 35127296 bytes for CPU notes buffer',
    ])
  })

  test('C062 without a crashing CPU, v5 has an empty mask and so no notes', () => {
    const header = { crashingCpu: 0xffff_ffff, cpuMask: new Set<number>() }
    const result = accepted({ profile: v5, header })
    assert.deepEqual([result.cpus, result.savedCpus], [[], 4])
  })

  test('C062 without a crashing CPU, modern has the mask of all possible CPUs and notes for all in the area', () => {
    const cpuMask = new Set(Array.from({ length: 2048 }, (_, cpu) => cpu))
    const { cpus } = accepted({ profile: modern, header: { crashingCpu: 0xffff_ffff, cpuMask } })
    assert.deepEqual(
      cpus.map(({ cpu, ptRegs }) => [cpu, ptRegs[32]]),
      [
        [0, 0x1000n],
        [1, 0x1001n],
        [2, 0x1002n],
        [3, 0x1003n],
      ],
    )
  })

  test('of 896 online CPUs are 896', () => {
    const online = Array.from({ length: 896 }, (_, cpu) => ({
      cpu,
      registers: { NIA: BigInt(cpu) },
    }))
    const cpuMask = new Set(online.map(({ cpu }) => cpu))
    const bytes = writeRegisterSaveArea(online, registerSaveAreaLength(896))
    const { cpus, savedCpus: counted } = accepted({
      header: { cpuMask, crashingCpu: 895 },
      cpuState: bytes,
    })
    assert.equal(cpus.length, 896)
    assert.equal(counted, 896)
    assert.equal(cpus[895]?.ptRegs[32], 0xaa20n)
    assert.equal(cpus[894]?.ptRegs[32], 894n)
  })
})

test('C061 and C110 the recorded dump of a real kernel is accepted with the registers of its notes', () => {
  const { root } = decodeDeviceTree(truthBytes('second.dtb'))
  const property = findNode(root, '/rtas')?.properties.get('ibm,kernel-dump')
  const result = processDump({
    profile: modern,
    structure: decodeDumpMemoryStructure(property ?? new Uint8Array(0)),
    crashInfo: truthBytes('fadumphdr-second.bin'),
    cpuState: truthBytes('regsave.bin'),
  })
  assert.ok(result.isAccepted)
  assert.deepEqual(result.log, [])
  assert.deepEqual(
    // gpr1, nip, msr, link, softe
    result.cpus.map(({ cpu, ptRegs }) => [
      cpu,
      ...[1, 32, 33, 36, 39].map((index) => ptRegs[index]),
    ]),
    [
      [0, 0xc000_0000_0141_fcd0n, 0xc000_0000_000a_8cf0n, 0x8000_0000_0280_b033n, 0n, 0n],
      [
        1,
        0xc000_0000_0245_79b0n,
        0xc000_0000_0004_cb4cn,
        0x8000_0000_0000_1033n,
        0xc000_0000_0002_958cn,
        3n,
      ],
    ],
  )
})
