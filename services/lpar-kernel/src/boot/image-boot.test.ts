import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { equalBytes, GiB, isZero, toHex } from '@fadump-lab/shared/units'
import { rejectsWith } from '../testing/errno.ts'
import { startKernel, type StartedKernel } from '../testing/started-kernel.ts'
import {
  addImage,
  imagePage,
  imageRegisters,
  vmcoreinfoOfImage,
  type SyntheticImage,
} from '../testing/synthetic-image.ts'
import { VmcoreFile } from '../testing/vmcore-file.ts'

const image: SyntheticImage = {
  id: 'strange',
  memoryBytes: 1n * GiB,
  pageSize: 4096,
  byteOrder: 'little',
  cpus: 3,
  crashingCpu: 1,
  // Below 256 MiB the two highest pages are taken; one page above the reserved area.
  pages: [0n, 1n, 0x10n, 0xffen, 0xfffn, 0x3000n, 0x3fffn],
  vmcoreinfoAddress: 0x10_0800n,
}
/** The highest page below 256 MiB that the image leaves free. */
const ownPage = 0xffdn

async function booted(
  given: SyntheticImage,
  more: Readonly<Record<string, unknown>> = {},
): Promise<StartedKernel> {
  const kernel = await startKernel()
  await addImage(kernel, given)
  await kernel.boot({
    id: 'p9',
    memoryBytes: Number(given.memoryBytes),
    processors: given.cpus,
    profile: given.byteOrder === 'big' ? 'v5' : 'modern',
    image: given.id,
    ...more,
  })
  return kernel
}

