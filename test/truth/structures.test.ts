/**
 * The structures of a real Linux 7.2 under QEMU 11.1, byte for byte where bytes do not depend on the run. The recorded
 * bytes are in test/fixtures/truth, with their origin.
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { decodeDeviceTree, findNode } from '@fadump-lab/shared/fdt'
import { toAscii, toHex, viewOf } from '@fadump-lab/shared/units'
import { truthBytes, type TruthFile } from '../fixtures/truth/index.ts'
import { assertSameStructure } from '../support/structures.ts'
import { fadumpLines, lparOf, truthBench } from './bench.ts'

const cpuStateAt = 0x1400_0000
const cpuStateBytes = 0xa00
const crashInfoAt = 0x2801_0000
const crashInfoBytes = 680

/** `bytes` with the ranges that depend on the run taken from `other`. */
function apartFrom(
  bytes: Uint8Array,
  other: Uint8Array,
  ranges: readonly (readonly [start: number, end: number])[],
): Uint8Array {
  const same = bytes.slice()
  for (const [start, end] of ranges) same.set(other.subarray(start, end), start)
  return same
}

function truthRtas(file: TruthFile): ReadonlyMap<string, Uint8Array> {
  return findNode(decodeDeviceTree(truthBytes(file)).root, '/rtas')?.properties ?? new Map()
}

/** Of the register save area: what stands where. */
function entries(area: Uint8Array): readonly (readonly [at: number, id: string, value: bigint])[] {
  const first = 0x14
  return Array.from({ length: 2 * 79 }, (_, index) => {
    const at = first + 16 * index
    const id = toAscii(area.subarray(at, at + 8)).replace(/\0+$/, '')
    return [at, id, viewOf(area).getBigUint64(at + 8)] as const
  })
}

/** `vmcoreinfo_raddr`: where a kernel has its VMCOREINFO note is its own affair. */
const vmcoreinfoAddress = [0x10, 0x18] as const
const registers = [0x28, 0x1a8] as const

