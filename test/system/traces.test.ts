/** One crash, one trace: from the console's request to the release, through four services and two queues. */
import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { dumpToken, type RoomKeys } from '@fadump-lab/shared/identity'
import {
  recordSpans,
  type RecordedSpan,
} from '../../packages/shared/src/telemetry/testing/recorded-spans.ts'
import { eventually } from '../support/eventually.ts'
import { startProcessRoom } from '../support/processes.ts'
import { startRoom } from '../support/room.ts'
import { startSpanReceiver } from '../support/span-receiver.ts'
import { without } from '../support/tools.ts'

const MiB = 2 ** 20
const partition = { id: 'p1', memoryBytes: 1024 * MiB, processors: 1 }
const release = 'PUT /partitions/:partition/sys/kernel/fadump_release_mem'

/** From the release up to the request: what was caused by what, and where. */
const causes = [
  ['lpar-kernel', release],
  ['dump-collector', release],
  ['dump-collector', 'capture releasing'],
  ['dump-collector', 'process capture'],
  ['lpar-kernel', 'add capture'],
  ['lpar-kernel', 'process ipl'],
  ['hypervisor', 'add ipl'],
  ['hypervisor', 'preserve'],
  ['hypervisor', 'POST /partitions/:partition/rtas'],
  ['lpar-kernel', 'POST /partitions/:partition/rtas'],
  ['lpar-kernel', 'POST /partitions/:partition/crash'],
  ['hmc-api', 'POST /partitions/:partition/crash'],
  ['hmc-api', 'POST /v1/partitions/:partition/crash'],
] as const

/** Every attribute that a span may have: names and counts, nothing that anybody has typed or stored. */
const attributesAllowed = [
  'error.type',
  'fadump.correlation_id',
  'fadump.cuts',
  'fadump.dump',
  'fadump.hmc_job',
  'fadump.job.attempt',
  'fadump.partition',
  'fadump.preserve.outcome',
  'fadump.received_bytes',
  'http.request.method',
  'http.response.status_code',
  'http.route',
  'messaging.destination.name',
  'messaging.message.id',
  'messaging.operation.name',
  'messaging.operation.type',
  'messaging.system',
  'server.address',
  'server.port',
  'url.full',
  'url.path',
  'url.scheme',
  'url.template',
]

suite('traces', () => {
  test('one crash is one trace: the release hangs below the request for the crash', async () => {
    await using spans = await recordSpans()
    await using room = await startRoom()
    await room.api.boot(partition)
    const dump = await room.api.crash('p1')
    const aboveRelease = (all: readonly RecordedSpan[]): readonly RecordedSpan[] =>
      ancestors(
        all,
        all.find(({ name, kind }) => name === release && kind === 'server'),
      )
    // The collector's job ends a little after the dump that it gives.
    const isWhole = async (): Promise<boolean> =>
      aboveRelease(await spans.ended()).length >= causes.length
    await eventually('the whole trace is there', isWhole)
    const ended = await spans.ended()
    const above = aboveRelease(ended)
    assert.deepEqual(
      above.slice(0, causes.length).map(({ name }) => name),
      causes.map(([, name]) => name),
    )
    const trace = ended.filter(({ traceId }) => traceId === above[0]?.traceId)
    const transfer = trace.find(({ name }) => name === 'capture transferring')
    assert.equal(transfer?.attributes['fadump.received_bytes'], Number(dump.transferredBytes))
    // The one above the console is this test's own client: it has no id yet.
    const ids = new Set(trace.slice(0, -1).map((span) => span.attributes['fadump.correlation_id']))
    assert.deepEqual(
      [...ids].filter((id) => id !== undefined),
      [dump.correlationId],
    )
    assert.ok(trace.some(({ name }) => name === 'job crash'))
    const looks = trace.filter(({ name }) => name === 'GET /partitions/:partition')
    assert.ok(looks.length <= 6, `waiting is not recorded, but ${looks.length} looks are`)
  })

  test('spans have no secret and no attribute that is not listed', async () => {
    await using spans = await recordSpans()
    await using room = await startRoom()
    await room.api.boot(partition)
    const dump = await room.api.crash('p1')
    await fetch(`${room.urls.console}/v1/events?partition=planted-query`, { headers: room.headers })
    await fetch(`${room.urls.console}/planted-path`, { headers: room.headers })
    const sent = await spans.everything()
    assert.deepEqual(secretsIn(sent, { keys: room.keys, dump: dump.id }), [])
    assert.ok(!sent.includes(room.headers.authorization.slice('Bearer '.length)))
    assert.doesNotMatch(sent, /planted/)
    const names = (await spans.ended()).flatMap((span) => Object.keys(span.attributes))
    assert.deepEqual(
      [...new Set(names)].filter((name) => !attributesAllowed.includes(name)),
      [],
    )
  })

  test(
    'processes and BullMQ pass the trace on, to a receiver that the standard variable names',
    { skip: without('redis-server') },
    async () => {
      await using receiver = await startSpanReceiver()
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }
      await using room = await startProcessRoom({ env })
      await room.api.boot(partition)
      const dump = await room.api.crash('p1')
      assert.equal(dump.status, 'complete')
      const chain = () => {
        const spans = receiver.spans().map((span) => ({
          ...span,
          id: span.spanId,
          parentId: span.parentSpanId === '' ? undefined : span.parentSpanId,
        }))
        const released = spans.find(
          (span) => span.name === release && span.service === 'lpar-kernel',
        )
        return ancestors(spans, released).map(({ service, name }) => [service, name])
      }
      await eventually('the whole trace is there', () => chain().length === causes.length, 30_000)
      assert.deepEqual(chain(), causes)
      assert.deepEqual(secretsIn(receiver.text(), { keys: room.keys, dump: dump.id }), [])
      assert.ok(!receiver.text().includes(room.token()))
    },
  )
})

interface Linked {
  readonly id: string
  readonly parentId: string | undefined
}

/** The span and all above it, as far as they are known. */
function ancestors<S extends Linked>(spans: readonly S[], from: S | undefined): readonly S[] {
  const byId = new Map(spans.map((span) => [span.id, span]))
  const found: S[] = []
  for (let span = from; span !== undefined; span = byId.get(span.parentId ?? '')) found.push(span)
  return found
}

function secretsIn(
  sent: string,
  { keys, dump }: { readonly keys: RoomKeys; readonly dump: string },
): readonly string[] {
  const tokens = Array.from({ length: 8 }, (_, epoch) =>
    dumpToken(keys.dumpKey, { dump, epoch }).split('.').at(-1),
  )
  const secrets = [...Object.values(keys.secrets), keys.dumpKey, ...tokens]
  return secrets.filter((secret) => secret !== undefined).filter((secret) => sent.includes(secret))
}
