/** Begins to trace, for a process whose operator asks for it. Without that nothing of the SDK is even loaded. */
import type { Logger } from './logger.ts'
import { tracesUrl, type TracingConfig } from './tracing-config.ts'

/** Disposing sends what is left and ends all tracing. */
export type Tracing = AsyncDisposable

/** `undefined` when the configuration does not ask for traces. Once a process. */
export async function startTracing(options: {
  readonly service: string
  readonly config: TracingConfig
  readonly logger: Logger
}): Promise<Tracing | undefined> {
  const url = tracesUrl(options.config)
  if (url === undefined) return undefined
  const { exportSpans } = await import('./export-spans.ts')
  return exportSpans({ ...options, url })
}
