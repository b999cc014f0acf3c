/** How a service is: alive, ready, and what it has counted. */
import type { healthRoutes } from '../contracts/index.ts'
import type { Metrics } from '../telemetry/index.ts'
import type { Handlers } from './exchange.ts'

export interface HealthDeps {
  readonly metrics: Metrics
  /** Resolves when the service can do its work; its rejection is the body of a 503 on /readyz. */
  readonly ready: () => Promise<void>
}

export function healthHandlers({ metrics, ready }: HealthDeps): Handlers<typeof healthRoutes> {
  return {
    livez: async () => ({ status: 'alive' }),
    readyz: async (_input, reply) => {
      try {
        await ready()
        return { status: 'ready' }
      } catch (error) {
        reply.status(503)
        return {
          status: 'not ready',
          reason: error instanceof Error ? error.message : String(error),
        }
      }
    },
    metrics: async (_input, reply) => {
      reply.header('content-type', metrics.contentType)
      return metrics.expose()
    },
  }
}
