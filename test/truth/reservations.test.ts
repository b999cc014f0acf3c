/**
 * Rows of the reservation table of Linux 7.2 that are about more than sizes (truth §5); the sizes are in
 * truth-reservations.test.ts of the kernel host.
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { fadumpLines, lparOf, truthBench } from './bench.ts'

const memoryBytes = 4 * 2 ** 30
const reserved = 'fadump: Reserved 320MB of memory at 0x00000014000000 (System RAM: 4096MB)'

suite('what Linux 7.2 reserves of 4 GiB', () => {
  const bench = truthBench()

  test('C082 mem=3G: all memory is counted, and the parameter area lies below the limit', async () => {
    await using given = bench.given('limit')
    const lpar = await lparOf(given, { memoryBytes, bootArguments: 'fadump=on mem=3G' })
    assert.equal((await fadumpLines(lpar))[0], reserved)
    assert.equal(await lpar.read('kernel/fadump/mem_reserved'), '335610536\n')
    const region = await lpar.read('kernel/debug/powerpc/fadump_region')
    assert.ok(
      region.endsWith("\n[0x000000bffff800-0x000000bfffffff]: cmdline append: ''\n"),
      region,
    )
  })

  test('C086 fadump=nocma: the same reservation, and none of it is lent out', async () => {
    await using given = bench.given('nocma')
    const lpar = await lparOf(given, { memoryBytes, bootArguments: 'fadump=nocma' })
    assert.deepEqual(await fadumpLines(lpar), [
      reserved,
      'rtas fadump: Registration is successful!',
    ])
    assert.equal(await lpar.read('kernel/fadump/mem_reserved'), '335610536\n')
    assert.match(await lpar.proc('meminfo'), /^CmaTotal: +0 kB$/m)
  })
})
