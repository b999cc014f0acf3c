/** What every implementation of `EventLog` does: run this suite on each of them. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { LabEvent } from '../contracts/index.ts'
import type { EventLog, EventRow } from './event-log.ts'

export interface EventLogHarness extends AsyncDisposable {
  /** An empty log that keeps `rowsMax` rows, and `slack` more at most. */
  open(rowsMax: number): Promise<EventLog>
  readonly slack: number
}

export function eventLogConformance(
  name: string,
  openHarness: () => Promise<EventLogHarness>,
  options: { readonly skip?: string | false } = {},
): void {
  const logTest: LogTest = (title, run) => {
    test(title, async () => {
      await using harness = await openHarness()
      await run(await harness.open(1_000))
    })
  }

  describe(name, { skip: options.skip ?? false }, () => {
    describe('reading', () => readingTests(logTest))
    describe('following', () => followingTests(logTest))

    test('the oldest rows go when there are more than may be kept', async () => {
      await using harness = await openHarness()
      const rowsMax = 200
      const log = await harness.open(rowsMax)
      const ids = await appendMany(log, 1_000)
      const rows = await log.read(undefined, 1_000)
      assert.ok(
        rows.length >= rowsMax && rows.length <= rowsMax + harness.slack,
        `${rows.length} rows are kept`,
      )
      assert.deepEqual(
        rows.map((row) => row.id),
        ids.slice(-rows.length),
      )
      const [first] = rows
      assert.ok(first)
      assert.deepEqual(
        await log.read(ids[0], 1),
        [first],
        'after a row that is gone comes the oldest kept',
      )
      const [followed] = await take(log, ids[0], 1)
      assert.deepEqual(followed, first)
    })
  })
}

type LogTest = (title: string, run: (log: EventLog) => Promise<void>) => void

