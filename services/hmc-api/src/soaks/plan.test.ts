import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import {
  newSoak,
  soakScenarioNames,
  soakScenarios,
  type SoakScenarioRow,
} from '@fadump-lab/shared/contracts'
import type { z } from 'zod'
import { SoakPlan } from './plan.ts'

const asked = (form: z.input<typeof newSoak> = {}) => newSoak.parse({ crashes: 1, ...form })
const told = (plan: SoakPlan, numbers: readonly number[]) =>
  numbers.map((number) => {
    const { random: _random, partition, ...rest } = plan.crash(number)
    return { ...rest, partition: partition.index }
  })
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

suite('the plan of a soak', () => {
  test('is the same for the same seed, whatever else of it is carried out, and another for another', () => {
    const one = new SoakPlan(asked(), 7, 'soak-a')
    const two = new SoakPlan(asked(), 7, 'soak-b')
    assert.deepEqual(told(one, [90, 3, 41]), told(two, [90, 3, 41]))
    const shapes = (plan: SoakPlan) => plan.fleet.map(({ id: _id, ...shape }) => shape)
    assert.deepEqual(shapes(one), shapes(two))
    assert.notDeepEqual(told(one, upTo(20)), told(new SoakPlan(asked(), 8, 'soak-a'), upTo(20)))
  })

  test('comes to every scenario that a kernel has, and to no other', () => {
    for (const profile of ['v5', 'modern'] as const) {
      const plan = new SoakPlan(asked({ profiles: [profile] }), 1, 's')
      const seen = new Set(upTo(2000).map((number) => plan.crash(number).scenario))
      const fitting = soakScenarioNames.filter((name) => {
        const { profiles }: SoakScenarioRow = soakScenarios[name]
        return profiles?.includes(profile) !== false
      })
      assert.deepEqual([...seen].toSorted(), [...fitting].toSorted())
    }
  })

  test('heeds the mix of causes', () => {
    const plan = new SoakPlan(asked({ causes: { bug: 1 }, scenarios: ['plain'] }), 1, 's')
    assert.deepEqual([...new Set(upTo(50).map((number) => plan.crash(number).cause))], ['bug'])
  })

  test('a storm orders the whole fleet together, waves a quarter of it', () => {
    const together = (arrival: 'steady' | 'storm' | 'waves') =>
      new SoakPlan(asked({ partitions: 10, arrival }), 1, 's').together
    assert.deepEqual([together('steady'), together('storm'), together('waves')], [1, 10, 3])
    const storm = new SoakPlan(asked({ partitions: 10, arrival: 'storm' }), 1, 's')
    assert.deepEqual(
      upTo(10).map((number) => storm.partitionOf(number)),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    )
  })

  test('in a crash loop a tenth of the fleet has half of the crashes', () => {
    const plan = new SoakPlan(asked({ partitions: 20, arrival: 'crash-loop' }), 1, 's')
    const counts = Map.groupBy(upTo(360), (number) => plan.partitionOf(number))
    assert.deepEqual([counts.get(0)?.length, counts.get(1)?.length], [90, 90])
    assert.deepEqual(
      new Set([...counts].filter(([index]) => index > 1).map(([, numbers]) => numbers.length)),
      new Set([10]),
    )
  })

  test('a plan with faults uses one after the other, each on a plain crash', () => {
    const plan = new SoakPlan(
      asked({ faults: [{ name: 'bit-flip' }, { name: 'latency' }] }),
      1,
      's',
    )
    const crashes = upTo(8).map((number) => plan.crash(number))
    assert.deepEqual(
      crashes.map(({ fault }) => fault?.fault.name),
      ['bit-flip', undefined, 'latency', undefined, 'bit-flip', undefined, 'latency', undefined],
    )
    for (const { fault, scenario } of crashes) if (fault) assert.equal(scenario, 'plain')
  })

  test('a soak without an end is refused', () => {
    assert.throws(() => newSoak.parse({}), /ends after `crashes` or after `seconds`/)
    assert.throws(
      () => newSoak.parse({ crashes: 1, faults: [{ name: 'bit-flop' }] }),
      /no fault is called so; there are bit-flip/,
    )
  })
})
