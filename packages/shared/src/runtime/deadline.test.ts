import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withinDeadline } from './deadline.ts'
import { UnavailableError } from './exit-codes.ts'
import { VirtualClock } from './virtual-clock.ts'

test('work that settles in time has its own outcome and leaves no timer', async () => {
  const clock = new VirtualClock()
  const deadline = { clock, timeoutMs: 100, what: 'the store' }
  assert.equal(await withinDeadline(Promise.resolve(7), deadline), 7)
  await assert.rejects(withinDeadline(Promise.reject(new Error('refused')), deadline), /refused/)
  assert.equal(clock.pending, 0)
})

test('work that does not settle in time is reported as unavailable', async () => {
  const clock = new VirtualClock()
  const waiting = withinDeadline(new Promise(() => {}), {
    clock,
    timeoutMs: 100,
    what: 'the store',
  })
  const refused = assert.rejects(
    waiting,
    (error) =>
      error instanceof UnavailableError &&
      error.message === 'the store did not answer within 100 ms',
  )
  await clock.advance(100)
  await refused
})
