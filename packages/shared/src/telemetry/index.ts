/** Logs, metrics and traces: names in one place. */
export { createLogger, logLevels, type Logger, type LogLevel } from './logger.ts'
export { createMetrics, metricTable, type MetricName, type Metrics } from './metrics.ts'
export { startTracing, type Tracing } from './start-tracing.ts'
export { tracingConfig, type TracingConfig } from './tracing-config.ts'
export {
  beginSpan,
  boundToSpan,
  correlationAttribute,
  currentTraceparent,
  failSpan,
  traced,
  untraced,
  type BegunSpan,
  type NewSpan,
  type Span,
  type SpanAttributes,
} from './tracing.ts'
