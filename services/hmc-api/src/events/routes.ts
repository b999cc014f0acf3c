/** The event stream over HTTP: a page of rows as JSON, or rows as they come as server-sent events. */
import { Readable } from 'node:stream'
import { hmcRoutes, labEvent, Problem, type LabEvent } from '@fadump-lab/shared/contracts'
import type { Handler } from '@fadump-lab/shared/http'
import type { EventLog, EventRow } from '@fadump-lab/shared/queue'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

type Filter = {
  readonly correlationId?: string | undefined
  readonly partition?: string | undefined
}

/** Rows that one JSON page looks at before it gives up filtering. */
const scannedMax = 100_000

export function listEvents(events: EventLog): Handler<(typeof hmcRoutes)['listEvents']> {
  return async ({ query }) => {
    const rows: EventRow[] = []
    let after = query.after
    for (let scanned = 0; scanned < scannedMax && rows.length < query.limit;) {
      const page = await readPage(events, after, query.limit)
      rows.push(...page.filter(({ event }) => matches(event, query)))
      scanned += page.length
      after = page.at(-1)?.id
      if (page.length < query.limit) break
    }
    return rows.slice(0, query.limit)
  }
}

/** An id that no log gave is the caller's mistake. */
async function readPage(
  events: EventLog,
  after: string | undefined,
  limit: number,
): Promise<readonly EventRow[]> {
  try {
    return await events.read(after, limit)
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw new Problem('invalid-request', `query: after: ${cause.message}`, { cause })
    }
    throw cause
  }
}

/** Answers `GET /v1/events` with `Accept: text/event-stream` before the JSON handler sees it. */
export function serveEventStream(app: FastifyInstance, events: EventLog): void {
  app.addHook('preHandler', async (request, reply) => {
    if (request.routeOptions.url !== hmcRoutes.listEvents.path) return undefined
    if (request.headers.accept?.includes('text/event-stream') !== true) return undefined
    return stream(events, request, reply)
  })
}

function stream(events: EventLog, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  const lastSeen = request.headers['last-event-id']
  const query = request.query as Filter & { readonly after?: string }
  const after = typeof lastSeen === 'string' ? lastSeen : query.after
  return reply
    .header('content-type', 'text/event-stream')
    .header('cache-control', 'no-store')
    .send(Readable.from(lines(events.follow(after, gone.signal), query), { objectMode: false }))
}

/** A first comment makes the headers leave at once, so that a client knows it is connected. */
async function* lines(rows: AsyncIterable<EventRow>, filter: Filter): AsyncGenerator<string> {
  yield ': fadump-lab events\n\n'
  for await (const { id, event } of rows) {
    if (!matches(event, filter)) continue
    yield `id: ${id}\nevent: ${event.event}\ndata: ${JSON.stringify(labEvent.encode(event))}\n\n`
  }
}

function matches(event: LabEvent, filter: Filter): boolean {
  if (filter.correlationId !== undefined && event.correlationId !== filter.correlationId)
    return false
  return filter.partition === undefined || concerns(event, filter.partition)
}

/** Events of the partition itself, of its dumps (their ids name it), and those that name it in their detail. */
function concerns(event: LabEvent, partition: string): boolean {
  if (event.subject === partition || event.detail?.['partition'] === partition) return true
  if (event.aggregate !== 'dump' || !event.subject.startsWith(`${partition}-`)) return false
  return /^[0-9a-f]+-\d+$/.test(event.subject.slice(partition.length + 1))
}
