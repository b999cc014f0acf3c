/** What an operator does until a partition is at rest, and what a soak says when it never is. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Problem } from '@fadump-lab/shared/contracts'
import { aPartition } from '../testing/fake-room.ts'
import { comeToRest } from './rest.ts'
import { stagedCrash } from './testing/staged-crash.ts'

const atRest = aPartition({ crashes: 1, epoch: 5 })
const terminated = aPartition({ state: 'terminated', registration: 'idle', crashes: 1, epoch: 4 })

suite('until a crash has come to rest', () => {
  test('a partition that stays terminated while hosts are killed is restarted by its operator after half a minute', async () => {
    const { stage, clock, room } = stagedCrash({ partition: terminated, isDisturbed: true })
    const resting = comeToRest(stage)
    await clock.advance(29_000)
    assert.equal(room.restarts, 0)
    await clock.advance(2_000)
    assert.ok(room.restarts > 0)
    room.partition = atRest
    assert.equal(await clock.runUntil(resting), atRest)
  })

  test('the half minute begins anew when the partition was up in between', async () => {
    const { stage, clock, room } = stagedCrash({ partition: terminated, isDisturbed: true })
    const resting = comeToRest(stage)
    await clock.advance(20_000)
    room.partition = aPartition({ state: 'starting', epoch: 4 })
    await clock.advance(1_000)
    room.partition = terminated
    await clock.advance(20_000)
    assert.equal(room.restarts, 0)
    room.partition = atRest
    await clock.runUntil(resting)
  })

  test('where nobody kills hosts it has to restart by itself: the soak gives up, and says what it saw last', async () => {
    const { stage, clock, room } = stagedCrash({ partition: terminated })
    const message =
      'p1: come to rest did not answer within 600000 ms; last seen: terminated in boot 4, idle, 1 crashes, no dump pending'
    await assert.rejects(clock.runUntil(comeToRest(stage)), { message })
    assert.equal(room.restarts, 0)
  })

  test('when nobody has answered, that is what it says', async () => {
    const away = new Problem('dependency-unavailable', 'firmware is away')
    const { stage, clock } = stagedCrash({ partition: away })
    await assert.rejects(clock.runUntil(comeToRest(stage)), /; last seen: nothing, nobody/)
  })

  test('a dump that waits and the failure that keeps it are told', async () => {
    const stuck = aPartition({
      state: 'error',
      registration: 'idle',
      crashes: 1,
      pendingDump: 'p1-00000000-1',
      lastFailure: 'the capture kernel has no memory',
    })
    const { stage, clock } = stagedCrash({ partition: stuck })
    const text =
      /error in boot 3, idle, 1 crashes, p1-00000000-1 pending, the capture kernel has no memory$/
    await assert.rejects(clock.runUntil(stage.hands.until('up', () => false)), text)
  })
})
