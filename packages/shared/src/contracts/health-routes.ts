/** Health for whoever looks after the process; metrics for the monitor and for users. Every service has them. */
import { z } from 'zod'
import { openToAll } from './access.ts'
import { json, text, type Routes } from './route.ts'

const metricsBytesMax = 16 * 1024 * 1024

export const healthRoutes = {
  livez: {
    method: 'GET',
    access: openToAll,
    path: '/livez',
    summary: 'Whether the process answers at all',
    status: 200,
    reply: json(z.strictObject({ status: z.literal('alive') })),
    problems: [],
  },
  readyz: {
    method: 'GET',
    access: openToAll,
    path: '/readyz',
    summary: 'Whether the service can do its work; with status 503 and the reason when it cannot',
    status: 200,
    reply: json(
      z.strictObject({ status: z.enum(['ready', 'not ready']), reason: z.string().optional() }),
    ),
    problems: [],
  },
  metrics: {
    method: 'GET',
    access: { callers: { monitor: 'credential' }, role: 'viewer' },
    path: '/metrics',
    summary: 'Metrics, as Prometheus reads them',
    status: 200,
    reply: text(metricsBytesMax),
    problems: [],
  },
} as const satisfies Routes
