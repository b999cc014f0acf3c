import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { systemClock } from './clock.ts'
import { VirtualClock } from './virtual-clock.ts'

describe('the virtual clock', () => {
  test('stands still until it is advanced', async () => {
    const clock = new VirtualClock(Date.UTC(2011, 6, 12))
    assert.equal(clock.iso(), '2011-07-12T00:00:00.000Z')
    await clock.advance(1_500)
    assert.equal(clock.iso(), '2011-07-12T00:00:01.500Z')
    assert.equal(clock.now(), 1_310_428_801_500)
  })

  test('fires timers in the order they come due, equal ones in the order they were started', async () => {
    const clock = new VirtualClock(0)
    const fired: string[] = []
    const note = (name: string) => () => void fired.push(`${name}@${clock.now()}`)
    clock.schedule(30, note('late'))
    clock.schedule(10, note('first of two'))
    clock.schedule(10, note('second of two'))
    clock.schedule(0, note('at once'))
    await clock.advance(29)
    assert.deepEqual(fired, ['at once@0', 'first of two@10', 'second of two@10'])
    await clock.advance(1)
    assert.equal(fired.at(-1), 'late@30')
  })

  test('fires timers that are started on the way when they come due within the same advance', async () => {
    const clock = new VirtualClock(0)
    const woken: number[] = []
    const walk = async () => {
      for (let step = 0; step < 3; step++) {
        await clock.sleep(10)
        woken.push(clock.now())
      }
    }
    const walked = walk()
    await clock.advance(30)
    await walked
    assert.deepEqual(woken, [10, 20, 30])
  })

  test('runs until a piece of work is done and no further', async () => {
    const clock = new VirtualClock(0)
    clock.schedule(60_000, () => assert.fail('this timer is due after the work'))
    await clock.runUntil(clock.sleep(50))
    assert.equal(clock.now(), 50)
    assert.equal(clock.pending, 1)
  })

  test('says that time stands still when the awaited work waits on nothing timed', async () => {
    const clock = new VirtualClock()
    await assert.rejects(clock.runUntil(new Promise(() => {})), /virtual time stands still/)
  })

  test('refuses to go back, and delays the platform cannot keep', async () => {
    const clock = new VirtualClock()
    await assert.rejects(clock.advance(-1), /cannot go back/)
    assert.throws(() => clock.schedule(-1, () => {}), /a delay of -1 ms/)
    assert.throws(() => clock.schedule(2_147_483_648, () => {}), /a delay of 2147483648 ms/)
  })
})

const clocks = {
  'the virtual clock': () => new VirtualClock(),
  'the system clock': () => systemClock,
}
for (const [name, make] of Object.entries(clocks)) {
  describe(name, () => {
    test('rejects a sleep with the reason of the signal that aborts it, and forgets its timer', async () => {
      const clock = make()
      const stop = new AbortController()
      const slept = clock.sleep(3_600_000, stop.signal)
      stop.abort(new Error('the service stops'))
      await assert.rejects(slept, /the service stops/)
      if (clock instanceof VirtualClock) assert.equal(clock.pending, 0)
    })

    test('does not begin a sleep whose signal has aborted before', async () => {
      await assert.rejects(
        make().sleep(3_600_000, AbortSignal.abort(new Error('too late'))),
        /too late/,
      )
    })

    test('does not run a task whose timer is disposed', async () => {
      const clock = make()
      {
        using _timer = clock.schedule(0, () => assert.fail('the timer was disposed'))
      }
      const slept = clock.sleep(1)
      await (clock instanceof VirtualClock ? clock.runUntil(slept) : slept)
    })
  })
}
