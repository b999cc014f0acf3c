/** The dump collector as a process. */
import { runService } from '@fadump-lab/shared/http'
import { createBullmqQueues, createRedisEventLog } from '@fadump-lab/shared/queue'
import { configSchema, settingsOf } from './config.ts'
import { buildDumpCollector } from './index.ts'

await runService({
  name: 'dump-collector',
  process,
  schema: configSchema,
  build: (config, { adapters, ...parts }) =>
    buildDumpCollector({
      ...parts,
      root: config.DUMP_ROOT,
      queues: adapters.use(createBullmqQueues({ url: config.REDIS_CONTROL_URL })),
      events: adapters.use(createRedisEventLog({ url: config.REDIS_CONTROL_URL })),
      settings: settingsOf(config),
    }),
})
