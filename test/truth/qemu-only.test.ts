/**
 * What QEMU does and PHYP does not (truth §12): personality `qemu` has it, `papr` has not. A title is a row of that list.
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { viewOf } from '@fadump-lab/shared/units'
import { cpuNotes } from '../conformance/core.ts'
import { cellNamed } from '../conformance/given.ts'
import { lparOf, truthBench } from './bench.ts'

/** CTR, LR and XER of the CPU that did not crash, as its note has them. */
const specialPurpose = [35, 36, 37]

for (const name of ['modern/qemu', 'modern/papr'] as const) {
  const isQemu = name === 'modern/qemu'

  suite(`${name}: what QEMU alone does`, () => {
    const bench = truthBench(cellNamed(name))

    test('C053 CTR, LR and XER of CPUs that did not crash are 0', async () => {
      await using given = bench.given('stale')
      const lpar = await lparOf(given)
      await lpar.crash('sysrq', 1)
      const [other] = await cpuNotes(lpar)
      const values = specialPurpose.map((index) => other?.registers[index] ?? 0n)
      assert.equal(
        values.every((value) => value === 0n),
        isQemu,
      )
    })

    test('C003 the HPTE section has no bytes', async () => {
      await using given = bench.given('hpte')
      const lpar = await lparOf(given)
      const sizes = (await lpar.rtasProperty('ibm,configure-kernel-dump-sizes')) ?? ''
      const hpte = isQemu ? '000000020000000000000000' : '000000020000000000001000'
      assert.equal(sizes.slice(24), hpte)
    })

    test('C005 the version cells have the byte order of the host', async () => {
      await using given = bench.given('version')
      const lpar = await lparOf(given)
      const version = await lpar.rtasProperty('ibm,configure-kernel-dump-version')
      assert.equal(version, isQemu ? '01000100' : '00010001')
    })

    test('C012 a registration outlives a hard reset', async () => {
      await using given = bench.given('reset')
      const lpar = await lparOf(given)
      await lpar.restart()
      const statuses = lpar.calls().map(({ status }) => status)
      assert.deepEqual(statuses, isQemu ? [0, -9] : [0, 0])
    })

    test('C024 os-term without a registration ends the machine', async () => {
      await using given = bench.given('ends')
      const lpar = await lparOf(given, { bootArguments: 'fadump=off' })
      await lpar.crash()
      const { state } = await lpar.partition()
      assert.equal(state, isQemu ? 'not-activated' : 'running')
    })

    test('C026 firmware never dumps without its kernel', async () => {
      await using given = bench.given('alone')
      const lpar = await lparOf(given)
      await lpar.kill()
      const { state } = await lpar.partition()
      assert.equal(state, isQemu ? 'running' : 'capturing')
    })

    test('C051 C052 the save area has all CPUs, and its count at 0x10', async () => {
      await using given = bench.given('cpus')
      const lpar = await lparOf(given, { processors: 3, offlineCpus: [2] })
      await lpar.crash()
      const head = viewOf(await lpar.bytes(0x1400_0000, 0x20))
      assert.equal(head.getUint32(0x0c), isQemu ? 0x10 : 0x1c)
      assert.equal(head.getUint32(isQemu ? 0x10 : 0x1c), isQemu ? 3 : 2)
    })
  })
}
