import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { describe, test } from 'node:test'
import { closeInOrder, shutdownOnSignal, type Closer, type CloseFailure } from './shutdown.ts'
import { VirtualClock } from './virtual-clock.ts'

const timeoutMs = 10_000
const endless: Closer = { name: 'collector worker', close: () => new Promise<void>(() => {}) }

function recorded(log: string[], name: string, error?: Error): Closer {
  return {
    name,
    close: async () => {
      await Promise.resolve()
      log.push(name)
      if (error !== undefined) throw error
    },
  }
}

describe('closing', () => {
  test('closes in order, goes on after a failure and tells it', async () => {
    const clock = new VirtualClock()
    const log: string[] = []
    const closers = [
      recorded(log, 'http'),
      recorded(log, 'queues', new Error('no answer')),
      recorded(log, 'store'),
    ]
    const failures = await closeInOrder(closers, { clock, timeoutMs })
    assert.deepEqual(log, ['http', 'queues', 'store'])
    assert.deepEqual(
      failures.map((failure) => [failure.closer, failure.cause.message]),
      [['queues', 'no answer']],
    )
    assert.equal(clock.pending, 0)
  })

  test('ends when time is up and names all that was not closed', async () => {
    const clock = new VirtualClock()
    const log: string[] = []
    const closed = closeInOrder([recorded(log, 'http'), endless, recorded(log, 'store')], {
      clock,
      timeoutMs,
    })
    await clock.advance(timeoutMs)
    const failures = await closed
    assert.deepEqual(
      failures.map((failure) => failure.closer),
      ['collector worker', 'store'],
    )
    assert.match(failures[0]?.cause.message ?? '', /was not closed within 10000 ms/)
    assert.deepEqual(log, ['http'])
  })
})

describe('shutdown on a signal', () => {
  const start = (closers: readonly Closer[]) => {
    const signals = new EventEmitter()
    const clock = new VirtualClock()
    const ended: [number, readonly CloseFailure[]][] = []
    const onClosed = (code: number, failures: readonly CloseFailure[]) =>
      void ended.push([code, failures])
    const listening = shutdownOnSignal({ signals, clock, timeoutMs, closers, onClosed })
    return { signals, clock, ended, listening }
  }

  test('SIGTERM closes everything and the exit code is 0', async () => {
    const log: string[] = []
    const { signals, clock, ended } = start([recorded(log, 'http'), recorded(log, 'store')])
    signals.emit('SIGTERM', 'SIGTERM')
    await clock.advance(0)
    assert.deepEqual(log, ['http', 'store'])
    assert.deepEqual(ended, [[0, []]])
    assert.equal(signals.listenerCount('SIGTERM') + signals.listenerCount('SIGINT'), 0)
  })

  test('a closer that takes too long makes the exit code 75', async () => {
    const { signals, clock, ended } = start([endless])
    signals.emit('SIGINT', 'SIGINT')
    await clock.advance(timeoutMs)
    assert.deepEqual(
      ended.map(([code, failures]) => [code, failures.map((failure) => failure.closer)]),
      [[75, ['collector worker']]],
    )
  })

  test('a second signal ends the waiting, and the end is told once', async () => {
    const { signals, clock, ended } = start([endless])
    signals.emit('SIGTERM', 'SIGTERM')
    signals.emit('SIGTERM', 'SIGTERM')
    await clock.advance(timeoutMs)
    assert.equal(ended.length, 1)
    assert.equal(ended[0]?.[0], 75)
  })

  test('disposing stops to listen', () => {
    const { signals, listening } = start([])
    listening[Symbol.dispose]()
    assert.equal(signals.listenerCount('SIGTERM') + signals.listenerCount('SIGINT'), 0)
  })
})
