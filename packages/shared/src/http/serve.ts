/** Route tables served: over sockets by fastify, and within the process without them. */
import type { FastifyInstance } from 'fastify'
import type { Routes } from '../contracts/index.ts'
import { addRoutes, rowsOf } from './add-routes.ts'
import type { Handlers } from './exchange.ts'
import { InProcessService } from './in-process-service.ts'

/**
 * Adds every route of the table to `app`; the compiler asks for a handler per route. What it gives answers the same
 * requests, and those for health, without HTTP: for services that add nothing of their own between `createApp` and the routes.
 */
export function serveRoutes<const Rs extends Routes>(
  app: FastifyInstance,
  routes: Rs,
  handlers: Handlers<Rs>,
): InProcessService {
  const rows = rowsOf(routes, handlers)
  addRoutes(app, rows)
  return new InProcessService(app, [...rows, ...(app.edge?.health ?? [])])
}
