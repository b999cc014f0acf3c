/** What every answer of the console goes through: security headers, and a bound on requests a client. */
import { Problem } from '@fadump-lab/shared/contracts'
import { fastifyHelmet } from '@fastify/helmet'
import { fastifyRateLimit } from '@fastify/rate-limit'
import type { FastifyInstance } from 'fastify'

export interface RequestLimits {
  /** From one address, on all routes together. */
  readonly requestsPerMinute: number
  /** Attempts to log on from one address. */
  readonly logonsPerMinute: number
}

const minuteMs = 60_000
/** Clients that are counted at the same time; the one that was quiet longest is forgotten. */
const clientsMax = 10_000
const logonPath = '/v1/sessions'

/** Before any route is added: both work on the routes that follow. */
export async function addEdge(
  app: FastifyInstance,
  given: { readonly limits: RequestLimits; readonly isTls: boolean },
): Promise<void> {
  await app.register(fastifyHelmet, {
    // The documentation page styles itself; everything it loads is ours.
    contentSecurityPolicy: {
      directives: {
        defaultSrc: ["'self'"],
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        frameAncestors: ["'none'"],
        upgradeInsecureRequests: given.isTls ? [] : null,
      },
    },
    strictTransportSecurity: given.isTls,
  })
  const { limits } = given
  app.addHook('onRoute', (route) => {
    if (route.url !== logonPath || route.method !== 'POST') return
    route.config = { ...route.config, rateLimit: { max: limits.logonsPerMinute } }
  })
  await app.register(fastifyRateLimit, {
    max: limits.requestsPerMinute,
    timeWindow: minuteMs,
    cache: clientsMax,
    errorResponseBuilder: (_request, { max, after }) =>
      new Problem('too-many-requests', `one client may make ${max} a minute; wait ${after}`),
  })
}
