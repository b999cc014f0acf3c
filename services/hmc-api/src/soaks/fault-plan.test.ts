import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { faults, newFault, newSoak, type SoakFault } from '@fadump-lab/shared/contracts'
import type { z } from 'zod'
import { armedFor, crashesFor, faultsOf, labelOf, nightlyCrashes } from './fault-plan.ts'
import { SoakPlan } from './plan.ts'

const planOf = (form: z.input<typeof newSoak>) => new SoakPlan(newSoak.parse(form), 1, 's')

/** Which faults the first crashes of a plan have, and how often each. */
function armedIn(plan: SoakPlan, crashes: number): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (let number = 1; number <= crashes; number += 1) {
    const name = plan.crash(number).fault?.fault.name
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return counts
}

suite('faults of a soak', () => {
  // A new fault of the registry has no place until somebody says what has to come of it; the soak of CI runs the default
  // plan from end to end, and asserts that each has struck (test/soak/embedded.test.ts).
  test('the default plan has every fault of the registry', () => {
    const asked = newSoak.parse({ crashes: 1, faults: 'default' })
    const names = new Set(faultsOf(asked).map(({ fault }) => fault.name))
    assert.deepEqual([...names].toSorted(), [...faults.keys()].toSorted())
  })

  test('so many crashes as are said arm every fault of the default plan, and one fault less does not', () => {
    const plan = planOf({ crashes: 1, faults: 'default' })
    const labels = (crashes: number) =>
      new Set(
        Array.from({ length: crashes }, (_, index) => plan.crash(index + 1).fault?.fault)
          .filter((fault) => fault !== undefined)
          .map(labelOf),
      )
    const enough = crashesFor(plan.faults, 'default')
    assert.equal(labels(enough).size, plan.faults.length)
    assert.ok(labels(enough - 2).size < plan.faults.length)
  })

  test('a night arms every fault of the registry more than a hundred times, one on each crash', () => {
    const counts = armedIn(planOf({ crashes: 1, faults: 'nightly' }), nightlyCrashes)
    assert.deepEqual([...counts.keys()].toSorted(), [...faults.keys()].toSorted())
    assert.ok([...counts.values()].every((count) => count > 100))
    assert.equal(
      [...counts.values()].reduce((sum, count) => sum + count, 0),
      nightlyCrashes,
    )
  })

  test('a night comes to every value and place of the default plan', () => {
    const plan = planOf({ crashes: 1, faults: 'nightly' })
    const labels = new Set<string>()
    for (let number = 1; number <= nightlyCrashes; number += 1) {
      const { fault } = plan.crash(number)
      if (fault !== undefined) labels.add(labelOf(fault.fault))
    }
    assert.equal(labels.size, plan.faults.length)
  })

  test('can be armed for the partition that crashes', () => {
    for (const planned of faultsOf(newSoak.parse({ crashes: 1, faults: 'default' }))) {
      assert.equal(newFault.safeParse(armedFor(planned, 'p1')).success, true, planned.fault.name)
    }
  })

  test('a fault of one kernel crashes that kernel, whatever the partition usually runs', () => {
    const plan = planOf({ partitions: 8, crashes: 16, faults: [{ name: 'parameters-error' }] })
    const profiles = new Set(plan.fleet.map(({ profile }) => profile))
    assert.deepEqual([...profiles].toSorted(), ['modern', 'v5'])
    for (let number = 1; number <= 16; number += 2) {
      assert.equal(plan.crash(number).partition.profile, 'modern')
    }
  })

  test('a fault of a kernel that the fleet has not is left out of the plan', () => {
    const form = { crashes: 1, faults: 'default', profiles: ['v5'] } as const
    const names = faultsOf(newSoak.parse({ ...form, profiles: [...form.profiles] }))
    assert.ok(names.every(({ fault }) => fault.name !== 'parameters-error'))
  })

  test('a name has what was given with it', () => {
    const fault: SoakFault = { name: 'crash-loop', times: 3 }
    const [planned] = faultsOf(newSoak.parse({ crashes: 1, faults: [fault] }))
    assert.ok(planned !== undefined)
    assert.equal(armedFor(planned, 'p1').times, 3)
    assert.equal(labelOf(fault), 'crash-loop 3 times')
  })
})
