/** The files of Linux 7.2 under QEMU, before the crash, in the capture kernel, and after the release (truth §3). */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Lpar } from '../support/lpar.ts'
import { lparOf, truthBench } from './bench.ts'

type Column = 'first' | 'capture' | 'released'

interface Row extends Readonly<Record<Column, string>> {
  readonly path: string
}

const same = (path: string, text: string): Row => ({
  path,
  first: text,
  capture: text,
  released: text,
})

/** `EACCES`, `ENOENT`: what reading answers. */
const files: readonly Row[] = [
  same('kernel/fadump/enabled', '1\n'),
  same('kernel/fadump_enabled', '1\n'),
  { path: 'kernel/fadump/registered', first: '1\n', capture: '0\n', released: '0\n' },
  { path: 'kernel/fadump_registered', first: '1\n', capture: '0\n', released: '0\n' },
  same('kernel/fadump/mem_reserved', '335610536\n'),
  same('kernel/fadump/hotplug_ready', '1\n'),
  same('kernel/fadump/bootargs_append', '\n'),
  { path: 'kernel/fadump/release_mem', first: 'ENOENT', capture: 'EACCES', released: 'EACCES' },
  { path: 'kernel/fadump_release_mem', first: 'ENOENT', capture: 'EACCES', released: 'EACCES' },
]

const region = (cpuState: string, realMode: string) =>
  `CPU :[0x00000014000000-0x000000140009ff] 0xa00 bytes, Dumped: ${cpuState}
HPTE:[0x00000014000a00-0x000000140009ff] 0x0 bytes, Dumped: 0x0
DUMP: Src: 0x00000000000000, Dest: 0x00000014010000, Size: 0x14000000, Dumped: ${realMode} bytes

[0x0000007ffff800-0x0000007fffffff]: cmdline append: ''
`
const idleRegion = region('0x0', '0x0')

const regions: Readonly<Record<Column, string>> = {
  first: idleRegion,
  capture: `${region('0xa00', '0x14000000')}
Memory above 0x00000014000000 is reserved for saving crash dump
`,
  released: idleRegion,
}

async function check(lpar: Lpar, column: Column): Promise<void> {
  for (const row of files) assert.equal(await lpar.readOrErrno(row.path), row[column], row.path)
  const text = await lpar.read('kernel/debug/powerpc/fadump_region')
  assert.equal(text, regions[column])
  const size = await lpar.vmcoreSize()
  assert.equal(size, column === 'capture' ? 1_812_004_864 : 'ENOENT')
}

suite('the files of Linux 7.2 under QEMU', () => {
  const bench = truthBench()

  test('C134 C136 in the first kernel, in the capture kernel, after the release', async () => {
    await using given = bench.given('files')
    const lpar = await lparOf(given, { dumpService: false })
    await check(lpar, 'first')
    await lpar.crash()
    await check(lpar, 'capture')
    await lpar.write('kernel/fadump/release_mem', '1')
    await check(lpar, 'released')
    // What firmware has said stays in the device tree that the kernel has unpacked; firmware itself has forgotten it.
    assert.equal(await lpar.wrote('kernel/fadump/registered', '1'), 'ok')
    assert.equal(await lpar.read('kernel/fadump/registered'), '1\n')
  })

  for (const bootArguments of ['fadump=off', 'console=hvc0', 'fadump=banana']) {
    test(`C136 supported, but off: ${bootArguments}`, async () => {
      await using given = bench.given('off')
      const lpar = await lparOf(given, { bootArguments })
      for (const [name, text] of [
        ['enabled', '0\n'],
        ['registered', '0\n'],
        ['mem_reserved', '0\n'],
        ['hotplug_ready', '1\n'],
        ['bootargs_append', 'ENOENT'],
      ] as const) {
        assert.equal(await lpar.readOrErrno(`kernel/fadump/${name}`), text, name)
      }
      assert.equal(await lpar.read('kernel/debug/powerpc/fadump_region'), '')
      assert.equal(await lpar.wrote('kernel/fadump/registered', '1'), 'EPERM')
    })
  }

  test('writing 1 to registered again: unregister and register, without a word to the writer', async () => {
    await using given = bench.given('again')
    const lpar = await lparOf(given)
    assert.equal(await lpar.wrote('kernel/fadump/registered', '1\n'), 'ok')
    assert.deepEqual(
      lpar.calls().map(({ args: [command], status }) => [command, status]),
      [
        [1, 0],
        [2, 0],
        [1, 0],
      ],
    )
    const line = 'rtas fadump: Registration is successful!'
    const said = (await lpar.log()).filter((text) => text === line)
    assert.equal(said.length, 2)
  })
})
