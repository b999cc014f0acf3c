/** Spans of this process, kept for a test to look at. */
import type { ReadableSpan } from '@opentelemetry/sdk-trace'

export interface RecordedSpan {
  readonly name: string
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer'
  readonly traceId: string
  readonly id: string
  readonly parentId: string | undefined
  readonly attributes: ReadableSpan['attributes']
  readonly isFailed: boolean
}

export interface RecordedSpans extends AsyncDisposable {
  /** In the order in which they ended. */
  ended(): Promise<readonly RecordedSpan[]>
  /** All that an exporter would be given, as text. */
  everything(): Promise<string>
}

const kinds = ['internal', 'server', 'client', 'producer', 'consumer'] as const

/** Traces until disposed. The SDK comes in by import(), so that a test can look at what is loaded without it. */
export async function recordSpans(): Promise<RecordedSpans> {
  const { InMemorySpanExporter, SimpleSpanProcessor } = await import('@opentelemetry/sdk-trace')
  const { traceWith } = await import('../export-spans.ts')
  const exporter = new InMemorySpanExporter()
  const processor = new SimpleSpanProcessor({ exporter })
  const tracing = traceWith({
    service: 'test',
    config: { OTEL_TRACES_SAMPLER: 'parentbased_always_on', OTEL_TRACES_SAMPLER_ARG: 1 },
    processor,
  })
  const all = async (): Promise<readonly ReadableSpan[]> => {
    await processor.forceFlush()
    return exporter.getFinishedSpans()
  }
  return {
    ended: async () => (await all()).map(recorded),
    everything: async () => textOf(await all()),
    [Symbol.asyncDispose]: () => tracing[Symbol.asyncDispose](),
  }
}

function recorded(span: ReadableSpan): RecordedSpan {
  const { traceId, spanId } = span.spanContext()
  return {
    name: span.name,
    kind: kinds[span.kind],
    traceId,
    id: spanId,
    parentId: span.parentSpanContext?.spanId,
    attributes: span.attributes,
    isFailed: span.status.code === errorStatus,
  }
}

/** `SpanStatusCode.ERROR`. */
const errorStatus = 2

function textOf(spans: readonly ReadableSpan[]): string {
  return JSON.stringify(
    spans.map(({ name, attributes, events, links, status, resource }) => [
      name,
      attributes,
      events,
      links,
      status,
      resource.attributes,
    ]),
  )
}
