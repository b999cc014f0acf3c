/** The dump collector as a process. */
import { processFaults } from '@fadump-lab/shared/faults'
import { runService } from '@fadump-lab/shared/http'
import { readKeyFile } from '@fadump-lab/shared/identity'
import { createBullmqQueues, createRedisEventLog } from '@fadump-lab/shared/queue'
import { urlWithPassword } from '@fadump-lab/shared/runtime'
import { configSchema, settingsOf } from './config.ts'
import { buildDumpCollector, withCollectorFaults } from './index.ts'

await runService({
  name: 'dump-collector',
  process,
  schema: configSchema,
  build: async (config, { adapters, ...parts }) => {
    const control = {
      url: await urlWithPassword(config.REDIS_CONTROL_URL, {
        variable: 'REDIS_CONTROL_PASSWORD_FILE',
        path: config.REDIS_CONTROL_PASSWORD_FILE,
      }),
    }
    const deps = {
      ...parts,
      dumpKey: await readKeyFile({ variable: 'DUMP_KEY_FILE', path: config.DUMP_KEY_FILE }, 'dump'),
      root: config.DUMP_ROOT,
      queues: adapters.use(createBullmqQueues(control)),
      events: adapters.use(createRedisEventLog(control)),
      settings: settingsOf(config),
    }
    if (!config.FAULTS_ENABLED) return buildDumpCollector(deps)
    const faults = processFaults({ ...deps, name: 'dump-collector' }, process)
    return buildDumpCollector(withCollectorFaults(deps, faults))
  },
})
