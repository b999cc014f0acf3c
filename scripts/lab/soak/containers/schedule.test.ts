import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { seededRandom } from '@fadump-lab/shared/runtime'
import { containerFaultNames, containerFaults } from './container-faults.ts'
import { containersFor, namesToStrike } from './schedule.ts'

const container = (service: string, instance = 1) => ({
  name: `room-${service}-${instance}`,
  service,
  instance,
})
const room = [
  container('dump-collector'),
  container('dump-collector', 2),
  container('hmc-api'),
  container('hypervisor'),
  container('lpar-kernel'),
  container('lpar-kernel', 2),
  container('redis-control'),
  container('redis-memory'),
]
function struck(seed: number, count: number, names = containerFaultNames): string[] {
  const all: string[] = []
  for (const name of namesToStrike(seededRandom(seed), names)) {
    if (all.length === count) break
    all.push(name)
  }
  return all
}

suite('what happens to containers', () => {
  test('is drawn from the seed alone', () => {
    assert.deepEqual(struck(7, 50), struck(7, 50))
    assert.notDeepEqual(struck(7, 50), struck(8, 50))
  })

  test('comes to every fault that was asked for before any comes again', () => {
    for (let seed = 0; seed < 50; seed += 1) {
      const first = struck(seed, containerFaultNames.length)
      assert.deepEqual(first.toSorted(), containerFaultNames.toSorted())
    }
  })

  test('is a kill more often than a pause, after the first round', () => {
    const later = struck(1, 2000).slice(containerFaultNames.length)
    const count = (name: string) => later.filter((each) => each === name).length
    assert.ok(count('container-killed') > 3 * count('paused'))
    assert.ok(containerFaultNames.every((name) => count(name) > 0))
  })

  test('is nothing when nothing was asked for', () => {
    assert.deepEqual(struck(1, 5, []), [])
  })

  test('hits every container of the services of its row, and no other', () => {
    for (const name of containerFaultNames) {
      const services: readonly string[] = containerFaults[name].services
      const able = containersFor(name, room)
      assert.deepEqual(
        able,
        room.filter(({ service }) => services.includes(service)),
      )
    }
    assert.deepEqual(containersFor('power-failure', room), [container('redis-memory')])
  })

  test('leaves partition memory its power unless that is the fault', () => {
    for (const name of ['container-killed', 'processes-killed', 'restarted'] as const) {
      assert.ok(containersFor(name, room).every(({ service }) => service !== 'redis-memory'))
    }
  })
})
