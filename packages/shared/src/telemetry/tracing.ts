/**
 * Traces: the port. Spans go through the OpenTelemetry API, which does nothing until `startTracing` has been called.
 *
 * Attributes name things and count them: never a credential, a query, a body or a byte of partition memory. For the same
 * reason an error is told by its kind (`error.type`), not by its message.
 */
import {
  context,
  createContextKey,
  INVALID_SPAN_CONTEXT,
  isSpanContextValid,
  propagation,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type Span,
  type Tracer,
} from '@opentelemetry/api'

/** The instrumentation scope of every span. */
const scope = 'fadump-lab'
/** The attribute that every span of a request or a job has: the id that logs and events carry as well. */
export const correlationAttribute = 'fadump.correlation_id'

const correlationKey = createContextKey('fadump-lab correlation id')

const kinds = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const

export interface NewSpan {
  readonly name: string
  readonly kind: keyof typeof kinds
  /** Asked for when the span is recorded. */
  readonly attributes?: () => Attributes
  /** What another process said of the span that caused this one: its `traceparent`. Absent: nobody said anything. */
  readonly remote?: { readonly traceparent: string | undefined }
  /** Passed on to all spans within; absent: that of the span around this one. */
  readonly correlationId?: string | undefined
}

export type { Attributes as SpanAttributes, Span } from '@opentelemetry/api'

/** A span that has begun, and the surroundings in which work belongs to it. */
export interface BegunSpan {
  readonly span: Span
  /** False when nobody traces: there is nothing to end or to pass on. */
  readonly isTraced: boolean
  /** Runs `work`, and whatever it begins, within the span. */
  readonly run: <T>(work: () => T) => T
}

/** Where nobody traces, nothing is begun: even spans that do nothing cost what a small request does. */
const noSpan: BegunSpan = {
  span: trace.wrapSpanContext(INVALID_SPAN_CONTEXT),
  isTraced: false,
  run: (work) => work(),
}

/** The tracer of whoever traces in this process. */
function presentTracer(): Tracer | undefined {
  const provider = trace.getTracerProvider()
  return provider instanceof ProxyTracerProvider
    ? provider.getDelegateTracer(scope)
    : provider.getTracer(scope)
}

/** Begins a span within the one around it, or within its remote cause. Whoever begins one ends it. */
export function beginSpan({ name, kind, attributes, remote, correlationId }: NewSpan): BegunSpan {
  const tracer = presentTracer()
  if (tracer === undefined) return noSpan
  const around = remote === undefined ? context.active() : contextOf(remote.traceparent)
  const id = correlationId ?? around.getValue(correlationKey)
  const span = tracer.startSpan(name, { kind: kinds[kind] }, around)
  if (span.isRecording()) {
    if (typeof id === 'string') span.setAttribute(correlationAttribute, id)
    if (attributes !== undefined) span.setAttributes(attributes())
  }
  const within = trace.setSpan(around.setValue(correlationKey, id), span)
  return {
    span,
    isTraced: isSpanContextValid(span.spanContext()),
    run: (work) => context.with(within, work),
  }
}

/** Runs `work` within a span that ends with it. */
export async function traced<T>(start: NewSpan, work: (span: Span) => Promise<T>): Promise<T> {
  const { span, run } = beginSpan(start)
  try {
    return await run(() => work(span))
  } catch (error) {
    failSpan(span, errorType(error))
    throw error
  } finally {
    span.end()
  }
}

/** Marks the span as failed; `type` is of few values: a kind of error, or a status. */
export function failSpan(span: Span, type: string): void {
  span.setAttribute('error.type', type)
  span.setStatus({ code: SpanStatusCode.ERROR })
}

function errorType(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'slug' in error) return String(error.slug)
  return error instanceof Error ? error.name : typeof error
}

/** Runs `work` without recording it or what others do for it: for looking at something again and again. */
export function untraced<T>(work: () => T): T {
  const spanContext = trace.getSpanContext(context.active())
  if (spanContext === undefined) return work()
  const quiet = { ...spanContext, traceFlags: TraceFlags.NONE }
  return context.with(trace.setSpanContext(context.active(), quiet), work)
}

/** `work`, belonging to the span that is around now, whenever and by whomever it is called. */
export function boundToSpan<A extends unknown[], R>(work: (...args: A) => R): (...args: A) => R {
  return context.bind(context.active(), work)
}

/** Version, trace, span and flags of W3C Trace Context level 1, in lower-case hexadecimal. */
const traceparentRule = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/

/** The span around now, as it is told to another process; `undefined` when nobody traces. */
export function currentTraceparent(): string | undefined {
  if (presentTracer() === undefined) return undefined
  const carrier: { traceparent?: string } = {}
  propagation.inject(context.active(), carrier)
  return carrier.traceparent
}

/** What is not exactly a traceparent says nothing; what is decides about nothing but where spans are shown. */
function contextOf(traceparent: string | undefined): Context {
  if (traceparent === undefined || !traceparentRule.test(traceparent)) return ROOT_CONTEXT
  return propagation.extract(ROOT_CONTEXT, { traceparent })
}
