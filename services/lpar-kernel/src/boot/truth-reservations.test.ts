/**
 * The reservation table of a real Linux 7.2 with 64 KiB pages under QEMU (0xa00 bytes of CPU state
 * for two CPUs), each row through a boot, with the kernel's own lines.
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { GiB, MiB } from '@fadump-lab/shared/units'
import { startKernel } from '../testing/started-kernel.ts'

interface Row {
  readonly memory: bigint
  readonly options?: string
  readonly lines: readonly string[]
  /** `mem_reserved`. */
  readonly reserved: number
}

const reserved = (size: number, at: string, memory: number) =>
  `fadump: Reserved ${size}MB of memory at 0x${at} (System RAM: ${memory}MB)`
const tooSmall = (size: string) =>
  `fadump: Can't enable fadump with boot memory size (${size}) less than 0x14000000`
const kdump = (end: string, size: number) =>
  `crashkernel reserved: 0x0000000020000000 - 0x${end.padEnd(8, '0').padStart(16, '0')} (${size} MB)`
const deprecated =
  "fadump: 'fadump_reserve_mem=' parameter is deprecated in favor of 'crashkernel=' parameter."

const byDefault: readonly (readonly [bigint, number, string, number])[] = [
  [768n * MiB, 320, '00000014000000', 335_610_536],
  [GiB, 320, '00000014000000', 335_610_536],
  [2n * GiB, 320, '00000014000000', 335_610_536],
  [4n * GiB, 320, '00000014000000', 335_610_536],
  [8n * GiB, 320, '00000014000000', 335_610_536],
  [16n * GiB, 768, '00000030000000', 805_372_584],
  [24n * GiB, 1024, '00000040000000', 1_073_808_040],
  [32n * GiB, 1536, '00000060000000', 1_610_678_952],
  [64n * GiB, 3072, '000000c0000000', 3_221_291_688],
  [128n * GiB, 6400, '00000190000000', 6_710_952_616],
]

const rows: readonly Row[] = [
  {
    memory: 512n * MiB,
    lines: ['fadump: Failed to find memory chunk for reservation!'],
    reserved: 0,
  },
  ...byDefault.map(([memory, size, at, bytes]) => ({
    memory,
    lines: [reserved(size, at, Number(memory / MiB))],
    reserved: bytes,
  })),
  ...[2n, 4n, 8n].map((memory) => ({
    memory: memory * GiB,
    options: 'crashkernel=512M',
    lines: [reserved(512, '00000020000000', Number(memory) * 1024)],
    reserved: 536_937_128,
  })),
  {
    memory: GiB,
    options: 'crashkernel=512M',
    lines: ['fadump: Adjusted boot memory size to 256MB', tooSmall('0x10000000'), kdump('40', 512)],
    reserved: 0,
  },
  {
    memory: 2n * GiB,
    options: 'crashkernel=256M',
    lines: [tooSmall('0x10000000'), kdump('30', 256)],
    reserved: 0,
  },
  {
    memory: 2n * GiB,
    options: 'crashkernel=319M',
    lines: [tooSmall('0x13f00000'), kdump('33f', 319)],
    reserved: 0,
  },
  {
    memory: 4n * GiB,
    options: 'fadump=off crashkernel=512M',
    lines: [kdump('40', 512)],
    reserved: 0,
  },
  {
    memory: 2n * GiB,
    options: 'crashkernel=320M',
    lines: [reserved(320, '00000014000000', 2048)],
    reserved: 335_610_536,
  },
  {
    memory: 2n * GiB,
    options: 'crashkernel=1G',
    lines: ['fadump: Adjusted boot memory size to 512MB', reserved(512, '00000020000000', 2048)],
    reserved: 536_937_128,
  },
  {
    memory: 4n * GiB,
    options: 'crashkernel=2G-4G:384M,4G-16G:512M,16G-64G:1G',
    lines: [reserved(512, '00000020000000', 4096)],
    reserved: 536_937_128,
  },
  {
    memory: 8n * GiB,
    options: 'fadump_reserve_mem=700M',
    lines: [deprecated, reserved(700, '0000002bc00000', 8192)],
    reserved: 734_069_416,
  },
  {
    memory: 4n * GiB,
    options: 'mem=3G',
    lines: [reserved(320, '00000014000000', 4096)],
    reserved: 335_610_536,
  },
]

suite('what Linux 7.2 reserves', () => {
  for (const { memory, options, lines, reserved: bytes } of rows) {
    test(`C082 ${memory / MiB} MiB ${options ?? 'by default'}: ${lines.at(-1)}`, async () => {
      await using kernel = await startKernel()
      const bootArguments = ['fadump=on', ...(options === undefined ? [] : [options])].join(' ')
      await kernel.boot(
        { id: 'p7', profile: 'modern', memoryBytes: Number(memory), processors: 2, bootArguments },
        { cpuStateSize: 0xa00n },
      )
      const log = await kernel.client.readProc({ params: { partition: 'p7', file: 'kmsg' } })
      const said = log
        .split('\n')
        .map((line) => line.replace(/^<\d>\[ *[\d.]+\] /, ''))
        .filter((line) => /^(fadump|crashkernel)/.test(line) && !/Initialized|WARNING/.test(line))
      assert.deepEqual(said, lines)
      assert.equal(await kernel.read('kernel/fadump/mem_reserved'), `${bytes}\n`)
      assert.equal(await kernel.read('kernel/fadump/enabled'), `${bytes === 0 ? 0 : 1}\n`)
    })
  }
})