suite('a partition whose memory is an image', () => {
  test('the boot changes one page, which the image leaves free', async () => {
    await using kernel = await booted(image)
    for (const number of image.pages.filter((page) => page !== 0x10n)) {
      assert.ok(equalBytes(await kernel.memory(number << 16n, 65_536), imagePage(number)))
    }
    assert.equal(kernel.firmware.calls[0]?.args[1], Number(ownPage << 16n))
    const range = { start: 0n, end: 0x1400_0000n } as never
    const { ranges } = await kernel.store.populated(kernel.firmware.space, range, 100)
    assert.deepEqual(
      ranges.map(({ start, end }) => [start >> 16n, end >> 16n]),
      [
        [0n, 2n],
        [0x10n, 0x11n],
        [ownPage, 0x1000n],
      ],
    )
  })

  test('the parameter area is there only where the image has nothing', async () => {
    const append = 'kernel/fadump/bootargs_append'
    await using taken = await booted(image)
    await rejectsWith('ENOENT', taken.read(append))
    assert.equal(taken.firmware.registered?.sections.length, 3)
    await using free = await booted({
      ...image,
      pages: image.pages.filter((page) => page !== 0x3fffn),
    })
    assert.equal(await free.read(append), '\n')
    assert.equal(free.firmware.registered?.sections[3]?.sourceAddress, 0x3fff_f800n)
  })

  test('pages of 4 KiB decide where the dump area and the loads are', async () => {
    await using kernel = await booted({ ...image, cpus: 2 }, { processors: 2 })
    assert.equal(await kernel.read('kernel/fadump/mem_reserved'), `${0x1400_52a8 + 0x1000}\n`)
    await kernel.crash()
    const vmcore = await VmcoreFile.read(kernel)
    // CPU state 0x4020 and HPTE 0x1000 take six pages here, two in the truth: 0x28001000 becomes 0x28006000.
    assert.deepEqual(
      vmcore.programHeaders
        .map(({ offset, physicalAddress, memorySize }) => {
          return [offset, physicalAddress, memorySize]
        })
        .slice(1),
      [
        [0x2000n, 0n, 0x1400_0000n],
        [0x1400_22a8n, 0x2800_62a8n, 0x17ff_9d58n],
      ],
    )
  })

  test('every page of the image is in the vmcore, and boot memory was overwritten by the capture kernel', async () => {
    await using kernel = await booted(image)
    await kernel.crash()
    const vmcore = await VmcoreFile.read(kernel)
    for (const number of image.pages.filter((page) => page !== 0x10n)) {
      assert.ok(equalBytes(vmcore.memory(number << 16n, 65_536), imagePage(number)))
    }
    assert.ok(!equalBytes(await kernel.memory(0n, 65_536), imagePage(0n)))
    assert.ok(isZero(await kernel.memory(0xffe_0000n, 65_536)))
  })

  for (const cause of ['sysrq', 'null-dereference', 'system-reset'] as const) {
    test(`C061 ${cause}: every CPU has its imported registers, the crashing one all of them`, async () => {
      await using kernel = await booted(image)
      await kernel.crash(cause)
      const { cpus } = await VmcoreFile.read(kernel)
      assert.deepEqual(cpus[1]?.registers, imageRegisters(1))
      // These CPUs, too, hold values that no save area tells (trap and others): they were imported, but are firmware's.
      const visible = (cpu: number) =>
        imageRegisters(cpu).map((value, index) =>
          [34, 39, 40, 43, 44, 45, 46, 47].includes(index) ? 0n : value,
        )
      assert.deepEqual([cpus[0]?.registers, cpus[2]?.registers], [visible(0), visible(2)])
    })
  }

  test('another CPU may be named: its own registers go into the header', async () => {
    await using kernel = await booted(image)
    await kernel.crash('sysrq', 2)
    const { cpus } = await VmcoreFile.read(kernel)
    assert.deepEqual(cpus[2]?.registers, imageRegisters(2))
  })

  test('the VMCOREINFO of the image stays as it is, its CRASHTIME too', async () => {
    for (const vmcoreinfoAddress of [0x10_0800n, undefined]) {
      const { vmcoreinfoAddress: _address, ...bare } = image
      const given = vmcoreinfoAddress === undefined ? bare : { ...bare, vmcoreinfoAddress }
      await using kernel = await booted(given)
      await kernel.crash()
      assert.equal((await VmcoreFile.read(kernel)).vmcoreinfo, vmcoreinfoOfImage)
    }
  })

  test('CPUs that the image does not know stay offline', async () => {
    await using kernel = await booted(image, { processors: 5 })
    assert.equal(await kernel.read('devices/system/cpu/online'), '0-2\n')
    await kernel.crash()
    assert.equal((await VmcoreFile.read(kernel)).cpus.length, 3)
  })

  test('a big-endian image boots in profile v5', async () => {
    const given = { ...image, byteOrder: 'big', pageSize: 65_536 } as const
    await using kernel = await booted(given)
    await kernel.crash()
    const vmcore = await VmcoreFile.read(kernel)
    assert.equal(vmcore.order, 'big')
    assert.deepEqual(vmcore.cpus[1]?.registers.slice(0, 44), imageRegisters(1).slice(0, 44))
    assert.ok(equalBytes(vmcore.memory(0xffe_0000n, 65_536), imagePage(0xffen)))
  })

  test('without a free page in low memory the boot fails and says what would help', async () => {
    const pages = Array.from({ length: 16 }, (_, number) => BigInt(number))
    const kernel = await startKernel()
    await using _kernel = kernel
    await addImage(kernel, { ...image, pages })
    await kernel.firmware.activate({
      id: 'p9',
      memoryBytes: Number(image.memoryBytes),
      rmaBytes: 0x10_0000,
      processors: 3,
      profile: 'modern',
      image: 'strange',
    })
    await kernel.until('error')
    assert.match(
      kernel.firmware.partition.lastFailure ?? '',
      /every page of the image below 0x100000 is in use: .* larger rmaBytes/,
    )
  })

  test('after the release it is a kernel of the lab, with the page size of the image', async () => {
    await using kernel = await booted(image)
    await kernel.crash()
    await kernel.write('kernel/fadump/release_mem', '1')
    await kernel.crash('null-dereference', 0)
    const vmcore = await VmcoreFile.read(kernel)
    assert.match(vmcore.vmcoreinfo, /^OSRELEASE=6\.12\.0-fadump-lab\n/)
    assert.match(vmcore.vmcoreinfo, /\nPAGESIZE=4096\n/)
    assert.ok(
      (await vmcore.log()).includes('BUG: Kernel NULL pointer dereference on read at 0x00000010'),
    )
    assert.equal(toHex(vmcore.memory(0x8_0000n, 5)), toHex(new TextEncoder().encode('Linux')))
  })
})
