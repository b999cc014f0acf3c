import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { GiB, memoryRange, MiB, toAscii } from '@fadump-lab/shared/units'
import { capturePages, contentPage, contentRuns, defaultContent } from './content.ts'

const place = {
  memoryBytes: 4n * GiB,
  kernelEnd: 4n * MiB,
  bootMemory: 320n * MiB,
  reserved: [memoryRange(0xebff_0000n, 4n * GiB)],
}

suite('the content of memory', () => {
  test('a page says which page of which seed it is', () => {
    const page = contentPage(0x2a, 0x1234n)
    assert.equal(page.byteLength, 65_536)
    assert.equal(
      toAscii(page.subarray(0, 40)),
      'fadump-lab seed=0x0000002a page=0x1234\n'.padEnd(40, toAscii(page.subarray(39, 40))),
    )
  })

  test('no page is another one, whatever the seed and whichever kernel wrote it', () => {
    const pages = [
      contentPage(1, 1n),
      contentPage(1, 2n),
      contentPage(2, 1n),
      capturePages(1, 1n, 1),
    ]
    assert.equal(new Set(pages.map((page) => toAscii(page.subarray(64, 256)))).size, 4)
  })

  test('a third lies in boot memory, a third in the middle, a third below the reserved area', () => {
    assert.deepEqual(contentRuns(48n * MiB, place), [
      memoryRange(0x40_0000n, 0x140_0000n),
      memoryRange(0x7eff_0000n, 0x7fff_0000n),
      memoryRange(0xeaff_0000n, 0xebff_0000n),
    ])
  })

  test('what does not fit above boot memory goes below', () => {
    const small = { ...place, memoryBytes: 328n * MiB, reserved: [] }
    assert.deepEqual(contentRuns(48n * MiB, small), [
      memoryRange(4n * MiB, 44n * MiB),
      memoryRange(320n * MiB, 324n * MiB),
      memoryRange(324n * MiB, 328n * MiB),
    ])
  })

  test('more than there is room for is refused with both numbers', () => {
    const full = { ...place, memoryBytes: 328n * MiB, reserved: [] }
    assert.deepEqual(contentRuns(400n * MiB, full), {
      asked: 400n * MiB,
      available: 324n * MiB,
    })
  })

  test('a partition without content holds 16 MiB, seeded by its name', () => {
    assert.equal(defaultContent('p6-4g').populatedBytes, 16n * MiB)
    assert.notEqual(defaultContent('p6-4g').seed, defaultContent('p7-2g').seed)
  })
})
