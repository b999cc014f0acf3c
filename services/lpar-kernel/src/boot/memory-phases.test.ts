import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { GiB, MiB } from '@fadump-lab/shared/units'
import { explainOutOfMemory, receiveRingsMiB, runMemoryPhases } from './memory-phases.ts'

const power6 = { memoryBytes: 4n * GiB, cpus: 8, pageSize: 65_536 }
const power7 = { memoryBytes: 2n * GiB, cpus: 20, pageSize: 65_536 }
const power7Large = { memoryBytes: 1024n * GiB, cpus: 896, pageSize: 65_536 }

suite('the memory of a capture kernel', () => {
  const rows = [
    ['C150 4 GiB and 8 CPUs', power6, 320n * MiB, 'network', undefined],
    ['C150 2 GiB and 20 CPUs', power7, 320n * MiB, 'network', undefined],
    ['C150 1 TiB and 896 CPUs', power7Large, 51n * GiB, 'network', undefined],
    ['C151 4 GiB and 8 CPUs', power6, 256n * MiB, 'network', 'link up'],
    ['C151 2 GiB and 20 CPUs', power7, 256n * MiB, 'network', 'link up'],
    ['C151 4 GiB and 8 CPUs', power6, 256n * MiB, 'local', undefined],
    ['C151 2 GiB and 20 CPUs', power7, 256n * MiB, 'local', undefined],
  ] as const
  for (const [name, machine, bootMemory, target, failed] of rows) {
    const outcome = failed === undefined ? 'survives' : `runs out of memory in phase ${failed}`
    test(`${name} with ${bootMemory / MiB} MiB of boot memory, ${target} capture: ${outcome}`, () => {
      const result = runMemoryPhases({ ...machine, bootMemory, target })
      assert.equal(result.fits ? undefined : result.failed, failed)
    })
  }

  test('1 TiB and 896 CPUs do not even start in 320 MiB: the memory map covers all of memory', () => {
    const system = { ...power7Large, bootMemory: 320n * MiB, target: 'network' } as const
    const result = runMemoryPhases(system)
    assert.equal(result.fits ? undefined : result.failed, 'kernel')
  })

  test('the least boot memory of the published model is found: 262 and 274 MiB', () => {
    const least = [power6, power7].map((machine) => {
      const result = runMemoryPhases({ ...machine, bootMemory: 256n * MiB, target: 'network' })
      return result.fits ? 0 : result.bootMemoryMiB
    })
    assert.deepEqual(least, [262, 274])
  })

  test('one ehea queue pair fills 14 MiB of receive buffers', () => {
    assert.equal(receiveRingsMiB(1).toFixed(1), '14.0')
  })

  test('the failure names phase, need, what there is and the fix', () => {
    const system = { ...power6, bootMemory: 256n * MiB, target: 'network' } as const
    const result = runMemoryPhases(system)
    assert.ok(!result.fits)
    const text = explainOutOfMemory(result, system)
    assert.match(text, /phase "link up": 260 MiB needed, 256 MiB of boot memory/)
    assert.match(text, /fadump_reserve_mem=262M/)
    assert.match(text, /captureTarget "local"/)
  })
})
