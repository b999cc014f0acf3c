/** The queues of the room, as each process has them: a worker dies with its process, and a job can come twice. */
import type { QueueDefinition } from '@fadump-lab/shared/contracts'
import type {
  ClaimedJob,
  InProcessQueues,
  JobHandler,
  JobQueue,
  JobQueues,
  WorkerOptions,
} from '@fadump-lab/shared/queue'
import type { ProcessLife } from './process-life.ts'

interface Working {
  readonly life: ProcessLife
  readonly run: (id: string) => Promise<void>
}

/** Jobs that are remembered of a queue, to be delivered once more. */
const rememberedMax = 32

export class SimulatedQueues {
  readonly #queues: InProcessQueues
  readonly #workers = new Map<string, Working[]>()
  readonly #definitions = new Map<string, QueueDefinition<unknown>>()
  /** Of every queue: the last jobs that somebody took. */
  readonly #taken = new Map<string, Map<string, ClaimedJob<unknown>>>()

  constructor(queues: InProcessQueues) {
    this.#queues = queues
  }

  of(life: ProcessLife): JobQueues {
    return {
      open: (definition) => this.#open(life, definition),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
  }

  /** Jobs that are not at an end. */
  async unfinished(): Promise<number> {
    let sum = 0
    for (const definition of this.#definitions.values()) {
      const { waiting, active, delayed } = await this.#queues.open(definition).counts()
      sum += waiting + active + delayed
    }
    return sum
  }

  /** What was taken last is given to a worker once more, whatever has become of it. Gives the job's id. */
  redeliver(queue: string): string | undefined {
    const [id] = [...(this.#taken.get(queue)?.keys() ?? [])].slice(-1)
    const worker = this.#workers.get(queue)?.findLast(({ life }) => !life.isOver)
    if (id === undefined || worker === undefined) return undefined
    worker.run(id).catch(() => undefined)
    return id
  }

  #open<Payload>(life: ProcessLife, definition: QueueDefinition<Payload>): JobQueue<Payload> {
    this.#definitions.set(definition.name, definition)
    const queue = this.#queues.open(definition)
    return {
      add: (id, payload) => life.call('queue.add', () => queue.add(id, payload)),
      counts: () => queue.counts(),
      work: (handler, options) =>
        life.call('queue.work', () => this.#work(life, definition, { handler, options })),
    }
  }

  async #work<Payload>(
    life: ProcessLife,
    definition: QueueDefinition<Payload>,
    {
      handler,
      options,
    }: { readonly handler: JobHandler<Payload>; readonly options: WorkerOptions },
  ): Promise<AsyncDisposable> {
    const { name } = definition
    const taken = this.#taken.get(name) ?? new Map<string, ClaimedJob<unknown>>()
    this.#taken.set(name, taken)
    const worker = await this.#queues.open(definition).work(async (job) => {
      taken.delete(job.id)
      taken.set(job.id, job)
      if (taken.size > rememberedMax) taken.delete([...taken.keys()][0] ?? '')
      await handler(job)
    }, options)
    life.onEnd(() => worker.kill())
    const run = async (id: string): Promise<void> => {
      const job = taken.get(id)
      if (job === undefined) return
      // The signal of somebody else's run does not reach this one.
      const { signal } = new AbortController()
      await handler({ ...job, signal } as ClaimedJob<Payload>)
    }
    this.#workers.set(name, [...(this.#workers.get(name) ?? []), { life, run }])
    return worker
  }
}
