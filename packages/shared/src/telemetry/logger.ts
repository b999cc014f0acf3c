/** Structured logs: constant messages, facts in fields, addresses as hex; never bytes of partition memory. */
import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino'

export type Logger = PinoLogger

export const logLevels = ['silent', 'error', 'warn', 'info', 'debug', 'trace'] as const
export type LogLevel = (typeof logLevels)[number]

/** JSON lines on `destination` (standard error when absent). */
export function createLogger(options: {
  readonly service: string
  readonly level: LogLevel
  readonly destination?: DestinationStream
}): Logger {
  const settings = { level: options.level, base: { service: options.service } }
  return pino(settings, options.destination ?? pino.destination(2))
}
