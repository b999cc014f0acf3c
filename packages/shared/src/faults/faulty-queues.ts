/** Queues that go away as planned, and jobs that are delivered once too often. */
import { z } from 'zod'
import type { ClaimedJob, JobHandler, JobQueue, JobQueues } from '../queue/index.ts'
import type { Occasion } from './fault-plan.ts'
import type { FaultTools } from './fault-tools.ts'
import { unanswered } from './faulty-events.ts'
import type { Outage } from './outage.ts'

interface QueueTools {
  readonly tools: FaultTools
  readonly isAway: Outage
  readonly name: string
}

export function faultyQueues(inner: JobQueues, tools: FaultTools, isAway: Outage): JobQueues {
  return {
    open: (definition) =>
      faultyQueue(inner.open(definition), { tools, isAway, name: definition.name }),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  }
}

function faultyQueue<Payload>(inner: JobQueue<Payload>, given: QueueTools): JobQueue<Payload> {
  const { tools, isAway } = given
  return {
    add: (id, payload) => {
      const occasion = occasionOf(given, 'add to', payload)
      return tools.step({ ...occasion, at: 'queue.add' }, async () => {
        if (isAway(occasion)) throw unanswered(occasion.what)
        await inner.add(id, payload)
      })
    },
    work: (handler, options) => inner.work(faultyHandler(handler, given), options),
    counts: async () => {
      tools.checkAlive()
      return inner.counts()
    },
  }
}

function faultyHandler<Payload>(
  handler: JobHandler<Payload>,
  given: QueueTools,
): JobHandler<Payload> {
  const { tools } = given
  return async (job) => {
    const occasion = occasionOf(given, 'job of', job.payload)
    const run = () => stalling(handler, { ...given, occasion }, job)
    const begin = { ...occasion, at: 'queue.begin' }
    const complete = { ...occasion, at: 'queue.complete' }
    await tools.step(begin, run)
    await tools.step(complete, () => Promise.resolve())
    if (tools.plan.strike('queue-redelivery', occasion) === undefined) return
    await handler({ ...job, attempt: job.attempt + 1 })
  }
}

/** The run that has lost its job sees its signal abort; its outcome is nobody's business any more. */
async function stalling<Payload>(
  handler: JobHandler<Payload>,
  { tools, occasion }: QueueTools & { readonly occasion: Occasion },
  job: ClaimedJob<Payload>,
): Promise<void> {
  const strike = tools.plan.strike('job-stalled', occasion)
  if (strike === undefined) return handler(job)
  const lost = new AbortController()
  const stalled = handler({ ...job, signal: AbortSignal.any([job.signal, lost.signal]) })
  const ended = stalled.catch(() => undefined)
  await tools.clock.sleep(strike.value, job.signal)
  const taken = handler({ ...job, attempt: job.attempt + 1 })
  lost.abort(new Error(`the lease of job ${job.id} is lost (planned)`))
  await Promise.allSettled([taken, ended])
  return taken
}

/** What every job of the machine room says of its partition. */
const ofPartition = z.looseObject({ partition: z.string(), frame: z.string() })

function occasionOf({ tools, name }: QueueTools, what: string, payload: unknown): Occasion {
  const parsed = ofPartition.safeParse(payload)
  if (!parsed.success) return { what: `${what} ${name}`, at: name }
  const { partition, frame } = parsed.data
  tools.plan.learn(partition, frame)
  return { what: `${what} ${name} for ${partition}`, at: name, partition, frame }
}
