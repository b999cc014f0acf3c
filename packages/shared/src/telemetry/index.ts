/** Logs and metrics: names in one place. */
export { createLogger, logLevels, type Logger, type LogLevel } from './logger.ts'
export { createMetrics, metricTable, type MetricName, type Metrics } from './metrics.ts'
