/** Faults of a service that is a process of its own: main.ts puts them around its ports. */
import type { ServiceName } from '../contracts/index.ts'
import type { EventLog } from '../queue/index.ts'
import { exitCodes, type Clock } from '../runtime/index.ts'
import { FaultTools, tellingPlan } from './fault-tools.ts'

/** What is needed of a logger. */
interface Warns {
  warn(fields: object, message: string): void
}

/** `host.exit` is that of the process: nothing is closed or handed back. */
export function processFaults(
  {
    name,
    clock,
    events,
    logger,
  }: {
    readonly name: ServiceName
    readonly clock: Clock
    readonly events: EventLog
    readonly logger: Warns
  },
  host: { exit(code: number): void },
): FaultTools {
  logger.warn({}, 'faults can be armed in this process')
  return new FaultTools({
    clock,
    abort: () => host.exit(exitCodes.internal.code),
    plan: tellingPlan({
      service: name,
      events,
      clock,
      onUntold: (error) => logger.warn({ err: error }, 'a strike could not be told'),
    }),
  })
}
