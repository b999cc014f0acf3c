import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { KernelProfileName } from '@fadump-lab/shared/contracts'
import type { DumpMemoryStructure } from '@fadump-lab/shared/fadump'
import {
  equalBytes,
  fromHex,
  GiB,
  MiB,
  realAddress,
  toAscii,
  toHex,
} from '@fadump-lab/shared/units'
import { rejectsWith } from '../testing/errno.ts'
import { startKernel, type StartedKernel } from '../testing/started-kernel.ts'
import { VmcoreFile } from '../testing/vmcore-file.ts'

const small = {
  id: 'p7',
  memoryBytes: Number(2n * GiB),
  processors: 4,
  content: { seed: 9, populatedBytes: 0x9_0000 },
}

async function captured(
  profile: KernelProfileName,
  more: Readonly<Record<string, unknown>> = {},
): Promise<StartedKernel> {
  const kernel = await startKernel()
  await kernel.boot({ ...small, profile, ...more })
  await kernel.crash()
  return kernel
}

const kmsg = { params: { partition: 'p7', file: 'kmsg' } }

suite('the vmcore of v5', () => {
  test('C100 C105 the ELF header and the notes are those of a big-endian ppc64 core', async () => {
    await using kernel = await captured('v5')
    const vmcore = await VmcoreFile.read(kernel)
    assert.equal(
      toHex(vmcore.bytes(0n, 64)),
      '7f454c46020201000000000000000000' +
        '0004001500000001' +
        '0000000000000000' +
        '0000000000000040' +
        '0000000000000000' +
        '00000000' +
        '0040003800030000' +
        '00000000',
    )
    const [note] = vmcore.programHeaders
    assert.deepEqual([note?.offset, note?.align], [232n, 0n])
    assert.deepEqual(
      vmcore.notes
        .map(({ name, type, offset, descriptor }) => [name, type, offset, descriptor.byteLength])
        .slice(0, 4),
      [0, 524, 1048, 1572].map((offset) => ['CORE', 1, offset, 504]),
    )
    assert.ok(vmcore.cpus.every(({ pid }) => pid === 0))
  })

  test('C101 C102 C106 its size is that of headers, notes and loads, back to back', async () => {
    await using kernel = await captured('v5')
    const vmcore = await VmcoreFile.read(kernel)
    const notes = Number(vmcore.programHeaders[0]?.fileSize)
    const [first, second] = vmcore.loads
    assert.equal(first?.offset, BigInt(232 + notes))
    assert.equal(second?.offset, BigInt(232 + notes) + 0x1400_0000n)
    const size = BigInt(232 + notes) + 0x1400_0000n + 0x57ff_0000n
    const manifest = await kernel.client.readVmcoreManifest({ params: { partition: 'p7' } })
    const [head] = toAscii(await collect(manifest.body)).split('\n')
    assert.equal(head, `{"format":"vmcore-manifest-1","size":${size}}`)
  })

  test('prstatusPids distinct numbers the notes for debuggers that need it', async () => {
    await using kernel = await captured('v5', { prstatusPids: 'distinct', offlineCpus: [1] })
    const pids = (await VmcoreFile.read(kernel)).cpus.map(({ pid }) => pid)
    assert.deepEqual(pids, [1, 3, 4])
  })

  test('C107 an ELF header that is not sane makes no vmcore; the memory is given back', async () => {
    await using kernel = await startKernel()
    await kernel.boot(small)
    // The ELF core header lies behind the crash info header, at 0x7fff9020 + 504.
    const write = { address: realAddress(0x7fff_9218n), bytes: fromHex('7f454c47') }
    await kernel.store.write(kernel.firmware.space, write, kernel.firmware.epoch)
    await kernel.crash()
    await kernel.until('running')
    assert.equal(kernel.captures.length, 0)
    await rejectsWith('ENOENT', VmcoreFile.read(kernel))
    assert.match(kernel.firmware.partition.lastFailure ?? '', /Core image elf header is not sane/)
    assert.equal(await kernel.read('kernel/fadump_registered'), '1\n')
  })

  test('C104 memory that was added after the registration is missing', async () => {
    await using kernel = await startKernel()
    await kernel.boot(small)
    kernel.firmware.memoryAdded = 256n * MiB
    await kernel.crash()
    const last = (await VmcoreFile.read(kernel)).loads.at(-1)
    assert.equal((last?.physicalAddress ?? 0n) + (last?.memorySize ?? 0n), 0x6bff_0000n)
  })
})

suite('the vmcore of modern', () => {
  test('C100 C109 whole pages, sub-page start of the second load, e_flags 2', async () => {
    await using kernel = await captured('modern')
    const vmcore = await VmcoreFile.read(kernel)
    assert.equal(vmcore.flags, 2)
    // truth README §6: offsets of a 2 GiB partition, the second with 0x2a8 of the page in front.
    assert.deepEqual(
      vmcore.programHeaders
        .map(({ offset, physicalAddress, memorySize, align }) => [
          offset,
          physicalAddress,
          memorySize,
          align,
        ])
        .slice(1),
      [
        [0x2_0000n, 0n, 0x1400_0000n, 0n],
        [0x1402_02a8n, 0x2801_02a8n, 0x57fe_fd58n, 0n],
      ],
    )
    assert.deepEqual(
      [vmcore.programHeaders[0]?.offset, vmcore.programHeaders[0]?.align],
      [0x1_0000n, 4n],
    )
  })
})

