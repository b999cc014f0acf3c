/** The kernel host as a process. */
import { runService } from '@fadump-lab/shared/http'
import { createBullmqQueues, createRedisEventLog } from '@fadump-lab/shared/queue'
import { createRedisMemoryStore } from '@fadump-lab/shared/store'
import { configSchema, settingsOf } from './config.ts'
import { buildLparKernel } from './index.ts'

await runService({
  name: 'lpar-kernel',
  process,
  schema: configSchema,
  build: async (config, { adapters, ...parts }) => {
    return buildLparKernel({
      ...parts,
      store: adapters.use(await createRedisMemoryStore({ url: config.REDIS_MEMORY_URL })),
      queues: adapters.use(createBullmqQueues({ url: config.REDIS_CONTROL_URL })),
      events: adapters.use(createRedisEventLog({ url: config.REDIS_CONTROL_URL })),
      hypervisorUrl: config.HYPERVISOR_URL.replace(/\/+$/, ''),
      config: settingsOf(config),
    })
  },
})
