import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KeyedMutex } from './mutex.ts'

describe('the keyed mutex', () => {
  test('runs the tasks of one key one after the other, in order of call', async () => {
    const mutex = new KeyedMutex()
    const log: string[] = []
    const task = (name: string, turns: number) => async () => {
      log.push(`${name} begins`)
      for (let turn = 0; turn < turns; turn++) await Promise.resolve()
      log.push(`${name} ends`)
      return name
    }
    const names = await Promise.all([
      mutex.run('p1', task('a', 9)),
      mutex.run('p1', task('b', 1)),
      mutex.run('p1', task('c', 4)),
    ])
    assert.deepEqual(names, ['a', 'b', 'c'])
    assert.deepEqual(log, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
  })

  test('does not make different keys wait for one another', async () => {
    const mutex = new KeyedMutex()
    const never = Promise.withResolvers<string>()
    const held = mutex.run('p1', () => never.promise)
    assert.equal(await mutex.run('p2', async () => 'done'), 'done')
    never.resolve('released')
    assert.equal(await held, 'released')
  })

  test('goes on after a task that throws, and keeps no key that nobody holds', async () => {
    const mutex = new KeyedMutex()
    const failed = mutex.run('p1', () => Promise.reject(new Error('refused')))
    const next = mutex.run('p1', async () => 'ran')
    assert.equal(mutex.held, 1)
    await assert.rejects(failed, /refused/)
    assert.equal(await next, 'ran')
    assert.equal(mutex.held, 0)
  })
})
