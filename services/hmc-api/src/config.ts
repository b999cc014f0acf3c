import { envInteger } from '@fadump-lab/shared/runtime'
import { logLevels } from '@fadump-lab/shared/telemetry'
/** The console's settings. */
import { z } from 'zod'

export const hmcApiConfig = z.object({
  HOST: z.string().default('127.0.0.1').describe('Address to listen on.'),
  PORT: envInteger(0, 65_535).prefault('8080').describe('Port of the public REST API.'),
  HYPERVISOR_URL: z.url().describe('Base URL of the hypervisor service.'),
  LPAR_KERNEL_URL: z.url().describe('Base URL of the kernel hosts.'),
  DUMP_COLLECTOR_URL: z.url().describe('Base URL of the dump collectors.'),
  REDIS_CONTROL_URL: z.url().describe('Redis that carries queues and events.'),
  JOB_TIMEOUT_MS: envInteger(1_000, 86_400_000)
    .prefault('3600000')
    .describe('Milliseconds one job may take.'),
  LOG_LEVEL: z.enum(logLevels).default('info').describe('Least severe log level that is written.'),
})