for (const profile of ['v5', 'modern'] as const) {
  suite(`memory in the vmcore of ${profile}`, () => {
    test('C106 every page of content and of the kernel is that of the crashed kernel', async () => {
      await using kernel = await startKernel()
      await kernel.boot({ ...small, profile })
      const before = await pagesOf(kernel, belowReserved)
      await kernel.crash()
      const vmcore = await VmcoreFile.read(kernel)
      const changed = [...before].filter(
        ([address, bytes]) => !equalBytes(vmcore.memory(address, 65_536), bytes),
      )
      // The kernel itself writes while it crashes: message of os-term, VMCOREINFO, log.
      const isOwn = (address: bigint) =>
        address === 0x8_0000n ||
        address === 0xa_0000n ||
        (address >= 0xc_0000n && address < 0x1f_0000n)
      assert.deepEqual(
        changed.map(([address]) => address).filter((address) => !isOwn(address)),
        [],
      )
      assert.ok(before.size >= 9)
    })

    test('C085 the capture kernel writes nothing above boot memory but the ELF core header of v5', async () => {
      await using kernel = await startKernel()
      await kernel.boot({ ...small, profile })
      let before = new Map<bigint, Uint8Array>()
      kernel.firmware.beforeCapture = async () => {
        before = await pagesOf(kernel, [[0x1400_0000n, 0x8000_0000n]])
      }
      await kernel.crash()
      const after = await pagesOf(kernel, [[0x1400_0000n, 0x8000_0000n]])
      const changed = [...after].filter(
        ([address, bytes]) => !equalBytes(before.get(address) ?? new Uint8Array(65_536), bytes),
      )
      assert.deepEqual(
        changed.map(([address]) => address),
        profile === 'v5' ? [0x7fff_0000n] : [],
      )
      assert.ok(before.size > 10)
    })

    test('C084 boot memory is that of the dump, whatever the boot arguments say now', async () => {
      await using kernel = await startKernel()
      await kernel.boot({ ...small, profile })
      kernel.firmware.changeBootArguments('fadump=on fadump_reserve_mem=512M crashkernel=512M')
      await kernel.crash()
      assert.equal((await VmcoreFile.read(kernel)).loads[0]?.memorySize, 0x1400_0000n)
    })
  })
}

type Tamper = (dump: DumpMemoryStructure) => DumpMemoryStructure

const section =
  (index: number, change: Partial<DumpMemoryStructure['sections'][number]>): Tamper =>
  (dump) => ({
    ...dump,
    sections: dump.sections.map((row, at) => (at === index ? { ...row, ...change } : row)),
  })
const status =
  (dumpStatusFlag: number): Tamper =>
  (dump) => ({ ...dump, header: { ...dump.header, dumpStatusFlag } })

