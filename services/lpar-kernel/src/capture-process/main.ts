/** The keeper of capture processes as a process: `node main.ts DIRECTORY`, in a container limited to a boot memory. */
import { createLogger } from '@fadump-lab/shared/telemetry'
import { ownControlGroup } from './control-group.ts'
import { runChild } from './run-child.ts'
import { serveCaptures } from './serve.ts'

const [, , directory = '/capture'] = process.argv
const logger = createLogger({ service: 'capture-process', level: 'info' })
const group = ownControlGroup()
const keeper = await serveCaptures(directory, {
  group,
  run: (work, signal) => runChild(work, group, { signal }),
  complain: (error) => logger.error({ err: error }, 'a capture process was not measured'),
})
logger.info({ socket: keeper.path, limitBytes: group.limitBytes }, 'serving')
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => void keeper[Symbol.asyncDispose]())
}
