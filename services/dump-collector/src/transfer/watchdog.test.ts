import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { VirtualClock } from '@fadump-lab/shared/runtime'
import { createWatchdog } from './watchdog.ts'

suite('the watchdog', () => {
  test('aborts after a period of silence, and says so', async () => {
    const clock = new VirtualClock()
    using watchdog = createWatchdog(clock, 1000)
    await clock.advance(999)
    assert.equal(watchdog.signal.aborted, false)
    await clock.advance(1)
    assert.match(String(watchdog.signal.reason), /nothing came for 1000 ms/)
  })

  test('lets a stream live that says something once per period', async () => {
    const clock = new VirtualClock()
    using watchdog = createWatchdog(clock, 1000)
    for (let period = 0; period < 5; period++) {
      await clock.advance(900)
      watchdog.touch()
    }
    assert.equal(watchdog.signal.aborted, false)
    await clock.advance(2000)
    assert.equal(watchdog.signal.aborted, true)
  })

  test('leaves no timer behind', () => {
    const clock = new VirtualClock()
    createWatchdog(clock, 1000)[Symbol.dispose]()
    assert.equal(clock.pending, 0)
  })
})