suite('the structures of Linux 7.2 under QEMU', () => {
  const bench = truthBench()

  test('C030 C033 the dump memory structure as registered', async () => {
    await using given = bench.given('fdm')
    const lpar = await lparOf(given)
    const [call] = lpar.calls()
    const [command, address = 0, length = 0] = call?.args ?? []
    assert.deepEqual([command, length], [1, 200])
    const truth = truthBytes('fdm-registered.bin').subarray(0, 200)
    assertSameStructure('fdm', await lpar.bytes(address, 200), truth)
  })

  test('C040 ibm,kernel-dump in the capture boot', async () => {
    await using given = bench.given('kernel-dump')
    const lpar = await lparOf(given)
    await lpar.crash()
    const truth = truthRtas('second.dtb').get('ibm,kernel-dump') ?? new Uint8Array(0)
    assert.equal(truth.byteLength, 200)
    assert.equal(await lpar.rtasProperty('ibm,kernel-dump'), toHex(truth))
  })

  for (const [boot, file] of [
    ['first', 'first.dtb'],
    ['capture', 'second.dtb'],
  ] as const) {
    test(`C002 C003 C005 C007 what /rtas says in the ${boot} boot`, async () => {
      await using given = bench.given(`rtas-${boot}`)
      const lpar = await lparOf(given)
      if (boot === 'capture') await lpar.crash()
      const ours = findNode(await lpar.deviceTree(), '/rtas')?.properties ?? new Map()
      const truth = truthRtas(file)
      // Ours is a page long, as nothing of it is in memory.
      const differs = [...ours]
        .filter(([name, bytes]) => toHex(truth.get(name) ?? new Uint8Array(0)) !== toHex(bytes))
        .map(([name]) => name)
      assert.deepEqual(differs, ['rtas-size'])
      const about = /kernel-dump|os-term|linux,rtas/
      const missing = [...truth.keys()].filter((name) => about.test(name) && !ours.has(name))
      assert.deepEqual(missing, [])
    })
  }

  test('C051 C053 C054 C055 the register save area: what stands where', async () => {
    await using given = bench.given('regsave')
    const lpar = await lparOf(given)
    await lpar.crash('sysrq', 1)
    const ours = await lpar.bytes(cpuStateAt, cpuStateBytes)
    const truth = truthBytes('regsave.bin')
    assert.equal(truth.byteLength, cpuStateBytes)
    assert.equal(toHex(ours.subarray(0, 0x14)), toHex(truth.subarray(0, 0x14)))
    const layout = (area: Uint8Array) => entries(area).map(([at, id]) => `${at.toString(16)} ${id}`)
    assert.deepEqual(layout(ours), layout(truth))
    // Markers carry the CPU; QEMU dumps what it keeps elsewhere as 0.
    const fixed = new Set(['CPUSTRT', 'CPUEND', 'CTR', 'LR', 'XER'])
    const values = (area: Uint8Array) =>
      entries(area)
        .filter(([, id]) => fixed.has(id))
        .map(([, id, value]) => `${id} ${value}`)
    assert.deepEqual(values(ours), values(truth))
  })

  test('C094 the fadump header after registration', async () => {
    await using given = bench.given('header-first')
    const lpar = await lparOf(given)
    const ours = await lpar.bytes(crashInfoAt, crashInfoBytes)
    const truth = truthBytes('fadumphdr-first.bin')
    assertSameStructure('crash-info', apartFrom(ours, truth, [vmcoreinfoAddress]), truth)
  })

  test('C092 C094 the fadump header after the crash, with the kernel’s own special registers', async () => {
    await using given = bench.given('header-second')
    const lpar = await lparOf(given)
    await lpar.crash('sysrq', 1)
    const ours = await lpar.bytes(crashInfoAt, crashInfoBytes)
    const truth = truthBytes('fadumphdr-second.bin')
    const masked = apartFrom(ours, truth, [vmcoreinfoAddress, registers])
    assertSameStructure('crash-info', masked, truth)
    // msr, orig_gpr3, ctr, trap, dar, dsisr, result and what follows: not a matter of the code that crashed.
    const special = (bytes: Uint8Array) =>
      [33, 34, 35, 37, 38, 40, 41, 42, 43, 44, 45, 46, 47].map(
        (index) =>
          `${index} ${viewOf(bytes)
            .getBigUint64(0x28 + 8 * index, true)
            .toString(16)}`,
      )
    const differs = special(ours).filter((line, index) => line !== special(truth)[index])
    assert.deepEqual(differs, [
      `35 ${viewOf(ours)
        .getBigUint64(0x28 + 8 * 35, true)
        .toString(16)}`,
    ])
  })

  test('C100 C102 C103 C106 C109 the head of /proc/vmcore', async () => {
    await using given = bench.given('vmcore')
    const lpar = await lparOf(given, { memoryBytes: 2 ** 30 })
    await lpar.crash()
    assert.equal(await lpar.vmcoreSize(), 738_263_040)
    const truth = truthBytes('vmcore-head.bin').subarray(0, 64 + 3 * 56)
    // The note's length is that of VMCOREINFO, which names the symbols of its kernel.
    const notes = [64 + 0x20, 64 + 0x30] as const
    const ours = apartFrom(await lpar.vmcore(0, truth.byteLength), truth, [notes])
    assert.equal(toHex(ours), toHex(truth))
    assert.ok((await lpar.vmcore(truth.byteLength, 1024)).every((byte) => byte === 0))
  })
})

suite('the lines of Linux 7.2', () => {
  const bench = truthBench()

  test('C081 C086 of the first boot, of the capture boot, of the release', async () => {
    await using given = bench.given('lines')
    const lpar = await lparOf(given, { dumpService: false })
    assert.deepEqual(await fadumpLines(lpar), [
      'fadump: Reserved 320MB of memory at 0x00000014000000 (System RAM: 2048MB)',
      'fadump: Initialized [0x14000000, 320MB] cma area from [0x14000000, 320MB] bytes of memory reserved for firmware-assisted dump',
      'rtas fadump: Registration is successful!',
    ])
    await lpar.crash()
    const active = [
      'rtas fadump: Firmware-assisted dump is active.',
      'fadump: Updated cmdline: console=hvc0 fadump=on ',
      'fadump: Firmware-assisted dump is active.',
      'fadump: Reserving 1728MB of memory at 0x00000014000000 for preserving crash data',
    ]
    assert.deepEqual(await fadumpLines(lpar), active)
    await lpar.write('kernel/fadump/release_mem', '1')
    assert.deepEqual(await fadumpLines(lpar), [
      ...active,
      'fadump: freeing reserved memory (0x28010000 - 0x80000000)',
    ])
  })
})
