/**
 * A process for tests to kill: takes one job of the queue `hangs` of the Redis at argv[2], prints
 * `claimed <id> <attempt>` and never ends it.
 */
import { z } from 'zod'
import { createBullmqQueues } from '../index.ts'

const [url = ''] = process.argv.slice(2)
const queues = createBullmqQueues({ url })
const queue = queues.open({
  name: 'hangs',
  payload: z.strictObject({ partition: z.string() }),
  attemptsMax: 3,
  backoffMs: 10,
  backoffMsMax: 10,
  leaseMs: 1_000,
})
await queue.work(
  (job) => {
    process.stdout.write(`claimed ${job.id} ${job.attempt}\n`)
    return new Promise(() => {})
  },
  { concurrency: 1 },
)
