import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { backoffDelayMs, retry } from './retry.ts'
import { VirtualClock } from './virtual-clock.ts'

const bounds = { attemptsMax: 5, backoffMs: 100, backoffMsMax: 500 }

describe('retry', () => {
  test('pauses twice as long each time, up to the cap', async () => {
    assert.deepEqual(
      [1, 2, 3, 4, 2000].map((attempt) => backoffDelayMs(bounds, attempt)),
      [100, 200, 400, 500, 500],
    )
    const clock = new VirtualClock(0)
    const attempts: string[] = []
    const work = retry(
      async (attempt) => {
        attempts.push(`${attempt}@${clock.now()}`)
        throw new Error(`failure ${attempt}`)
      },
      { ...bounds, clock },
    )
    await assert.rejects(clock.runUntil(work), /failure 5/)
    assert.deepEqual(attempts, ['1@0', '2@100', '3@300', '4@700', '5@1200'])
  })

  test('gives the first outcome that is not an error', async () => {
    const clock = new VirtualClock(0)
    const work = retry(
      async (attempt) => {
        if (attempt < 3) throw new Error('not yet')
        return attempt
      },
      { ...bounds, clock },
    )
    assert.equal(await clock.runUntil(work), 3)
    assert.equal(clock.now(), 300)
  })

  test('does not repeat what shouldRetry refuses', async () => {
    const clock = new VirtualClock(0)
    const work = retry(() => Promise.reject(new TypeError('hopeless')), {
      ...bounds,
      clock,
      shouldRetry: (error) => !(error instanceof TypeError),
    })
    await assert.rejects(work, /hopeless/)
    assert.equal(clock.now(), 0)
  })

  test('starts no further attempt after its signal has aborted', async () => {
    const clock = new VirtualClock(0)
    const stop = new AbortController()
    let attempts = 0
    const work = retry(
      async () => {
        attempts++
        throw new Error('no answer')
      },
      { ...bounds, clock, signal: stop.signal },
    )
    const refused = assert.rejects(work, /the service stops/)
    await clock.advance(150)
    stop.abort(new Error('the service stops'))
    await refused
    assert.equal(attempts, 2)
    assert.equal(clock.pending, 0)
  })
})
