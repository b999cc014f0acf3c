import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import type { EventRow } from '@fadump-lab/shared/queue'
import { systemClock } from '@fadump-lab/shared/runtime'
import type { Console, Question, Routes } from './console.ts'
import { EventFeed } from './event-feed.ts'

/** A console with a log of its own that is away as often as is asked for. */
class LoggedConsole implements Pick<Console, 'ask'> {
  readonly rows: EventRow[] = []
  readonly #routes = {
    listEvents: ({ query }: { query: { after?: string; limit: number } }) => {
      const from = this.rows.findIndex(({ id }) => id === query.after) + 1
      return Promise.resolve(this.rows.slice(from, from + query.limit))
    },
  } as unknown as Routes

  log(...names: readonly string[]): void {
    for (const event of names) {
      this.rows.push({
        id: String(this.rows.length + 1),
        event: {
          time: '2011-11-04T12:00:00.000Z',
          service: 'hypervisor',
          aggregate: 'partition',
          subject: 'p1',
          event,
          correlationId: 'c',
        },
      })
    }
  }

  ask<T>(question: Question<T>): Promise<T> {
    return question(this.#routes)
  }
}

/** Reads until `last` has come; what was read by then. */
async function readUntil(feed: EventFeed, last: string, heard: string[]): Promise<void> {
  const over = new AbortController()
  for await (const { event } of feed.follow(over.signal)) {
    heard.push(event.event)
    if (event.event === last) over.abort()
  }
}

suite('the event log of a room that is driven from outside', () => {
  test('is read from now on, in order, each row once, however many come at a time', async () => {
    const console = new LoggedConsole()
    console.log('before')
    const heard: string[] = []
    const feed = new EventFeed(console, systemClock)
    const reading = readUntil(feed, 'last', heard)
    await feed.caughtUp()
    const many = Array.from({ length: 12_000 }, (_, index) => `row-${index}`)
    console.log(...many, 'last')
    await reading
    assert.deepEqual(heard, [...many, 'last'])
  })

  test('has handed on what was there when somebody asks whether it has caught up', async () => {
    const console = new LoggedConsole()
    const heard: string[] = []
    const feed = new EventFeed(console, systemClock)
    const reading = readUntil(feed, 'last', heard)
    await feed.caughtUp()
    console.log('crashed', 'preserved')
    await feed.caughtUp()
    assert.deepEqual(heard, ['crashed', 'preserved'])
    console.log('last')
    await reading
    await feed.caughtUp()
  })
})
