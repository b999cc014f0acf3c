import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { machine } from './index.ts'

const door = machine('door', {
  open: { close: 'closed' },
  closed: { open: 'open', lock: 'locked' },
  locked: { unlock: 'closed' },
})

suite('state machines declared as tables', () => {
  test('a listed event moves to the listed state, every other is refused', () => {
    assert.equal(door.next('closed', 'lock'), 'locked')
    assert.equal(door.next('open', 'lock'), undefined)
  })

  test('the states that accept an event are derived', () => {
    assert.deepEqual(door.statesFor('close'), ['open'])
    assert.deepEqual(door.events, ['close', 'open', 'lock', 'unlock'])
    assert.equal(door.rows.length, 4)
  })
})
