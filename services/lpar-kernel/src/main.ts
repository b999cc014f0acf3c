/** The kernel host as a process. */
import { processFaults, withFaults } from '@fadump-lab/shared/faults'
import { runService } from '@fadump-lab/shared/http'
import { readKeyFile } from '@fadump-lab/shared/identity'
import { createBullmqQueues, createRedisEventLog } from '@fadump-lab/shared/queue'
import { urlWithPassword } from '@fadump-lab/shared/runtime'
import { createRedisMemoryStore } from '@fadump-lab/shared/store'
import { createCaptureProcess } from './capture-process/client.ts'
import { configSchema, settingsOf } from './config.ts'
import { buildLparKernel } from './index.ts'

await runService({
  name: 'lpar-kernel',
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
      dumpKey: await readKeyFile({ variable: 'DUMP_KEY_FILE', path: config.DUMP_KEY_FILE }, 'dump'),
      store: adapters.use(await createRedisMemoryStore(memory)),
      queues: adapters.use(createBullmqQueues(control)),
      events: adapters.use(createRedisEventLog(control)),
      hypervisorUrl: config.HYPERVISOR_URL.replace(/\/+$/, ''),
      config: settingsOf(config),
      ...(config.CAPTURE_DIRECTORY === undefined
        ? {}
        : { captureProcess: createCaptureProcess(config.CAPTURE_DIRECTORY, parts.logger) }),
    }
    if (!config.FAULTS_ENABLED) return buildLparKernel(deps)
    return buildLparKernel(
      withFaults(deps, processFaults({ ...deps, name: 'lpar-kernel' }, process)),
    )
  },
})
