/** What every composition starts and stops, whatever the service. */
import type { FastifyInstance } from 'fastify'

export interface Service extends AsyncDisposable {
  /** Routes, not listening yet: a composition listens on a port, a simulator injects. */
  readonly app: FastifyInstance
  /**
   * Takes up work: recovers what an earlier process left, starts queue workers. `baseUrl` is where others reach
   * this instance. Disposing stops taking work, hands back what is unfinished and closes the app.
   */
  start(baseUrl: string): Promise<void>
}
