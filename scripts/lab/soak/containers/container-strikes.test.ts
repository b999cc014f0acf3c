import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import type { SoakCrash } from '@fadump-lab/shared/contracts'
import { seededRandom, systemClock } from '@fadump-lab/shared/runtime'
import { ContainerStrikes } from './container-strikes.ts'
import type { ContainerFaultName } from './container-faults.ts'
import { Engine } from './engine.ts'

const tools = { engine: new Engine('room'), clock: systemClock, random: seededRandom(1) }
const hypervisor = { name: 'room-hypervisor-1', service: 'hypervisor', instance: 1 }
const memory = { name: 'room-redis-memory-1', service: 'redis-memory', instance: 1 }

function struck(names: readonly ContainerFaultName[] = ['paused']): ContainerStrikes {
  return new ContainerStrikes(tools, names)
}

const crash = (outcome: SoakCrash['outcome'], ...faults: readonly string[]): SoakCrash => ({
  number: 1,
  partition: 'p1',
  scenario: 'plain',
  cause: 'sysrq',
  expected: { outcome: 'dump' },
  outcome,
  passed: true,
  mechanism: 'fadump',
  endedAtMs: 1,
  phases: {},
  faults: [...faults],
  checks: [],
  correlationId: 'c',
})

suite('what was done to containers', () => {
  test('concerns the crashes that were under way, and those a moment later', () => {
    const strikes = struck()
    const told = strikes.begin({ fault: 'paused', container: hypervisor }, 10_000)
    assert.deepEqual(strikes.between(0, 9_999), [])
    assert.deepEqual(strikes.between(50_000, 60_000), ['paused hypervisor'], 'it goes on')
    told.toMs = 20_000
    assert.deepEqual(strikes.between(15_000, 16_000), ['paused hypervisor'])
    assert.deepEqual(strikes.between(21_000, 30_000), ['paused hypervisor'], 'clients try again')
    assert.deepEqual(strikes.between(22_001, 30_000), [])
  })

  test('is not counted, and concerns nobody, when the engine refuses', () => {
    const strikes = struck()
    const told = strikes.begin({ fault: 'paused', container: hypervisor }, 0)
    told.toMs = 10
    told.refusal = 'no such container'
    assert.deepEqual(strikes.between(0, 10), [])
    const [row] = strikes.counts([crash('dump')])
    assert.deepEqual([row?.name, row?.armed, row?.struck], ['paused hypervisor', 1, 0])
    assert.match(strikes.silent().join(), /^fault paused of containers was asked for and never/)
  })

  test('is told once for all instances of a service, with what came of the crashes', () => {
    const strikes = struck()
    for (const at of [0, 100]) {
      strikes.begin({ fault: 'paused', container: hypervisor }, at).toMs = at + 10
    }
    const counts = strikes.counts([
      crash('dump', 'paused hypervisor', 'bit-flip'),
      crash('absent', 'paused hypervisor'),
      crash('dump', 'bit-flip'),
    ])
    assert.deepEqual(counts, [
      {
        name: 'paused hypervisor',
        does: "docker pause for at most 20 s, longer than a job's lease",
        armed: 2,
        struck: 2,
        dumps: 1,
        absent: 1,
        lost: 0,
      },
    ])
    assert.deepEqual(strikes.silent(), [])
  })

  test('takes the memory of partitions when it is a power failure, and only then', () => {
    const strikes = struck(['power-failure', 'paused'])
    strikes.begin({ fault: 'paused', container: memory }, 0).toMs = 10
    assert.equal(strikes.lostMemory(0, 10), false)
    strikes.begin({ fault: 'power-failure', container: memory }, 20_000).toMs = 20_010
    assert.equal(strikes.lostMemory(0, 19_999), false)
    assert.equal(strikes.lostMemory(19_000, 21_000), true)
  })
})
