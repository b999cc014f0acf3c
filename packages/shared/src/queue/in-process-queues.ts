/**
 * Queues within one process, for compositions without Redis. Everything that waits, waits on the clock: with a
 * `VirtualClock` a run is the same every time.
 *
 * Payloads are kept as JSON text, as if they had travelled. What is queued is gone when the process is.
 */
import type { QueueDefinition } from '../contracts/index.ts'
import type { Clock } from '../runtime/index.ts'
import { invariant } from '../units/index.ts'
import { InProcessBacklog, type InProcessWorker } from './in-process-backlog.ts'
import type { JobHandler, JobQueue, JobQueues, WorkerOptions } from './job-queue.ts'
import {
  checkDefinition,
  checkedJobId,
  decodingHandler,
  encodePayload,
  type QueueBounds,
} from './job-rules.ts'
import { tracedAdd } from './job-tracing.ts'

const system = 'in_process' as const

export interface InProcessQueue<Payload> extends JobQueue<Payload> {
  work(handler: JobHandler<Payload>, options: WorkerOptions): Promise<InProcessWorker>
}

export interface InProcessQueues extends JobQueues {
  open<Payload>(definition: QueueDefinition<Payload>): InProcessQueue<Payload>
}

export function createInProcessQueues(options: { readonly clock: Clock }): InProcessQueues {
  const backlogs = new Map<string, InProcessBacklog>()
  let isClosed = false

  const backlogOf = (definition: QueueBounds): InProcessBacklog => {
    const known = backlogs.get(definition.name)
    invariant(
      known === undefined || known.definition === definition,
      `queue ${definition.name} is already open with another definition`,
    )
    if (known !== undefined) return known
    checkDefinition(definition)
    const backlog = new InProcessBacklog(definition, options.clock)
    backlogs.set(definition.name, backlog)
    return backlog
  }

  return {
    open(definition) {
      const checkOpen = () => invariant(!isClosed, `queue ${definition.name} is closed`)
      checkOpen()
      const backlog = backlogOf(definition)
      return {
        async add(id, payload) {
          checkOpen()
          const encoded = encodePayload(definition, checkedJobId(id), payload)
          const step = { system, queue: definition.name, id, payload: encoded }
          await tracedAdd(step, async (traceparent) =>
            backlog.add({ id, payload: JSON.stringify(encoded), traceparent }),
          )
        },
        async work(handler, workerOptions) {
          checkOpen()
          return backlog.work(decodingHandler(definition, handler, system), workerOptions)
        },
        counts: async () => backlog.counts(),
      }
    },
    async [Symbol.asyncDispose]() {
      isClosed = true
      await Promise.all([...backlogs.values()].map((backlog) => backlog[Symbol.asyncDispose]()))
      backlogs.clear()
    },
  }
}
