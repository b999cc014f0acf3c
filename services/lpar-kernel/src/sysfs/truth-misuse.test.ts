/** What a real Linux 7.2 answered to right and wrong writes, in its first kernel and in its capture kernel. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { GiB } from '@fadump-lab/shared/units'
import type { Errno } from '../kernel/errno.ts'
import { rejectsWith } from '../testing/errno.ts'
import { startKernel, type StartedKernel } from '../testing/started-kernel.ts'

type Answer = Errno | 'ok'
const long = 'x'.repeat(2048)
const numbers = ['2', '-1', 'garbage', '\n', '99999999999', '1x']

/** File, text, answer of the first kernel, of the capture kernel. In this order: each leaves its state to the next. */
const table: readonly (readonly [string, string, Answer, Answer])[] = [
  ['registered', '1\n', 'ok', 'EPERM'],
  ['registered', '0\n', 'ok', 'EPERM'],
  ['registered', '0\n', 'ok', 'EPERM'],
  ['registered', '0x0\n', 'ok', 'EPERM'],
  ['registered', '1\n', 'ok', 'EPERM'],
  ...numbers.map((text) => ['registered', text, 'EINVAL', 'EPERM'] as const),
  ['enabled', '1\n', 'EACCES', 'EACCES'],
  ['mem_reserved', '1\n', 'EACCES', 'EACCES'],
  ['hotplug_ready', '1\n', 'EACCES', 'EACCES'],
  ['bootargs_append', long, 'EINVAL', 'EPERM'],
  ['bootargs_append', 'nr_cpus=1\n', 'ok', 'EPERM'],
  ['release_mem', '0\n', 'ENOENT', 'EINVAL'],
  ['release_mem', '2\n', 'ENOENT', 'EINVAL'],
  ['release_mem', 'x\n', 'ENOENT', 'EINVAL'],
  ['release_mem', '\n', 'ENOENT', 'EINVAL'],
  ['release_mem', '1\n', 'ENOENT', 'ok'],
  ['release_mem', '1\n', 'ENOENT', 'EPERM'],
]

async function booted(more: Readonly<Record<string, unknown>> = {}): Promise<StartedKernel> {
  const kernel = await startKernel()
  await kernel.boot({
    id: 'p7',
    profile: 'modern',
    memoryBytes: Number(2n * GiB),
    processors: 2,
    content: { seed: 1, populatedBytes: 0x3_0000 },
    dumpService: false,
    ...more,
  })
  return kernel
}

async function play(kernel: StartedKernel, column: 2 | 3): Promise<void> {
  for (const row of table) {
    const [name, text] = row
    const answer = row[column]
    const write = kernel.write(`kernel/fadump/${name}`, text)
    if (answer === 'ok') await write
    else await rejectsWith(answer, write)
  }
}

const state = async (kernel: StartedKernel) =>
  Promise.all(
    ['enabled', 'registered', 'mem_reserved', 'hotplug_ready'].map(async (name) =>
      (await kernel.read(`kernel/fadump/${name}`)).trim(),
    ),
  )

suite('the files of Linux 7.2', () => {
  test('C131 the first kernel answers every row', async () => {
    await using kernel = await booted()
    await play(kernel, 2)
    assert.deepEqual(await state(kernel), ['1', '1', '335610536', '1'])
  })

  test('C131 C117 the capture kernel answers every row, and is not registered afterwards', async () => {
    await using kernel = await booted()
    await kernel.crash()
    assert.deepEqual(await state(kernel), ['1', '0', '335610536', '1'])
    await rejectsWith('EACCES', kernel.read('kernel/fadump/release_mem'))
    await play(kernel, 3)
    assert.deepEqual(await state(kernel), ['1', '0', '335610536', '1'])
    await kernel.write('kernel/fadump/registered', '1')
    assert.deepEqual(await state(kernel), ['1', '1', '335610536', '1'])
  })

  for (const words of ['fadump=off', 'console=hvc0', 'fadump=banana']) {
    test(`C136 with ${words} the directory is there and everything is 0`, async () => {
      await using kernel = await booted({ bootArguments: words })
      assert.deepEqual(await state(kernel), ['0', '0', '0', '1'])
      await rejectsWith('ENOENT', kernel.read('kernel/fadump/bootargs_append'))
      assert.equal(await kernel.read('kernel/debug/powerpc/fadump_region'), '')
      await rejectsWith('EPERM', kernel.write('kernel/fadump/registered', '1'))
    })
  }
})

suite('a second crash in the kernel that released a dump', () => {
  const secondCrash = async (kernel: StartedKernel) => {
    await kernel.crash()
    await kernel.write('kernel/fadump/release_mem', '1')
    await kernel.write('kernel/fadump/registered', '1')
    await kernel.crash()
    return kernel.client.readProc({ params: { partition: 'p7', file: 'kmsg' } })
  }

  test('gives a dump', async () => {
    await using kernel = await booted()
    await secondCrash(kernel)
    assert.equal(kernel.firmware.partition.state, 'capturing')
    assert.equal(kernel.captures.length, 2)
  })

  test('finds its header corrupted when the kernel has the defect release-frees-header', async () => {
    await using kernel = await booted({ kernelDefects: ['release-frees-header'] })
    assert.match(await secondCrash(kernel), /fadump: Fadump header is corrupted\./)
    assert.equal(kernel.firmware.partition.state, 'running')
    assert.equal(kernel.captures.length, 1)
    assert.equal(await kernel.read('kernel/fadump/registered'), '0\n')
  })

  test('shows foreign bytes in bootargs_append after such a release', async () => {
    await using kernel = await booted({ kernelDefects: ['release-frees-header'] })
    await kernel.crash()
    await kernel.write('kernel/fadump/release_mem', '1')
    assert.equal(await kernel.read('kernel/fadump/bootargs_append'), '-\n')
  })
})
