import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { registerHooks } from 'node:module'
import type { AddressInfo } from 'node:net'
import test, { suite } from 'node:test'
import { z } from 'zod'
import { createLogger } from './logger.ts'
import { startTracing } from './start-tracing.ts'
import { tracesUrl, tracingConfig } from './tracing-config.ts'
import { beginSpan, boundToSpan, currentTraceparent, traced, untraced } from './tracing.ts'
import { recordSpans } from './testing/recorded-spans.ts'

const given = (env: Record<string, string>) => z.object(tracingConfig).parse(env)
const remote = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

suite('traces', () => {
  test('without an endpoint nothing of the SDK is loaded and no span exists', async () => {
    const loaded: string[] = []
    using _hooks = watchModules(loaded)
    const logger = createLogger({ service: 'test', level: 'silent' })
    for (const env of [
      {},
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318', OTEL_SDK_DISABLED: 'true' },
    ]) {
      assert.equal(await startTracing({ service: 'test', config: given(env), logger }), undefined)
    }
    const { isTraced } = beginSpan({ name: 'x', kind: 'server', remote: { traceparent: remote } })
    assert.equal(isTraced, false)
    assert.equal(
      await traced({ name: 'x', kind: 'internal' }, async () => currentTraceparent()),
      undefined,
    )
    assert.deepEqual(loaded, [])
    const on = given({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' })
    await using tracing = await startTracing({ service: 'test', config: on, logger })
    assert.ok(tracing)
    assert.ok(loaded.length > 0, 'the same look sees what is loaded when tracing is on')
  })

  test('a receiver that refuses or never answers does not keep a process from an orderly end', async () => {
    await using silent = await silentServer()
    const closed = await silentServer()
    await closed[Symbol.asyncDispose]()
    for (const { url } of [closed, silent]) {
      const lines: string[] = []
      const destination = { write: (line: string) => void lines.push(line) }
      const logger = createLogger({ service: 'test', level: 'warn', destination })
      const config = given({ OTEL_EXPORTER_OTLP_ENDPOINT: url })
      const tracing = await startTracing({ service: 'test', config, logger })
      await traced({ name: 'x', kind: 'internal' }, async () => undefined)
      await tracing?.[Symbol.asyncDispose]()
      assert.match(lines.join(''), /the last spans could not be sent/)
      assert.equal(beginSpan({ name: 'x', kind: 'internal' }).isTraced, false)
    }
  })

  test('the endpoint is the base of the path of traces, or the whole of it', () => {
    const url = (env: Record<string, string>) => tracesUrl(given(env))
    const base = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/' }
    assert.equal(url(base), 'http://collector:4318/v1/traces')
    const whole = { ...base, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://other/traces' }
    assert.equal(url(whole), 'http://other/traces')
    assert.throws(() => url({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }))
  })

  test('a span continues the trace that another process tells of', async () => {
    await using spans = await recordSpans()
    const told = await traced(
      { name: 'within', kind: 'server', remote: { traceparent: remote }, correlationId: 'c-1' },
      () => traced({ name: 'below', kind: 'client' }, async () => currentTraceparent()),
    )
    const [below, within] = await spans.ended()
    assert.equal(within?.traceId, '0af7651916cd43dd8448eb211c80319c')
    assert.equal(within?.parentId, 'b7ad6b7169203331')
    assert.equal(below?.parentId, within?.id)
    assert.equal(told, `00-${below?.traceId}-${below?.id}-01`)
    assert.equal(below?.attributes['fadump.correlation_id'], 'c-1')
  })

  test('what is not a traceparent, or none that is allowed, begins a trace of its own', async () => {
    await using spans = await recordSpans()
    const forged = [
      '',
      'x'.repeat(10_000),
      `${remote}\r\nx-evil: 1`,
      `${remote}-more`,
      remote.toUpperCase(),
      `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
      `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`,
      remote.replace(/^00/, 'ff'),
    ]
    for (const traceparent of forged) {
      await traced({ name: 'x', kind: 'consumer', remote: { traceparent } }, async () => undefined)
    }
    const ended = await spans.ended()
    assert.equal(ended.length, forged.length)
    for (const span of ended) {
      assert.equal(span.parentId, undefined)
      assert.notEqual(span.traceId, '0af7651916cd43dd8448eb211c80319c')
    }
  })

  test('a remote cause, known or not, takes the place of the span around', async () => {
    await using spans = await recordSpans()
    await traced({ name: 'around', kind: 'internal' }, () =>
      traced({ name: 'job', kind: 'consumer', remote: { traceparent: undefined } }, async () => {}),
    )
    const [job, around] = await spans.ended()
    assert.equal(job?.parentId, undefined)
    assert.notEqual(job?.traceId, around?.traceId)
  })

  test('an error is told by its kind, not by its words', async () => {
    await using spans = await recordSpans()
    const failing = traced({ name: 'x', kind: 'internal' }, async () => {
      throw new RangeError('planted words')
    })
    await assert.rejects(failing, RangeError)
    const [span] = await spans.ended()
    assert.equal(span?.attributes['error.type'], 'RangeError')
    assert.equal(span?.isFailed, true)
    assert.doesNotMatch(await spans.everything(), /planted/)
  })

  test('looking again and again is not recorded, here or elsewhere', async () => {
    await using spans = await recordSpans()
    const told = await traced({ name: 'job', kind: 'internal' }, () =>
      untraced(() => traced({ name: 'look', kind: 'client' }, async () => currentTraceparent())),
    )
    assert.match(told ?? '', /-00$/)
    assert.deepEqual(
      (await spans.ended()).map(({ name }) => name),
      ['job'],
    )
  })

  test('bound work belongs to the span in which it was bound', async () => {
    await using spans = await recordSpans()
    const later = await traced({ name: 'asks', kind: 'internal' }, async () =>
      boundToSpan(() => traced({ name: 'later', kind: 'internal' }, async () => undefined)),
    )
    await later()
    const [asks, below] = await spans.ended()
    assert.equal(below?.parentId, asks?.id)
  })
})

/** It takes connections and requests, and says nothing. */
async function silentServer(): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer(() => undefined).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** Notes what of OpenTelemetry beside its API is asked for from now on. */
function watchModules(loaded: string[]): Disposable {
  const hooks = registerHooks({
    resolve: (specifier, context, next) => {
      if (/^@opentelemetry\/(?!api)/.test(specifier)) loaded.push(specifier)
      return next(specifier, context)
    },
  })
  return { [Symbol.dispose]: () => hooks.deregister() }
}
