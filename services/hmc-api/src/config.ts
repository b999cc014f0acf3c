/** The console's environment variables, each with unit, default and purpose. */
import { commonConfig, portConfig } from '@fadump-lab/shared/http'
import { envInteger } from '@fadump-lab/shared/runtime'
import { z } from 'zod'

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
  JOB_TIMEOUT_MS: envInteger(1_000, 86_400_000)
    .prefault('3600000')
    .describe('Milliseconds one job may take.'),
})