suite('dumps that are not good', () => {
  const rows: readonly (readonly [string, KernelProfileName, Tamper, string | undefined])[] = [
    [
      'C110 CPU state failed',
      'v5',
      section(0, { errorFlags: 0x1000 }),
      'Dump taken by platform is not valid',
    ],
    [
      'C110 boot memory failed',
      'v5',
      section(2, { errorFlags: 0x4000 }),
      'Dump taken by platform is not valid',
    ],
    [
      'C110 boot memory is short',
      'v5',
      section(2, { bytesDumped: 1n }),
      'Dump taken by platform is incomplete',
    ],
    [
      'C110 CPU state is missing',
      'v5',
      section(0, { bytesDumped: 0n }),
      'Dump taken by platform is incomplete',
    ],
    ['C111 HPTE failed', 'v5', section(1, { errorFlags: 0x1000 }), undefined],
    [
      'C111 HPTE failed',
      'modern',
      section(1, { errorFlags: 0x1000 }),
      'rtas fadump: Dump taken by platform is not valid',
    ],
    [
      'C112 CPU state is short',
      'modern',
      section(0, { bytesDumped: 0x8000n }),
      'rtas fadump: Dump taken by platform is incomplete',
    ],
    [
      'C113 the status is an error alone',
      'v5',
      status(0x2000),
      'Dump taken by platform is not valid',
    ],
    ['C113 the status is an error among others', 'v5', status(0xe000), undefined],
    ['C114 the parameter area failed', 'modern', section(3, { errorFlags: 0x1000 }), undefined],
  ]
  for (const [what, profile, tamper, refusal] of rows) {
    const outcome =
      refusal === undefined ? 'accepted' : 'rejected, invalidated, and the kernel goes on'
    test(`${what} (${profile}): ${outcome}`, async () => {
      await using kernel = await startKernel()
      kernel.firmware.tamper = tamper
      await kernel.boot({ ...small, profile })
      await kernel.crash()
      if (refusal === undefined) {
        await kernel.until('capturing')
        assert.equal((await VmcoreFile.read(kernel)).cpus.length, 4)
        return
      }
      await kernel.until('running')
      assert.ok((await kernel.client.readProc(kmsg)).includes(refusal))
      assert.ok(kernel.firmware.calls.some(({ args }) => args[0] === 3))
      await rejectsWith('ENOENT', kernel.write('kernel/fadump_release_mem', '1'))
      assert.equal(await kernel.read('kernel/fadump_registered'), '1\n')
    })
  }

  const headers: readonly (readonly [string, KernelProfileName, string, string])[] = [
    ['C096 another magic', 'v5', '4641444d50534947', 'Crash info header is not valid.'],
    [
      'C095 the old magic',
      'modern',
      '464e49504d444146',
      "Old magic number, can't process the dump.",
    ],
    [
      'C095 the magic of the other byte order',
      'modern',
      '4641444d50534947',
      'Endianness mismatch between the crashed and fadump kernels.',
    ],
    ['C095 no magic', 'modern', '0000000000000000', 'Fadump header is corrupted.'],
  ]
  for (const [what, profile, magic, refusal] of headers) {
    test(`${what} in the crash info header (${profile}) is refused in its own words`, async () => {
      await using kernel = await startKernel()
      await kernel.boot({ ...small, profile })
      const address = realAddress(profile === 'v5' ? 0x7fff_9020n : 0x2801_0000n)
      kernel.firmware.beforeCapture = async (store, space, epoch) =>
        store.write(space, { address, bytes: fromHex(magic) }, epoch)
      await kernel.crash()
      await kernel.until('running')
      assert.ok((await kernel.client.readProc(kmsg)).includes(refusal))
      assert.equal(kernel.captures.length, 0)
    })
  }

  test('C050 a register save area without its magic is refused', async () => {
    await using kernel = await startKernel()
    await kernel.boot(small)
    kernel.firmware.beforeCapture = async (store, space, epoch) =>
      store.write(space, { address: realAddress(0x6bff_0000n), bytes: fromHex('00') }, epoch)
    await kernel.crash()
    await kernel.until('running')
    assert.match(await kernel.client.readProc(kmsg), /Unable to read register save area\./)
  })
})

suite('memory of the capture kernel', () => {
  test('C151 with 256 MiB the network capture of 2011 dies when the link goes up, and says what to do', async () => {
    await using kernel = await startKernel()
    const bootArguments = 'fadump=on fadump_reserve_mem=256M'
    await kernel.boot({ ...small, memoryBytes: Number(4n * GiB), processors: 8, bootArguments })
    await kernel.crash()
    await kernel.until('error')
    assert.match(
      kernel.firmware.partition.lastFailure ?? '',
      /^Out of memory in phase "link up": 260 MiB needed, 256 MiB of boot memory.*killed: dhclient; largest: receive rings \(ehea, 8 queues\) 112 MiB.*Short by 6 MiB\. Use ehea\.use_mcs=0, or raise boot memory to at least 262 MiB \(fadump_reserve_mem=262M\)\.$/,
    )
    // The dump is not lost: it is still pending, and its bytes are where they were.
    assert.notEqual(kernel.firmware.dump, undefined)
  })

  test('C151 with 256 MiB a local capture passes', async () => {
    await using kernel = await startKernel()
    const bootArguments = 'fadump=on fadump_reserve_mem=256M'
    await kernel.boot({ ...small, bootArguments, captureTarget: 'local' })
    await kernel.crash()
    await kernel.until('capturing')
    const meminfo = await kernel.client.readProc({ params: { partition: 'p7', file: 'meminfo' } })
    // 256 MiB less kernel image, memory map, hash tables and per-CPU areas.
    assert.match(meminfo, /^MemTotal: {9}230528 kB\nMemFree: +\d+ kB\nBuffers: {15}0 kB\n/)
  })
})

async function collect(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: number[] = []
  for await (const chunk of body) parts.push(...chunk)
  return Uint8Array.from(parts)
}

type Span = readonly [start: bigint, end: bigint]

/** Memory outside the reserved areas of both profiles. */
const belowReserved: readonly Span[] = [
  [0n, 0x1400_0000n],
  [0x2802_0000n, 0x6bff_0000n],
]

/** The populated pages of `spans`. */
async function pagesOf(
  kernel: StartedKernel,
  spans: readonly Span[],
): Promise<Map<bigint, Uint8Array>> {
  const pages = new Map<bigint, Uint8Array>()
  const { store, firmware } = kernel
  for (const [start, end] of spans) {
    const range = { start: realAddress(start), end: realAddress(end) }
    const { ranges } = await store.populated(firmware.space, range, 1000)
    for (const found of ranges) {
      for (let at: bigint = found.start; at < found.end; at += 65_536n) {
        pages.set(at, await kernel.memory(at, 65_536))
      }
    }
  }
  return pages
}