function readingTests(logTest: LogTest): void {
  logTest('rows come in the order of appending, with the ids that append gave', async (log) => {
    assert.deepEqual(await log.read(undefined, 10), [])
    const events = [
      anEvent('created'),
      { ...anEvent('crashed'), from: 'running', to: 'dumping', correlationId: 'c1' },
    ]
    const ids = [
      await log.append(events[0] ?? anEvent('')),
      await log.append(events[1] ?? anEvent('')),
    ]
    assert.deepEqual(
      await log.read(undefined, 10),
      events.map((event, index) => ({ id: ids[index], event })),
    )
  })

  logTest('reading goes on after a row, and gives no more than the limit', async (log) => {
    const ids = await appendMany(log, 10)
    const idsAfter = async (after: string | undefined, limit: number) =>
      (await log.read(after, limit)).map((row) => row.id)
    assert.deepEqual(await idsAfter(undefined, 3), ids.slice(0, 3))
    assert.deepEqual(await idsAfter(ids[2], 3), ids.slice(3, 6))
    assert.deepEqual(await idsAfter(ids[7], 3), ids.slice(8))
    assert.deepEqual(await idsAfter(ids[9], 3), [])
  })

  logTest('an event is kept as it was when it was appended', async (log) => {
    const detail = { missingBytes: 4096 }
    await log.append({ ...anEvent('captured'), detail })
    detail.missingBytes = 0
    const [row] = await log.read(undefined, 1)
    assert.deepEqual(row?.event.detail, { missingBytes: 4096 })
  })

  logTest(
    'an event that its schema refuses is not appended; the error names place and rule',
    async (log) => {
      const bytes: LabEvent = { ...anEvent('dumped'), detail: { memory: '00'.repeat(1_024) } }
      await assert.rejects(log.append(bytes), /the event is refused: #\/detail\/memory /)
      await assert.rejects(
        log.append({ ...anEvent('dumped'), time: 'yesterday' }),
        /#\/time Invalid ISO datetime/,
      )
      assert.deepEqual(await log.read(undefined, 10), [])
    },
  )

  logTest('what no log gave as the id of a row is refused', async (log) => {
    for (const id of ['', '0', '-', '+', '$', '1-1-1', 'x-0', '1-0\n']) {
      await assert.rejects(log.read(id, 1), /is not the id of an event row/, JSON.stringify(id))
      assert.throws(() => log.follow(id, AbortSignal.abort()), /is not the id of an event row/)
    }
  })

  logTest('a limit below 1 or above the rows that are kept is refused', async (log) => {
    for (const limit of [0, -1, 1.5, 100_001])
      await assert.rejects(log.read(undefined, limit), /a limit of/)
  })
}

function followingTests(logTest: LogTest): void {
  logTest(
    'a follower gets the rows that are appended after its call, and only those',
    async (log) => {
      await appendMany(log, 3)
      const stop = new AbortController()
      const following = log.follow(undefined, stop.signal)
      const ids = await appendMany(log, 3)
      assert.deepEqual(await idsOf(following, 3), ids)
      stop.abort()
    },
  )

  logTest(
    'a follower that names a row first gets all rows after it, then new ones as they come',
    async (log) => {
      const old = await appendMany(log, 250)
      const rows = log.follow(old[99], new AbortController().signal)[Symbol.asyncIterator]()
      for (const id of old.slice(100)) assert.equal((await rows.next()).value?.id, id)
      const next = rows.next()
      const id = await log.append(anEvent('created'))
      assert.deepEqual(await next, { done: false, value: { id, event: anEvent('created') } })
      await rows.return?.()
    },
  )

  logTest('followers do not take rows from one another', async (log) => {
    const stop = new AbortController()
    const followers = [1, 2, 3].map(() => idsOf(log.follow(undefined, stop.signal), 5))
    const ids = await appendMany(log, 5)
    assert.deepEqual(await Promise.all(followers), [ids, ids, ids])
    stop.abort()
  })

  logTest('following ends quietly when its signal aborts, also while it waits', async (log) => {
    const stop = new AbortController()
    const rows = log.follow(undefined, stop.signal)[Symbol.asyncIterator]()
    await log.append(anEvent('created'))
    assert.equal((await rows.next()).done, false)
    const waiting = rows.next()
    stop.abort(new Error('the client has gone'))
    assert.deepEqual(await waiting, { done: true, value: undefined })
    assert.deepEqual(
      await idsOf(log.follow(undefined, stop.signal), 1),
      [],
      'a signal that has aborted before',
    )
  })

  logTest('following ends when the log is closed', async (log) => {
    const rows = log.follow(undefined, new AbortController().signal)[Symbol.asyncIterator]()
    await log.append(anEvent('created'))
    await rows.next()
    const waiting = rows.next()
    await log[Symbol.asyncDispose]()
    assert.deepEqual(await waiting, { done: true, value: undefined })
  })
}

export function anEvent(event: string): LabEvent {
  return {
    time: '2011-07-12T00:00:00.000Z',
    service: 'hypervisor',
    aggregate: 'partition',
    subject: 'p1',
    event,
  }
}

async function appendMany(log: EventLog, count: number): Promise<readonly string[]> {
  return await Promise.all(
    Array.from({ length: count }, (_, index) => log.append(anEvent(`event ${index}`))),
  )
}

async function take(
  log: EventLog,
  after: string | undefined,
  count: number,
): Promise<readonly EventRow[]> {
  const stop = new AbortController()
  const rows: EventRow[] = []
  for await (const row of log.follow(after, stop.signal)) {
    rows.push(row)
    if (rows.length === count) stop.abort()
  }
  return rows
}

/** The ids of the first `count` rows, fewer when the rows end. */
async function idsOf(rows: AsyncIterable<EventRow>, count: number): Promise<readonly string[]> {
  const ids: string[] = []
  for await (const row of rows) {
    ids.push(row.id)
    if (ids.length === count) break
  }
  return ids
}
