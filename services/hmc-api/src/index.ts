/** The console: the public REST API in front of hypervisor, kernels and collectors. */
import { hmcRoutes, Problem, problems } from '@fadump-lab/shared/contracts'
import { createApp, serveRoutes, type Service } from '@fadump-lab/shared/http'
import { fastifySwagger, type StaticDocumentSpec } from '@fastify/swagger'
import { fastifySwaggerUi } from '@fastify/swagger-ui'
import type { HmcApiDeps } from './deps.ts'
import { listEvents, serveEventStream } from './events/routes.ts'
import { JobRunner } from './jobs/job-runner.ts'
import { openApiDocument } from './openapi/document.ts'
import { dumpHandlers } from './routes/dumps.ts'
import { inventoryHandlers } from './routes/inventory.ts'
import { operationHandlers } from './routes/operations.ts'

export type { HmcApiDeps } from './deps.ts'
export { openApiDocument } from './openapi/document.ts'

type SwaggerDocument = StaticDocumentSpec['document']

export async function buildHmcApi(deps: HmcApiDeps): Promise<Service> {
  const jobs = new JobRunner(deps)
  const app = createApp({
    logger: deps.logger,
    metrics: deps.metrics,
    newCorrelationId: () => deps.random.hex(8),
    ready: async () => {
      await deps.hypervisor.listFrames({})
      await deps.collector.listDumps({})
    },
  })
  serveEventStream(app, deps.events)
  const document = openApiDocument(hmcRoutes)
  app.get('/openapi.json', () => document)
  await app.register(fastifySwagger, {
    mode: 'static',
    specification: { document: document as unknown as SwaggerDocument },
  })
  await app.register(fastifySwaggerUi, { routePrefix: '/docs', uiConfig: { docExpansion: 'list' } })
  app.get('/', (_request, reply) => reply.redirect('/docs'))
  app.get<{ Params: { slug: string } }>('/problems/:slug', (request, reply) => {
    const slug = request.params.slug
    const row = Object.entries(problems).find(([name]) => name === slug)
    if (row === undefined) throw new Problem('not-found', `no problem is called ${slug}`)
    return reply.type('application/json').send({ type: `/problems/${slug}`, ...row[1] })
  })
  serveRoutes(app, hmcRoutes, {
    ...inventoryHandlers(deps),
    ...dumpHandlers(deps),
    ...operationHandlers(deps, jobs),
    listEvents: listEvents(deps.events),
  })
  return {
    app,
    start: () => Promise.resolve(),
    [Symbol.asyncDispose]: async () => {
      await jobs.stop()
      await app.close()
    },
  }
}
