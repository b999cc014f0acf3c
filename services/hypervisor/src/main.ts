/** The hypervisor as a process. */
import { runService } from '@fadump-lab/shared/http'
import { createBullmqQueues, createRedisEventLog } from '@fadump-lab/shared/queue'
import { createRedisMemoryStore } from '@fadump-lab/shared/store'
import { configSchema, settingsOf } from './config.ts'
import { buildHypervisor } from './index.ts'

await runService({
  name: 'hypervisor',
  process,
  schema: configSchema,
  build: async (config, { adapters, ...parts }) => {
    return buildHypervisor({
      ...parts,
      store: adapters.use(await createRedisMemoryStore({ url: config.REDIS_MEMORY_URL })),
      queues: adapters.use(createBullmqQueues({ url: config.REDIS_CONTROL_URL })),
      events: adapters.use(createRedisEventLog({ url: config.REDIS_CONTROL_URL })),
      config: settingsOf(config),
    })
  },
})
