import assert from 'node:assert/strict'
import test from 'node:test'
import { FaultPlan, type FaultTools } from '@fadump-lab/shared/faults'
import { createApp, type Service } from '@fadump-lab/shared/http'
import { systemClock, type Clock } from '@fadump-lab/shared/runtime'
import { createLogger, createMetrics } from '@fadump-lab/shared/telemetry'
import { EmbeddedService } from './embedded-service.ts'

/** Nobody waits for a pause. */
const clock: Clock = { ...systemClock, sleep: async () => undefined }

/** Services whose starts end as planned; further ones succeed. The first one ends when it is asked how it is. */
function lives(...outcomes: readonly ('starts' | 'fails' | 'ends in its start')[]) {
  const told: string[] = []
  const tools: FaultTools[] = []
  const plan = new FaultPlan({ service: 'dump-collector' })
  const up = Promise.withResolvers<void>()
  const build = (given: FaultTools | undefined): Service => {
    assert.ok(given !== undefined)
    const number = tools.push(given)
    const outcome = outcomes[number - 1] ?? 'starts'
    const app = createApp({
      guard: async () => ({ name: 'anyone', role: 'viewer' }) as never,
      logger: createLogger({ service: 'dump-collector', level: 'silent' }),
      metrics: createMetrics({ processMetrics: false }),
      newCorrelationId: () => 'c-1',
      ready: async () => {
        if (number === 1) given.end()
        given.checkAlive()
      },
    })
    return {
      app,
      start: async () => {
        if (outcome === 'ends in its start') given.end()
        given.checkAlive()
        if (outcome === 'fails') throw new Error('the disk does not answer')
        told.push(`life ${number} works`)
        if (number > outcomes.length) up.resolve()
      },
      [Symbol.asyncDispose]: async () => {
        told.push(`life ${number} is over`)
        await app.close()
      },
    }
  }
  const options = { host: '127.0.0.1', port: 0, build, plan, clock }
  return { told, tools, options, up: up.promise }
}

test('a process that could not start is buried and started again at its address', async () => {
  const { told, tools, options, up } = lives('starts', 'fails', 'fails')
  const lost: unknown[] = []
  await using service = await EmbeddedService.start({
    ...options,
    onLost: (error) => lost.push(String(error)),
  })
  const { url } = service
  tools[0]?.end()
  await up
  assert.deepEqual(told, [
    'life 1 works',
    'life 1 is over',
    'life 2 is over',
    'life 3 is over',
    'life 4 works',
  ])
  assert.equal(lost.length, 2)
  assert.equal(service.url, url)
  assert.equal((await fetch(`${url}/livez`)).status, 200)
})

test('a process that ends in its start is followed by one, not by two', async () => {
  const { told, tools, options, up } = lives('starts', 'ends in its start')
  await using service = await EmbeddedService.start({ ...options, onLost: () => undefined })
  tools[0]?.end()
  await up
  assert.equal((await fetch(`${service.url}/livez`)).status, 200)
  assert.deepEqual(told, ['life 1 works', 'life 1 is over', 'life 2 is over', 'life 3 works'])
})

test('a process that ends answers nobody any more', async () => {
  const { options, up } = lives('starts')
  await using service = await EmbeddedService.start({ ...options, onLost: () => undefined })
  await assert.rejects(fetch(`${service.url}/readyz`), { message: 'fetch failed' })
  await up
  assert.equal((await fetch(`${service.url}/readyz`)).status, 200)
})

test('nothing is started in a room that is being closed', async () => {
  const { told, tools, options } = lives('starts')
  const service = await EmbeddedService.start({ ...options, onLost: () => undefined })
  const closing = service[Symbol.asyncDispose]()
  tools[0]?.end()
  await closing
  assert.deepEqual(told, ['life 1 works', 'life 1 is over'])
})
