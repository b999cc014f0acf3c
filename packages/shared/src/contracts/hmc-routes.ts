/** The console: the public REST API. */
import { z } from 'zod'
import type { Access, Role } from './access.ts'
import { captureMemoryRoutes, estimateRoutes } from './capture-memory-routes.ts'
import { collectorRoutes } from './collector-routes.ts'
import { roomFaultRoutes } from './fault-routes.ts'
import { labEvent } from './events.ts'
import { hmcJob } from './hmc-job.ts'
import { correlationId, partitionId } from './ids.ts'
import { inventoryRoutes } from './inventory-routes.ts'
import { lparKernelRoutes } from './lpar-kernel-routes.ts'
import { crashRequest } from './partition.ts'
import { jobParams, partitionParams } from './route-parameters.ts'
import { json, type Route } from './route.ts'
import { structureRoutes } from './structure-routes.ts'
import { soakRoutes } from './soak-routes.ts'
import { userRoutes } from './user-routes.ts'

const operation = {
  access: { role: 'operator' },
  method: 'POST',
  params: partitionParams,
  status: 202,
  reply: json(hmcJob),
  problems: ['not-found', 'wrong-state'],
} as const

/** A route that users may call. */
type PublicRoute = Route & { readonly access: { readonly role: Role | 'anyone' } }

/** Below /v1 and for users only: what services may do is said by the route that they call themselves. */
function versioned<const R extends Readonly<Record<string, PublicRoute>>>(
  routes: R,
): { [K in keyof R]: R[K] } {
  const entries = Object.entries(routes).map(([name, route]) => {
    const access: Access = { role: route.access.role }
    return [name, { ...route, access, path: `/v1${route.path}` }]
  })
  return Object.fromEntries(entries) as { [K in keyof R]: R[K] }
}

export const hmcRoutes = versioned({
  ...inventoryRoutes,
  ...structureRoutes,
  ...collectorRoutes,
  ...userRoutes,
  ...roomFaultRoutes,
  ...captureMemoryRoutes,
  ...estimateRoutes,
  ...soakRoutes,
  activate: {
    ...operation,
    path: '/partitions/:partition/activate',
    summary:
      'Activate: the job ends when the first kernel is up and has registered a dump, if it is to',
  },
  shutdownPartition: {
    ...operation,
    path: '/partitions/:partition/shutdown',
    summary: 'Shut down, by the operating system or immediately',
    body: json(z.strictObject({ immediate: z.boolean().default(false) })),
  },
  restart: {
    ...operation,
    path: '/partitions/:partition/restart',
    summary: 'Immediate restart, without a dump',
  },
  crash: {
    ...operation,
    path: '/partitions/:partition/crash',
    summary: 'Crash the kernel; the job ends when the dump is stored and the partition is up again',
    body: json(crashRequest),
    problems: ['not-found', 'wrong-state', 'invalid-configuration'],
  },
  dumpRestart: {
    ...operation,
    path: '/partitions/:partition/dump-restart',
    summary: 'Dump, then restart (operator panel function 22)',
  },
  listJobs: {
    method: 'GET',
    access: { role: 'viewer' },
    path: '/jobs',
    summary: 'List jobs, newest first',
    status: 200,
    reply: json(z.array(hmcJob)),
    problems: [],
  },
  getJob: {
    method: 'GET',
    access: { role: 'viewer' },
    path: '/jobs/:job',
    summary: 'One job',
    params: jobParams,
    status: 200,
    reply: json(hmcJob),
    problems: ['not-found'],
  },
  readPartitionFile: {
    ...lparKernelRoutes.readFile,
    summary: 'Read a sysfs or debugfs file of the running partition',
  },
  writePartitionFile: {
    ...lparKernelRoutes.writeFile,
    summary: 'Write a sysfs file of the running partition',
  },
  runWorkload: lparKernelRoutes.runWorkload,
  readPartitionProc: {
    ...lparKernelRoutes.readProc,
    access: { role: 'operator' },
    summary: 'Read /proc/cmdline, /proc/meminfo, /proc/kmsg, /proc/version of the partition',
  },
  listEvents: {
    method: 'GET',
    access: { role: 'viewer' },
    path: '/events',
    summary: 'Events, oldest first; with Accept text/event-stream they keep coming',
    query: z.strictObject({
      after: z.string().max(64).optional(),
      limit: z.coerce.number().int().min(1).max(10_000).default(1000),
      correlationId: correlationId.optional(),
      partition: partitionId.optional(),
    }),
    status: 200,
    reply: json(z.array(z.strictObject({ id: z.string(), event: labEvent }))),
    problems: [],
  },
})
