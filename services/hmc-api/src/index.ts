/** The console: the public REST API in front of hypervisor, kernels and collectors. */
import { hmcRoutes, openToAll, Problem, problems } from '@fadump-lab/shared/contracts'
import { createApp, serveRoutes, type Service } from '@fadump-lab/shared/http'
import { AuditTrail, createGuard } from '@fadump-lab/shared/identity'
import { fastifySwagger, type StaticDocumentSpec } from '@fastify/swagger'
import { fastifySwaggerUi } from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { addEdge } from './access/edge.ts'
import { defaultLimits } from './config.ts'
import type { HmcApiDeps } from './deps.ts'
import { listEvents, serveEventStream } from './events/routes.ts'
import { LifeFaults } from './faults/life-faults.ts'
import { RoomFaults } from './faults/room-faults.ts'
import { faultHandlers } from './faults/routes.ts'
import { JobRunner } from './jobs/job-runner.ts'
import { createOperations } from './jobs/operations.ts'
import { openApiDocument } from './openapi/document.ts'
import { captureMemoryHandlers } from './routes/capture-memory.ts'
import { dumpHandlers } from './routes/dumps.ts'
import { inventoryHandlers } from './routes/inventory.ts'
import { operationHandlers } from './routes/operations.ts'
import { soakHandlers } from './routes/soaks.ts'
import { userHandlers } from './routes/users.ts'
import { VitalLevels } from './soaks/base-level.ts'
import { Soaks } from './soaks/soaks.ts'

export type { HmcApiDeps } from './deps.ts'
export { processesBehind, type FindProcesses } from './faults/processes.ts'
export { openApiDocument } from './openapi/document.ts'
export { Sessions, sessionsPerUserMax } from './access/sessions.ts'
export { userFile, usersInMemory } from './access/user-file.ts'
export { Users } from './access/users.ts'
export { thin } from './soaks/base-level.ts'
export { nightlyCrashes } from './soaks/fault-plan.ts'
export { notesIn } from './soaks/oracle/core-outline.ts'
export { SoakRun } from './soaks/soak-run.ts'
export type { Levels, OutsideFaults, SoakDeps, SoakTools } from './soaks/soak-tools.ts'

type SwaggerDocument = StaticDocumentSpec['document']

export async function buildHmcApi(deps: HmcApiDeps): Promise<Service> {
  const jobs = new JobRunner(deps)
  const operations = createOperations(deps, jobs)
  const faults = new RoomFaults(deps)
  const levels = () => new VitalLevels({ deps, jobs })
  const soaks = new Soaks({ deps, jobs, operations, faults, levels }, deps.random)
  const app = createApp({
    guard: createGuard({ ...deps, userOf: (token) => deps.sessions.userOf(token) }),
    logger: deps.logger,
    metrics: deps.metrics,
    ...(deps.tls === undefined ? {} : { tls: deps.tls }),
    newCorrelationId: () => deps.random.hex(8),
    ready: async () => {
      await deps.hypervisor.listFrames({})
      await deps.collector.listDumps({})
    },
  })
  const isPublic = deps.isPublic ?? true
  if (isPublic) await addPublic(app, deps)
  const trail = new AuditTrail(deps, 'hmc-api')
  const inProcess = serveRoutes(app, hmcRoutes, {
    ...inventoryHandlers(deps),
    ...dumpHandlers(deps),
    ...captureMemoryHandlers(deps),
    ...operationHandlers(deps, jobs, operations),
    ...soakHandlers(soaks, deps.faults !== undefined),
    ...userHandlers({ ...deps, trail }),
    ...faultHandlers(faults, trail),
    listEvents: listEvents(deps.events),
  })
  let life: LifeFaults | undefined
  return {
    app,
    ...(isPublic ? {} : { inProcess }),
    start: async () => {
      if (deps.faults !== undefined) life = new LifeFaults(deps, deps.faults)
    },
    [Symbol.asyncDispose]: async () => {
      await soaks.close()
      await life?.[Symbol.asyncDispose]()
      await jobs.stop()
      await app.close()
    },
  }
}

/** What is for clients from outside: bounds, headers, a stream of events, pages. */
async function addPublic(app: FastifyInstance, deps: HmcApiDeps): Promise<void> {
  await addEdge(app, { limits: deps.limits ?? defaultLimits, isTls: deps.tls !== undefined })
  serveEventStream(app, deps.events)
  await addPages(app)
}

/** What people read: open to all, as it says nothing about this machine room. */
async function addPages(app: FastifyInstance): Promise<void> {
  const open = { config: { access: openToAll } }
  app.addHook('onRoute', (route) => {
    if (route.url === documentation || route.url.startsWith(`${documentation}/`)) {
      route.config = { ...route.config, ...open.config }
    }
  })
  const document = openApiDocument(hmcRoutes)
  app.get('/openapi.json', open, () => document)
  await app.register(fastifySwagger, {
    mode: 'static',
    specification: { document: document as unknown as SwaggerDocument },
  })
  await app.register(fastifySwaggerUi, {
    routePrefix: documentation,
    uiConfig: { docExpansion: 'list' },
  })
  app.get('/', open, (_request, reply) => reply.redirect(documentation))
  app.get<{ Params: { slug: string } }>('/problems/:slug', open, (request, reply) => {
    const slug = request.params.slug
    const row = Object.entries(problems).find(([name]) => name === slug)
    if (row === undefined) throw new Problem('not-found', `no problem is called ${slug}`)
    return reply.type('application/json').send({ type: `/problems/${slug}`, ...row[1] })
  })
}

const documentation = '/docs'
