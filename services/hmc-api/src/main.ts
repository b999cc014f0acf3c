/** The console as a process. */
import { collectorRoutes, hypervisorRoutes, lparKernelRoutes } from '@fadump-lab/shared/contracts'
import { processFaults, withFaults } from '@fadump-lab/shared/faults'
import { createClient, runService, systemFetch } from '@fadump-lab/shared/http'
import { bearer } from '@fadump-lab/shared/identity'
import { createRedisEventLog } from '@fadump-lab/shared/queue'
import { urlWithPassword } from '@fadump-lab/shared/runtime'
import { openAccess } from './access/open-access.ts'
import { configSchema, limitsOf } from './config.ts'
import { processesBehind } from './faults/processes.ts'
import { buildHmcApi } from './index.ts'

await runService({
  name: 'hmc-api',
  process,
  schema: configSchema,
  build: async (config, { adapters, ...parts }) => {
    const control = {
      url: await urlWithPassword(config.REDIS_CONTROL_URL, {
        variable: 'REDIS_CONTROL_PASSWORD_FILE',
        path: config.REDIS_CONTROL_PASSWORD_FILE,
      }),
    }
    const authorize = bearer(parts.identity.secret)
    const plain = { ...parts, events: adapters.use(createRedisEventLog(control)) }
    const ports = config.FAULTS_ENABLED
      ? withFaults(plain, processFaults({ ...plain, name: 'hmc-api' }, process))
      : { ...plain, fetch: systemFetch }
    const { fetch } = ports
    const urls = {
      hypervisor: config.HYPERVISOR_URL,
      'lpar-kernel': config.LPAR_KERNEL_URL,
      'dump-collector': config.DUMP_COLLECTOR_URL,
    }
    const peer = (service: keyof typeof urls) => ({ baseUrl: urls[service], authorize, fetch })
    return buildHmcApi({
      ...ports,
      ...(await openAccess(config, parts)),
      limits: limitsOf(config),
      hypervisor: createClient(hypervisorRoutes, peer('hypervisor')),
      kernel: createClient(lparKernelRoutes, peer('lpar-kernel')),
      collector: createClient(collectorRoutes, peer('dump-collector')),
      processes: processesBehind(urls, { authorize }),
      jobTimeoutMs: config.JOB_TIMEOUT_MS,
    })
  },
})
