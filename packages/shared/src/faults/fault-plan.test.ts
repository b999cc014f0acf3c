import assert from 'node:assert/strict'
import test from 'node:test'
import { newFault, type NewFault } from '../contracts/index.ts'
import { armedFaultsMax, FaultPlan, type Strike } from './fault-plan.ts'

const here = { what: 'GET /partitions/p1/proc/vmcore', at: 'readVmcore', partition: 'p1' }
const fault = (form: object): NewFault => newFault.parse(form)

function struck(plan: FaultPlan, occasions: number): string {
  return Array.from({ length: occasions }, () =>
    plan.strike('latency', here) === undefined ? '.' : 'x',
  ).join('')
}

const planWith = (...forms: readonly object[]): FaultPlan => {
  const plan = new FaultPlan({ service: 'dump-collector' })
  for (const [index, form] of forms.entries()) plan.arm(`f-${index}`, fault(form))
  return plan
}

test('a fault strikes once unless it is told otherwise, and counts what it considered', () => {
  const plan = planWith({ name: 'latency' })
  assert.equal(struck(plan, 5), 'x....')
  assert.deepEqual(
    plan.list().map((armed) => [armed.considered, armed.struck]),
    [[5, 1]],
  )
})

test('a fault lets pass as many occasions as it is told, then strikes as often as it is told', () => {
  assert.equal(struck(planWith({ name: 'latency', after: 2, times: 3 }), 8), '..xxx...')
})

test('the same seed strikes at the same occasions, another one at others', () => {
  const form = { name: 'latency', probability: 0.5, times: 1000 }
  const once = struck(planWith({ ...form, seed: 7 }), 64)
  assert.equal(struck(planWith({ ...form, seed: 7 }), 64), once)
  assert.notEqual(struck(planWith({ ...form, seed: 8 }), 64), once)
  const share = once.split('x').length - 1
  assert.ok(share > 16 && share < 48, `${share} of 64 at probability 1/2`)
})

const scopes: readonly (readonly [what: string, form: object, strikes: boolean])[] = [
  ['no scope', {}, true],
  ['its partition', { scope: { partition: 'p1' } }, true],
  ['another partition', { scope: { partition: 'p2' } }, false],
  ['its service', { scope: { service: 'dump-collector' } }, true],
  ['another service', { scope: { service: 'hypervisor' } }, false],
  ['its frame', { scope: { frame: 'server-1' } }, true],
  ['another frame', { scope: { frame: 'server-2' } }, false],
  ['its operation', { at: 'readVmcore' }, true],
  ['another operation', { at: 'releaseDump' }, false],
]

for (const [what, form, strikes] of scopes) {
  test(`a fault with ${what} ${strikes ? 'strikes' : 'does not strike'}`, () => {
    const plan = planWith({ name: 'latency', ...form })
    plan.learn('p1', 'server-1')
    assert.equal(struck(plan, 1), strikes ? 'x' : '.')
  })
}

test('a fault of streams strikes at no other operation, though none is named', () => {
  const plan = planWith({ name: 'bit-flip', times: 10 })
  assert.notEqual(plan.strike('bit-flip', here), undefined)
  assert.equal(plan.strike('bit-flip', { what: 'POST /rtas', at: 'rtasCall' }), undefined)
})

test('an aim is held until it strikes or misses', () => {
  const plan = planWith({ name: 'bit-flip' })
  const first = plan.aim('bit-flip', here)
  assert.equal(plan.aim('bit-flip', here), undefined, 'it is spent as long as it may strike')
  first?.miss()
  assert.equal(plan.list()[0]?.struck, 0)
  plan.aim('bit-flip', here)?.strike()
  assert.equal(plan.list()[0]?.struck, 1)
})

test('every strike is told with its fault, its count, its value and what it hit', () => {
  const told: Strike[] = []
  const plan = new FaultPlan({ service: 'dump-collector', onStrike: (strike) => told.push(strike) })
  plan.arm('f-1', fault({ name: 'latency' }))
  plan.strike('latency', here)
  assert.deepEqual(
    told.map(({ fault: { id, struck: count }, what, value, partition }) => [
      id,
      count,
      what,
      value,
      partition,
    ]),
    [['f-1', 1, 'GET /partitions/p1/proc/vmcore', 100, 'p1']],
  )
})

test('a disarmed fault strikes no more', () => {
  const plan = planWith({ name: 'latency', times: 9 }, { name: 'latency', times: 9 })
  assert.equal(plan.disarm('f-0'), true)
  assert.equal(plan.disarm('f-0'), false)
  assert.equal(struck(plan, 1), 'x')
  plan.disarmAll()
  assert.equal(struck(plan, 1), '.')
})

test('a process takes a bounded number of faults', () => {
  const plan = planWith(...Array.from({ length: armedFaultsMax }, () => ({ name: 'latency' })))
  assert.throws(() => plan.arm('f-more', fault({ name: 'latency' })), /4096 faults are armed/)
  assert.equal(plan.arm('f-0', fault({ name: 'latency', times: 2 })).times, 2)
})

test('a fault that is armed again under its id takes the place of the first', () => {
  const plan = planWith({ name: 'latency', times: 9 })
  plan.arm('f-0', fault({ name: 'latency', times: 2 }))
  assert.equal(struck(plan, 4), 'xx..')
  assert.equal(plan.list().length, 1)
})
