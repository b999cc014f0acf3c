/** C070–C087: how much memory a kernel reserves, and where (spec §6). Sizes under PAPR unless a row says otherwise. */
import assert from 'node:assert/strict'
import { concat, fromHex } from '@fadump-lab/shared/units'
import { withProperties, type Lpar, type LparForm } from '../../support/lpar.ts'
import { vmcoreHeaders } from '../core.ts'
import type { Check, Checks, Given } from '../given.ts'

const MiB = 2 ** 20
const GiB = 2 ** 30

interface Region {
  readonly start: bigint
  readonly size: bigint
}

/** Start and size of one line of `fadump_region`. */
async function region(lpar: Lpar, name: 'CPU' | 'HPTE' | 'DUMP'): Promise<Region> {
  const text = await lpar.read('kernel/debug/powerpc/fadump_region')
  const line = text.split('\n').find((row) => row.startsWith(name)) ?? ''
  const [start = '', size = ''] = (
    /\[(0x\w+)-.*\] (0x\w+) bytes/.exec(line) ??
    /Dest: (0x\w+), Size: (0x\w+)/.exec(line) ?? ['', '0x0', '0x0']
  ).slice(1)
  return { start: BigInt(start), size: BigInt(size) }
}

/** Boot memory size of a booted partition. */
async function bootMemoryOf(given: Given, form: LparForm): Promise<bigint> {
  const lpar = await given.lpar({ dumpService: false, ...form })
  return (await region(lpar, 'DUMP')).size
}

const modernLines = async (lpar: Lpar) =>
  (await lpar.log()).filter((line) => line.startsWith('fadump: '))

const reservedAt = (megabytes: number, at: string, ram: number) =>
  `fadump: Reserved ${megabytes}MB of memory at 0x${at} (System RAM: ${ram}MB)`

const documentationExample: Check = async (given) => {
  const lpar = await given.off({ bootArguments: 'fadump=on fadump_reserve_mem=256M' })
  // 32 CPUs of 8 KiB behind 32 bytes, and one page of HPTE, as the example has them.
  const sizes = '00000001 00000000 00040020 00000002 00000000 00001000'
  lpar.wire.deviceTree = (root) =>
    withProperties(root, 'rtas', { 'ibm,configure-kernel-dump-sizes': fromHex(sizes) })
  await lpar.activate()
  assert.deepEqual(await region(lpar, 'CPU'), { start: 0x6ffb_0000n, size: 0x4_0020n })
  assert.deepEqual(await region(lpar, 'HPTE'), { start: 0x6fff_0020n, size: 0x1000n })
  assert.deepEqual(await region(lpar, 'DUMP'), { start: 0x6fff_1020n, size: 0x1000_0000n })
}

const memoryLimit: Check = async (given) => {
  // limit = min(1 GiB + area, 2 GiB), base = limit − area.
  const small = await given.lpar({ bootArguments: 'fadump=on mem=1G' })
  assert.equal((await region(small, 'CPU')).start, 0x4000_0000n)
  const clamped = await given.lpar({ bootArguments: 'fadump=on mem=2000M' })
  assert.equal((await region(clamped, 'CPU')).start, 0x6bff_0000n)
}

const lowestPlace: Check = async (given) => {
  const lpar = await given.lpar()
  assert.deepEqual((await modernLines(lpar))[0], reservedAt(320, '00000014000000', 2048))
  const avoiding = await given.off()
  // Firmware keeps 64 KiB at 0x20000000 for itself: the area goes above it.
  const range = concat([fromHex('0000000020000000'), fromHex('0000000000010000')])
  avoiding.wire.deviceTree = (root) => withProperties(root, '', { 'reserved-ranges': range })
  await avoiding.activate()
  assert.equal((await region(avoiding, 'CPU')).start, 0x2001_0000n)
  const small = await given.lpar({ memoryBytes: 512 * MiB })
  assert.ok(
    (await modernLines(small)).includes('fadump: Failed to find memory chunk for reservation!'),
  )
  assert.equal(await small.read('kernel/fadump/enabled'), '0\n')
}

const noCrashkernel: Check = async (given) => {
  const lpar = await given.lpar({
    bootArguments: 'fadump=on crashkernel=512M',
    memoryBytes: 4 * GiB,
  })
  assert.equal(await lpar.read('kernel/fadump_enabled'), '1\n')
  const log = await lpar.log()
  assert.ok(!log.some((line) => /for crashkernel|crashkernel reserved/.test(line)), log.join('\n'))
}

const sizeOfTheDump: Check = async (given) => {
  const lpar = await given.lpar({ memoryBytes: 4 * GiB })
  const argument = given.byProfile({ v5: 'fadump_reserve_mem=512M', modern: 'crashkernel=512M' })
  const bootargs = new TextEncoder().encode(`fadump=on ${argument}\0`)
  lpar.wire.deviceTree = (root) => withProperties(root, 'chosen', { bootargs })
  await lpar.crash()
  assert.match(await lpar.proc('cmdline'), /512M/)
  assert.equal((await region(lpar, 'DUMP')).size, 0x1400_0000n)
}

