/** The hypervisor as a process. */
import { processFaults, withFaults } from '@fadump-lab/shared/faults'
import { runService } from '@fadump-lab/shared/http'
import { createBullmqQueues, createRedisEventLog } from '@fadump-lab/shared/queue'
import { urlWithPassword } from '@fadump-lab/shared/runtime'
import { createRedisMemoryStore } from '@fadump-lab/shared/store'
import { configSchema, settingsOf } from './config.ts'
import { buildHypervisor } from './index.ts'

await runService({
  name: 'hypervisor',
  process,
  schema: configSchema,
  build: async (config, { adapters, ...parts }) => {
    const memory = {
      url: await urlWithPassword(config.REDIS_MEMORY_URL, {
        variable: 'REDIS_MEMORY_PASSWORD_FILE',
        path: config.REDIS_MEMORY_PASSWORD_FILE,
      }),
    }
    const control = {
      url: await urlWithPassword(config.REDIS_CONTROL_URL, {
        variable: 'REDIS_CONTROL_PASSWORD_FILE',
        path: config.REDIS_CONTROL_PASSWORD_FILE,
      }),
    }
    const deps = {
      ...parts,
      store: adapters.use(await createRedisMemoryStore(memory)),
      queues: adapters.use(createBullmqQueues(control)),
      events: adapters.use(createRedisEventLog(control)),
      config: settingsOf(config),
    }
    if (!config.FAULTS_ENABLED) return buildHypervisor(deps)
    return buildHypervisor(
      withFaults(deps, processFaults({ ...deps, name: 'hypervisor' }, process)),
    )
  },
})
