/**
 * A process for tests to watch ending: uses queues and event logs, on the Redis at argv[2] as well, prints `open`,
 * waits for a line, disposes everything and prints `disposed`. Nothing may keep it alive then.
 */
import { once } from 'node:events'
import { z } from 'zod'
import { systemClock } from '../../runtime/index.ts'
import {
  createBullmqQueues,
  createHeapEventLog,
  createInProcessQueues,
  createRedisEventLog,
  type EventLog,
  type JobQueues,
} from '../index.ts'

const [url = ''] = process.argv.slice(2)
{
  await using inProcess = createInProcessQueues({ clock: systemClock })
  await using bullmq = createBullmqQueues({ url, closeTimeoutMs: 100 })
  await using heap = createHeapEventLog()
  await using stream = createRedisEventLog({ url })
  await Promise.all([useQueues(inProcess), useQueues(bullmq), useLog(heap), useLog(stream)])
  process.stdout.write('open\n')
  await once(process.stdin, 'data')
}
process.stdin.destroy()
process.stdout.write('disposed\n')

/** Leaves a delayed job and a running one behind. */
async function useQueues(queues: JobQueues): Promise<void> {
  const queue = queues.open({
    name: 'ends',
    payload: z.strictObject({}),
    attemptsMax: 2,
    backoffMs: 60_000,
    backoffMsMax: 60_000,
    leaseMs: 60_000,
  })
  const running = Promise.withResolvers<void>()
  await queue.work(
    async (job) => {
      if (job.id === 'failing') throw new Error('in a minute again')
      running.resolve()
      await systemClock.sleep(60_000, job.signal)
    },
    { concurrency: 2 },
  )
  await queue.add('failing', {})
  await queue.add('running', {})
  await running.promise
}

async function useLog(log: EventLog): Promise<void> {
  const rows = log.follow(undefined, new AbortController().signal)[Symbol.asyncIterator]()
  await log.append({
    time: '2011-07-12T00:00:00Z',
    service: 'hypervisor',
    aggregate: 'frame',
    subject: 'f1',
    event: 'created',
  })
  await rows.next()
  rows.next().catch(() => {})
}