const everythingAbove: Check = async (given) => {
  const log = await (await given.captured()).log()
  const line = given.byProfile({
    v5: 'Reserved 1728MB of memory at 320MB for saving crash dump',
    modern: 'fadump: Reserving 1728MB of memory at 0x00000014000000 for preserving crash data',
  })
  assert.ok(log.includes(line), log.join('\n'))
  const [, total = ''] =
    /MemTotal: +(\d+) kB/.exec(await (await given.captured()).proc('meminfo')) ?? []
  assert.ok(Number(total) <= 320 * 1024, `${total} kB`)
}

const contiguousMemory: Check = async (given) => {
  const cma =
    /^fadump: Initialized \[0x14000000, 320MB\] cma area from \[0x14000000, 320MB\] bytes of memory reserved for firmware-assisted dump$/
  const has = async (lpar: Lpar) => (await lpar.log()).some((line) => cma.test(line))
  const content = { seed: 7, populatedBytes: 0x8_0000, movableBytes: 0x4_0000 }
  const lpar = await given.lpar({ content })
  assert.equal(await has(lpar), true)
  const page = await lpar.hex(0x1400_0000, 16)
  assert.notEqual(page, '00'.repeat(16))
  await lpar.crash()
  assert.equal(await has(lpar), false)
  // No PT_LOAD has the area: the pages are not in the dump.
  for (const { type, paddr, memsz } of await vmcoreHeaders(lpar)) {
    const isIn = paddr <= 0x1400_0000n && 0x1400_0000n < paddr + memsz
    assert.ok(type !== 1 || !isIn, `PT_LOAD at 0x${paddr.toString(16)}`)
  }
  assert.equal(await has(await given.lpar({ bootArguments: 'fadump=nocma' })), false)
}

const tooManyRegions: Check = async (given) => {
  const memoryHoles = Array.from({ length: 8 }, (_, index) => ({
    address: `0x${((2 * index + 1) * 16 * MiB).toString(16)}`,
    length: 16 * MiB,
  }))
  const lpar = await given.lpar({ memoryHoles })
  const line = 'fadump: Too many holes in boot memory area to enable fadump'
  assert.ok((await modernLines(lpar)).includes(line))
  assert.equal(await lpar.read('kernel/fadump/enabled'), '0\n')
  const seven = await given.lpar({ memoryHoles: memoryHoles.slice(0, 6) })
  assert.equal(await seven.read('kernel/fadump/enabled'), '1\n')
}

export const reservationChecks: Checks = {
  C070: async (given) => {
    assert.equal(await bootMemoryOf(given, { memoryBytes: 4 * GiB }), 0x1400_0000n)
  },
  C071: async (given) => {
    assert.equal(await bootMemoryOf(given, { memoryBytes: 2 * GiB }), 0x1400_0000n)
  },
  C072: async (given) => {
    assert.equal(await bootMemoryOf(given, { memoryBytes: 1024 * GiB }), 0xc_c000_0000n)
  },
  C073: async (given) => {
    const justBelow = 10 * GiB - 0x1_0000
    assert.equal(await bootMemoryOf(given, { memoryBytes: justBelow }), 0x1400_0000n)
    assert.equal(await bootMemoryOf(given, { memoryBytes: 10 * GiB }), 0x2000_0000n)
  },
  C074: async (given) => {
    const memoryBytes = 4 * GiB
    const of = (rmaBytes: number) => bootMemoryOf(given, { memoryBytes, rmaBytes })
    assert.equal(await of(512 * MiB), given.byProfile({ v5: 0x2400_0000n, modern: 0x1400_0000n }))
    assert.equal(await of(GiB), given.byProfile({ v5: 0x4400_0000n, modern: 0x1400_0000n }))
  },
  C075: async (given) => {
    const lpar = await given.lpar({ bootArguments: 'fadump=on fadump_reserve_mem=319M' })
    if (given.isV5) {
      assert.equal((await region(lpar, 'DUMP')).size, 0x13f0_0000n)
      return
    }
    const line =
      "fadump: Can't enable fadump with boot memory size (0x13f00000) less than 0x14000000"
    assert.ok((await modernLines(lpar)).includes(line))
    assert.equal(await lpar.read('kernel/fadump/enabled'), '0\n')
  },
  C076: documentationExample,
  C077: async (given) => {
    const { start } = await region(await given.registered(), 'CPU')
    // 0x14010000 bytes by spec §6.4, up to the end of 2 GiB.
    assert.equal(start + 0x1401_0000n, 0x8000_0000n)
    assert.equal(start % 0x1_0000n, 0n)
  },
  C078: memoryLimit,
  C079: async (given) => {
    const lpar = await given.lpar({ bootArguments: 'fadump=on crashkernel=1G' })
    const [first, second] = await modernLines(lpar)
    assert.equal(first, 'fadump: Adjusted boot memory size to 512MB')
    assert.equal(second, reservedAt(512, '00000020000000', 2048))
  },
  C080: async (given) => {
    const lpar = await given.lpar({ bootArguments: 'fadump=on crashkernel=512M@1G' })
    assert.equal((await modernLines(lpar))[0], reservedAt(512, '00000020000000', 2048))
  },
  C081: async (given) => {
    const lpar = await given.lpar({
      memoryBytes: 4 * GiB,
      processors: 4,
      bootArguments: 'fadump=on crashkernel=1G',
    })
    assert.equal(await lpar.read('kernel/fadump/mem_reserved'), '1073808040\n')
  },
  C082: lowestPlace,
  C083: noCrashkernel,
  C084: sizeOfTheDump,
  C085: everythingAbove,
  C086: contiguousMemory,
  C087: tooManyRegions,
}
