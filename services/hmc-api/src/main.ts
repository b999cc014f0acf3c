/** The console as a process. */
import { collectorRoutes, hypervisorRoutes, lparKernelRoutes } from '@fadump-lab/shared/contracts'
import { createClient, runService } from '@fadump-lab/shared/http'
import { createRedisEventLog } from '@fadump-lab/shared/queue'
import { configSchema } from './config.ts'
import { buildHmcApi } from './index.ts'

await runService({
  name: 'hmc-api',
  process,
  schema: configSchema,
  build: (config, { adapters, ...parts }) =>
    buildHmcApi({
      ...parts,
      hypervisor: createClient(hypervisorRoutes, { baseUrl: config.HYPERVISOR_URL }),
      kernel: createClient(lparKernelRoutes, { baseUrl: config.LPAR_KERNEL_URL }),
      collector: createClient(collectorRoutes, { baseUrl: config.DUMP_COLLECTOR_URL }),
      events: adapters.use(createRedisEventLog({ url: config.REDIS_CONTROL_URL })),
      jobTimeoutMs: config.JOB_TIMEOUT_MS,
    }),
})
