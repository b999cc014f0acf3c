/**
 * Queues in Redis by BullMQ: work survives the process that took it, workers may sit on any machine.
 *
 * BullMQ works in real time, so there is no clock to pass. Of a job that has completed nothing is left; of a queue
 * there remain `<prefix>:<name>:meta` (hash, 2 fields), `:id` (counter), `:events` (a stream of the last few rows,
 * trimmed to nothing with each new one), for the length of its interval `:stalled-check`, `:marker` until a worker
 * that looks for work takes it, and `:failed` with its hashes for at most `failedJobsMax` jobs.
 */
import { Queue } from 'bullmq'
import type { QueueDefinition } from '../contracts/index.ts'
import { invariant } from '../units/index.ts'
import { BullmqWorker, type BullmqWorkerParts } from './bullmq-worker.ts'
import type { JobQueue, JobQueues } from './job-queue.ts'
import {
  checkDefinition,
  checkedJobId,
  decodingHandler,
  encodePayload,
  failedJobsMax,
  type QueueBounds,
} from './job-rules.ts'
import { tracedAdd } from './job-tracing.ts'
import { RedisLink, type RedisLinkOptions } from './redis-link.ts'

/** Every Redis key of the queues begins with this; the braces keep them in one slot of a cluster. */
export const queueKeyPrefix = '{queue}'

export interface BullmqQueuesOptions extends RedisLinkOptions {
  /** Instead of `queueKeyPrefix`; must contain a `{hash tag}`. */
  readonly prefix?: string
}

/** Returns at once; operations wait for Redis for `answerTimeoutMs` and are then refused with `UnavailableError`. */
export function createBullmqQueues(options: BullmqQueuesOptions): JobQueues {
  const prefix = options.prefix ?? queueKeyPrefix
  invariant(
    /\{[^{}]+\}/.test(prefix),
    `queue key prefix ${JSON.stringify(prefix)} has no {hash tag}`,
  )
  return new BullmqQueues(new RedisLink(options), prefix)
}

/** BullMQ refuses ids that are whole numbers; ours may be, so they are stored with something in front. */
const idPrefix = 'job/'
const system = 'bullmq' as const

interface NewStoredJob {
  readonly jobId: string
  readonly payload: unknown
  readonly traceparent: string | undefined
}

class BullmqQueues implements JobQueues {
  readonly #link: RedisLink
  readonly #prefix: string
  readonly #queues = new Set<Queue>()
  readonly #workers = new Set<BullmqWorker>()
  #isClosed = false

  constructor(link: RedisLink, prefix: string) {
    this.#link = link
    this.#prefix = prefix
  }

  open<Payload>(definition: QueueDefinition<Payload>): JobQueue<Payload> {
    invariant(!this.#isClosed, `queue ${definition.name} is closed`)
    checkDefinition(definition)
    const queue = this.#openQueue(definition)
    return {
      add: async (id, payload) => {
        const jobId = idPrefix + checkedJobId(id)
        const encoded = encodePayload(definition, id, payload)
        const step = { system, queue: definition.name, id, payload: encoded }
        await tracedAdd(step, (traceparent) =>
          this.#add(queue, { jobId, payload: encoded, traceparent }),
        )
      },
      work: (handler, options) => {
        const stored = decodingHandler(definition, handler, system)
        return this.#work({ definition, options, handler: stored })
      },
      counts: async () => {
        const counts = await this.#link.answer(() =>
          queue.getJobCounts('waiting', 'active', 'delayed', 'failed'),
        )
        const count = (state: string) => counts[state] ?? 0
        return {
          waiting: count('waiting'),
          active: count('active'),
          delayed: count('delayed'),
          failed: count('failed'),
        }
      },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#workers].map((worker) => worker[Symbol.asyncDispose]()))
    await Promise.all([...this.#queues].map((queue) => queue.close()))
    await this.#link[Symbol.asyncDispose]()
  }

  #openQueue(definition: QueueBounds): Queue {
    const queue = new Queue(definition.name, {
      connection: this.#link.redis,
      prefix: this.#prefix,
      // Nobody reads BullMQ's own events.
      streams: { events: { maxLen: 0 } },
      defaultJobOptions: {
        attempts: definition.attemptsMax,
        backoff: { type: 'custom' },
        removeOnComplete: true,
        removeOnFail: { count: failedJobsMax },
        stackTraceLimit: 1,
        keepLogs: 0,
      },
    })
    queue.on('error', (error) => this.#link.report(error))
    this.#queues.add(queue)
    return queue
  }

  async #work(
    parts: Pick<BullmqWorkerParts, 'definition' | 'options' | 'handler'>,
  ): Promise<AsyncDisposable> {
    invariant(!this.#isClosed, `queue ${parts.definition.name} is closed`)
    const worker = new BullmqWorker({
      ...parts,
      idPrefix,
      prefix: this.#prefix,
      link: this.#link.another(),
    })
    this.#workers.add(worker)
    const end = async () => {
      await worker[Symbol.asyncDispose]()
      this.#workers.delete(worker)
    }
    try {
      await worker.ready()
    } catch (error) {
      await end()
      throw error
    }
    return { [Symbol.asyncDispose]: end }
  }

  /** A failed job of the same id makes room; one that waits or runs is the same job, which BullMQ leaves alone. */
  async #add(queue: Queue, job: NewStoredJob): Promise<void> {
    const { jobId, payload, traceparent } = job
    const telemetry = traceparent === undefined ? {} : { telemetry: { metadata: traceparent } }
    invariant(!this.#isClosed, `queue ${queue.name} is closed`)
    await this.#link.answer(async () => {
      if (await queue.getBackend().isJobInState('failed', jobId)) await queue.remove(jobId)
      await queue.add(queue.name, payload, { jobId, ...telemetry })
    })
  }
}
