/** The OpenTelemetry SDK of a process: spans in batches by OTLP over HTTP. Loaded by `startTracing` only. */
import { context, diag, DiagLogLevel, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import {
  defaultResource,
  detectResources,
  envDetector,
  hostDetector,
  type ResourceDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
} from '@opentelemetry/resources'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type Sampler,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace'
import { ATTR_SERVICE_NAME } from '@opentelemetry/semantic-conventions'
import type { Logger } from './logger.ts'
import type { samplers, TracingConfig } from './tracing-config.ts'

/** Spans that wait to be sent; with no room left new ones are dropped. */
const waitingSpansMax = 2_048
/** How long a span waits for others to go with it. */
const exportEveryMs = 2_000
/** How long a batch may take; at the end of a process as well. */
const exportTimeoutMs = 3_000

export function exportSpans(options: {
  readonly service: string
  readonly config: TracingConfig
  readonly logger: Logger
  readonly url: string
}): AsyncDisposable {
  const { service, config, logger, url } = options
  const told = (message: string) => logger.warn({ reason: message.slice(0, 500) }, 'tracing')
  const silent = () => undefined
  diag.setLogger(
    { error: told, warn: told, info: silent, debug: silent, verbose: silent },
    DiagLogLevel.WARN,
  )
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: exportTimeoutMs })
  const tracing = traceWith({
    service,
    config,
    processor: new BatchSpanProcessor({
      exporter,
      maxQueueSize: waitingSpansMax,
      scheduledDelayMillis: exportEveryMs,
      exportTimeoutMillis: exportTimeoutMs,
    }),
  })
  logger.info({ sampler: config.OTEL_TRACES_SAMPLER }, 'tracing is on')
  return {
    // A receiver that is away costs spans: it does not make the end of the service a failure.
    [Symbol.asyncDispose]: async () => {
      try {
        await tracing[Symbol.asyncDispose]()
      } catch (error) {
        logger.warn({ err: error }, 'the last spans could not be sent')
      }
    },
  }
}

/** Makes `processor` the receiver of this process's spans until it is disposed. */
export function traceWith(options: {
  readonly service: string
  readonly config: Pick<TracingConfig, 'OTEL_TRACES_SAMPLER' | 'OTEL_TRACES_SAMPLER_ARG'>
  readonly processor: SpanProcessor
}): AsyncDisposable {
  const detected = detectResources({
    detectors: [hostDetector, processName, serviceInstanceIdDetector, envDetector],
  })
  const own = resourceFromAttributes({
    'service.namespace': 'fadump-lab',
    [ATTR_SERVICE_NAME]: options.service,
  })
  const { OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: share } = options.config
  const provider = new TracerProvider({
    resource: defaultResource().merge(own).merge(detected),
    sampler: samplerTable[sampler](share),
    spanProcessors: [options.processor],
  })
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  trace.setGlobalTracerProvider(provider)
  return {
    [Symbol.asyncDispose]: async () => {
      try {
        await provider.shutdown()
      } finally {
        trace.disable()
        propagation.disable()
        context.disable()
        diag.disable()
      }
    },
  }
}

/** Of the process no more than its number: a command line may name files that are nobody's business. */
const processName: ResourceDetector = {
  detect: () => ({ attributes: { 'process.pid': process.pid } }),
}

const samplerTable: Readonly<Record<(typeof samplers)[number], (share: number) => Sampler>> = {
  always_on: () => new AlwaysOnSampler(),
  always_off: () => new AlwaysOffSampler(),
  traceidratio: (share) => new TraceIdRatioBasedSampler(share),
  parentbased_always_on: () => new ParentBasedSampler({ root: new AlwaysOnSampler() }),
  parentbased_always_off: () => new ParentBasedSampler({ root: new AlwaysOffSampler() }),
  parentbased_traceidratio: (share) =>
    new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(share) }),
}
