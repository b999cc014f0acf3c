import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import type { LabEvent } from '@fadump-lab/shared/contracts'
import { listen } from '@fadump-lab/shared/http'
import { startedConsole } from '../testing/fake-room.ts'

const anEvent = (change: Partial<LabEvent>): LabEvent => ({
  time: '2026-01-01T00:00:00Z',
  service: 'hypervisor',
  aggregate: 'partition',
  subject: 'p1',
  event: 'booted',
  ...change,
})

suite('events over HTTP', () => {
  test('a page is filtered by partition and correlation id, oldest first, and goes on after an id', async () => {
    await using api = await startedConsole({})
    await api.events.append(anEvent({ event: 'activate', correlationId: 'a' }))
    await api.events.append(anEvent({ subject: 'p2', correlationId: 'a' }))
    await api.events.append(anEvent({ event: 'booted', correlationId: 'b' }))
    await api.events.append(
      anEvent({ aggregate: 'dump', subject: 'd', detail: { partition: 'p1' } }),
    )
    type Row = { id: string; event: LabEvent }
    const page = async (query: string) =>
      (await api.app.inject({ url: `/v1/events${query}`, headers: api.headers })).json<Row[]>()
    const all = await page('')
    assert.equal(all.length, 4)
    assert.deepEqual(
      (await page('?partition=p1')).map(({ event }) => event.aggregate),
      ['partition', 'partition', 'dump'],
    )
    await api.events.append(anEvent({ aggregate: 'dump', subject: 'p1-00ff00-1' }))
    await api.events.append(anEvent({ aggregate: 'dump', subject: 'p1-x-00ff00-1' }))
    assert.deepEqual(
      (await page('?partition=p1')).slice(3).map(({ event }) => event.subject),
      ['p1-00ff00-1'],
      'dumps of the partition, not those of one whose name begins alike',
    )
    assert.deepEqual((await page('?correlationId=a')).length, 2)
    assert.deepEqual(
      (await page(`?after=${all[1]?.id}&limit=1`)).map(({ id }) => id),
      [all[2]?.id],
    )
  })

  test('an id that no log gave is refused', async () => {
    await using api = await startedConsole({})
    const answer = await api.app.inject({ url: '/v1/events?after=yesterday', headers: api.headers })
    assert.equal(answer.statusCode, 400)
    assert.match(answer.body, /yesterday/)
  })

  test('with text/event-stream, rows come as they happen, and Last-Event-ID resumes', async () => {
    await using api = await startedConsole({})
    const url = await listen(api.app, { host: '127.0.0.1', port: 0 })
    const first = await api.events.append(anEvent({ event: 'activate' }))
    const stop = new AbortController()
    const response = await fetch(`${url}/v1/events`, {
      headers: { ...api.headers, accept: 'text/event-stream', 'last-event-id': first },
      signal: stop.signal,
    })
    assert.equal(response.headers.get('content-type'), 'text/event-stream')
    assert.ok(response.body !== null)
    let text = ''
    for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
      text += part
      if (text.startsWith(': ') && !text.includes('data:')) {
        await api.events.append(anEvent({ event: 'booted' }))
      }
      if (/data: .*\n\n/.test(text)) break
    }
    assert.match(text, /\nevent: booted\ndata: \{.*"subject":"p1"/)
    assert.doesNotMatch(text, /activate/)
  })
})
