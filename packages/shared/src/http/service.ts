/** What every composition starts and stops, whatever the service. */
import type { FastifyInstance } from 'fastify'
import type { InProcessService } from './in-process-service.ts'

export interface Service extends AsyncDisposable {
  /** Routes, not listening yet: a composition listens on a port, a simulator injects. */
  readonly app: FastifyInstance
  /** The same routes without HTTP; absent when the service does more about a request than its routes say. */
  readonly inProcess?: InProcessService
  /**
   * Takes up work: recovers what an earlier process left, starts queue workers. `baseUrl` is where others reach
   * this instance. Disposing stops taking work, hands back what is unfinished and closes the app.
   */
  start(baseUrl: string): Promise<void>
}
