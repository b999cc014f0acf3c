/** The console's environment variables, each with unit, default and purpose. */
import { commonConfig, portConfig } from '@fadump-lab/shared/http'
import { envInteger } from '@fadump-lab/shared/runtime'
import { z } from 'zod'
import type { RequestLimits } from './access/edge.ts'

export const configSchema = z.object({
  ...commonConfig,
  PORT: portConfig(8080),
  HYPERVISOR_URL: z.url().default('http://127.0.0.1:8081').describe('The hypervisor.'),
  LPAR_KERNEL_URL: z.url().default('http://127.0.0.1:8082').describe('The kernel hosts.'),
  DUMP_COLLECTOR_URL: z.url().default('http://127.0.0.1:8083').describe('The dump collectors.'),
  REDIS_CONTROL_URL: z
    .url()
    .default('redis://127.0.0.1:6379/0')
    .describe('Redis that holds queues and events.'),
  REDIS_CONTROL_PASSWORD_FILE: z
    .string()
    .optional()
    .describe(
      'File with the password of the user in REDIS_CONTROL_URL; default: the one in the URL.',
    ),
  USERS_FILE: z
    .string()
    .describe(
      'File with the users; made with a first administrator when absent. The console writes it.',
    ),
  ADMINISTRATOR_PASSWORD_FILE: z
    .string()
    .optional()
    .describe(
      'File with the password of the first administrator, `admin`; made when absent. Default: `administrator-password` beside USERS_FILE.',
    ),
  SESSION_MINUTES: envInteger(1, 43_200)
    .prefault('480')
    .describe('Minutes after which a user has to log on again.'),
  REQUESTS_PER_MINUTE_MAX: envInteger(1, 100_000_000)
    .prefault('60000')
    .describe('Requests that one address may make in a minute.'),
  LOGONS_PER_MINUTE_MAX: envInteger(1, 1_000_000)
    .prefault('30')
    .describe('Attempts to log on that one address may make in a minute.'),
  TLS_CERTIFICATE_FILE: z
    .string()
    .optional()
    .describe('File with the certificate chain, PEM; with TLS_KEY_FILE the console speaks HTTPS.'),
  TLS_KEY_FILE: z
    .string()
    .optional()
    .describe('File with the private key of the certificate, PEM.'),
  JOB_TIMEOUT_MS: envInteger(1_000, 86_400_000)
    .prefault('3600000')
    .describe('Milliseconds one job may take.'),
})
export type HmcApiConfig = Readonly<z.output<typeof configSchema>>

/** For compositions without an environment: the same values as the defaults above. */
export const defaultLimits: RequestLimits = { requestsPerMinute: 60_000, logonsPerMinute: 30 }

export function limitsOf(config: HmcApiConfig): RequestLimits {
  return {
    requestsPerMinute: config.REQUESTS_PER_MINUTE_MAX,
    logonsPerMinute: config.LOGONS_PER_MINUTE_MAX,
  }
}
