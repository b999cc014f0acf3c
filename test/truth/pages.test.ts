/**
 * The same kernel with 4 KiB pages and with 64 KiB pages (truth §11). A kernel with 4 KiB pages comes from an image; the
 * numbers are those of a VMCOREINFO as long as the observed one.
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { vmcoreHeaders } from '../conformance/core.ts'
import { resultsOf } from '../conformance/structures.ts'
import type { Given } from '../conformance/given.ts'
import type { Lpar } from '../support/lpar.ts'
import { memoryImage, noiseAt } from '../support/memory-image.ts'
import { lparOf, truthBench } from './bench.ts'

interface Observed {
  readonly pageSize: 4096 | 65_536
  readonly cpus: 2 | 4
  readonly memoryBytes: number
  readonly options: string
  readonly vmcoreinfoBytes: number
  readonly reserved: string
  /** Where boot memory is copied to. */
  readonly destination: bigint
}

const small = { cpus: 2, memoryBytes: 2 ** 30, options: '' } as const
const large = { cpus: 4, memoryBytes: 2 ** 32, options: ' crashkernel=512M' } as const
const pages4 = { pageSize: 4096, vmcoreinfoBytes: 3461 } as const
const pages64 = { pageSize: 65_536, vmcoreinfoBytes: 3460 } as const

const rows: readonly Observed[] = [
  { ...pages64, ...small, reserved: '335610536\n', destination: 0x1401_0000n },
  { ...pages64, ...large, reserved: '536937128\n', destination: 0x2001_0000n },
  { ...pages4, ...small, reserved: '335549096\n', destination: 0x1400_1000n },
  { ...pages4, ...large, reserved: '536879784\n', destination: 0x2000_2000n },
]

async function booted(given: Given, row: Observed, image: string): Promise<Lpar> {
  const { pageSize, cpus, memoryBytes, vmcoreinfoBytes } = row
  const { file } = memoryImage({
    order: 'little',
    pageSize,
    cpus,
    crashingCpu: 1,
    vmcoreinfoBytes,
    vmcoreinfoAt: 0x60_0000n,
    loads: [
      { physical: 0n, bytes: noiseAt(0n, 0x1_0000) },
      { physical: 0x60_0000n, bytes: noiseAt(0x60_0000n, 0x1_0000) },
    ],
  })
  await given.bench.hypervisor.createImage({ query: { id: image }, body: file })
  return lparOf(given, {
    image,
    memoryBytes,
    processors: cpus,
    bootArguments: `console=hvc0 fadump=on${row.options}`,
    dumpService: false,
  })
}

suite('pages of 4 KiB and of 64 KiB', () => {
  const bench = truthBench()

  for (const row of rows) {
    test(`C081 C036 ${row.pageSize}-byte pages, ${row.cpus} CPUs: ${row.reserved.trim()} bytes are reserved`, async () => {
      const name = `pages-${row.pageSize}-${row.cpus}`
      await using given = bench.given(name)
      const lpar = await booted(given, row, name)
      assert.equal(await lpar.read('kernel/fadump/mem_reserved'), row.reserved)
      const [, address = 0, length = 0] = lpar.calls()[0]?.args ?? []
      const { sections } = resultsOf(await lpar.hex(address, length))
      assert.equal(sections[2]?.destination, row.destination)
    })
  }

  for (const { what, size, headers, freed, row } of [
    {
      what: '64 KiB',
      row: rows[0],
      size: 738_263_040,
      headers: [
        [0x1_0000n, 0n, 0x11b4n],
        [0x2_0000n, 0n, 0x1400_0000n],
        [0x1402_02a8n, 0x2801_02a8n, 0x17fe_fd58n],
      ],
      freed: '0x28010000 - 0x40000000',
    },
    {
      what: '4 KiB',
      row: rows[2],
      size: 738_205_696,
      headers: [
        [0x1000n, 0n, 0x11b8n],
        [0x3000n, 0n, 0x1400_0000n],
        [0x1400_32a8n, 0x2800_12a8n, 0x17ff_ed58n],
      ],
      freed: '0x28001000 - 0x40000000',
    },
  ]) {
    test(`C103 C106 C109 C115 the vmcore of 1 GiB with pages of ${what}, and what its release frees`, async () => {
      const name = `vmcore-${size}`
      await using given = bench.given(name)
      assert.ok(row !== undefined)
      const lpar = await booted(given, row, name)
      await lpar.crash()
      assert.equal(await lpar.vmcoreSize(), size)
      const found = await vmcoreHeaders(lpar)
      assert.deepEqual(
        found.map(({ offset, paddr, memsz }) => [offset, paddr, memsz]),
        headers,
      )
      await lpar.write('kernel/fadump/release_mem', '1')
      const line = `fadump: freeing reserved memory (${freed})`
      assert.ok((await lpar.log()).includes(line), (await lpar.log()).join('\n'))
    })
  }
})
