/** Capture boots against what Linux 7.2.12 counted under QEMU 11.1 (serial logs of capture boots, pseries, POWER9). */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { GiB } from '@fadump-lab/shared/units'
import { startKernel } from '../testing/started-kernel.ts'
import { addImage } from '../testing/synthetic-image.ts'

/** MemTotal of /proc/meminfo, kB. */
const measured = [
  { memory: 2n * GiB, cpus: 2, asked: 'crashkernel=320M', pageSize: 65_536, memTotal: 286_720 },
  { memory: 4n * GiB, cpus: 4, asked: 'crashkernel=512M', pageSize: 65_536, memTotal: 480_640 },
  // A quarter of 1 GiB is less than 320 MiB: that much is reserved when nothing is asked.
  { memory: 1n * GiB, cpus: 2, asked: 'nothing', pageSize: 4096, memTotal: 265_892 },
  { memory: 2n * GiB, cpus: 4, asked: 'crashkernel=512M', pageSize: 4096, memTotal: 445_164 },
] as const

suite('MemTotal of a capture kernel in its /proc/meminfo', () => {
  for (const { memory, cpus, asked, pageSize, memTotal } of measured) {
    test(`${asked}, pages of ${pageSize} bytes: within 1 percent of ${memTotal} kB`, async () => {
      await using kernel = await startKernel()
      const image = pageSize === 4096 ? { image: 'measured' } : {}
      if (pageSize === 4096) {
        await addImage(kernel, {
          id: 'measured',
          memoryBytes: memory,
          pageSize,
          byteOrder: 'little',
          cpus,
          crashingCpu: 0,
          pages: [0n, 1n, 0x10n],
        })
      }
      const bootArguments = asked === 'nothing' ? 'fadump=on' : `fadump=on ${asked}`
      await kernel.boot({
        id: 'm1',
        memoryBytes: Number(memory),
        processors: cpus,
        profile: 'modern',
        bootArguments,
        ...image,
      })
      await kernel.crash()
      const text = await kernel.client.readProc({ params: { partition: 'm1', file: 'meminfo' } })
      const [, total = '0'] = /^MemTotal: +(\d+) kB$/m.exec(text) ?? []
      assert.ok(Math.abs(Number(total) / memTotal - 1) < 0.01, total)
    })
  }
})
