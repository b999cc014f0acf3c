/** `./lab up`: the four services in one process, until Ctrl-C. */
import { once } from 'node:events'
import { resolve } from 'node:path'
import {
  createBullmqQueues,
  createHeapEventLog,
  createInProcessQueues,
  createRedisEventLog,
  type EventLog,
  type JobQueues,
} from '@fadump-lab/shared/queue'
import { systemClock, systemRandom } from '@fadump-lab/shared/runtime'
import {
  createHeapMemoryStore,
  createRedisMemoryStore,
  type MemoryStore,
} from '@fadump-lab/shared/store'
import { startMachineRoom } from './machine-room.ts'
import { defaultTokenFile, leaveToken } from './token-file.ts'

export interface UpOptions {
  /** Without it everything is kept in the memory of the process. */
  readonly redis: string | undefined
  /** Without it the system chooses a free port. */
  readonly port: number | undefined
  /** Directory of the dump store; it stays when the services end. */
  readonly dumps: string
  /** Whether administrators can arm faults. */
  readonly faults: boolean
}

/** Answers with the exit code, once it is told to stop. */
export async function up(options: UpOptions): Promise<number> {
  const dumpRoot = resolve(options.dumps)
  await using adapters = await openAdapters(options.redis)
  await using room = await startMachineRoom({
    ...adapters,
    clock: systemClock,
    random: systemRandom(),
    dumpRoot,
    logLevel: 'warn',
    port: options.port ?? 0,
    faults: options.faults,
  })
  const { console: api } = room.urls
  await using _token = await leaveToken(defaultTokenFile, room.tokenFor('administrator'))
  const kept = options.redis === undefined ? 'memory of this process' : options.redis
  process.stdout.write(
    [
      `API            ${api}/v1`,
      `documentation  ${api}/docs`,
      `OpenAPI        ${api}/openapi.json`,
      `token          in ${defaultTokenFile}, as long as this runs`,
      `try            curl -s -H "authorization: Bearer $(cat ${defaultTokenFile})" ${api}/v1/frames`,
      `partitions in  ${kept}`,
      `dumps in       ${dumpRoot}`,
      'Ctrl-C stops everything; the dumps stay.',
      '',
    ].join('\n'),
  )
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
  return 0
}

interface Adapters extends AsyncDisposable {
  readonly store: MemoryStore
  readonly queues: JobQueues
  readonly events: EventLog
}

async function openAdapters(redis: string | undefined): Promise<Adapters> {
  await using open = new AsyncDisposableStack()
  const store = open.use(
    redis === undefined ? createHeapMemoryStore() : await createRedisMemoryStore({ url: redis }),
  )
  const queues = open.use(
    redis === undefined
      ? createInProcessQueues({ clock: systemClock })
      : createBullmqQueues({ url: redis }),
  )
  const events = open.use(
    redis === undefined ? createHeapEventLog() : createRedisEventLog({ url: redis }),
  )
  const opened = open.move()
  return { store, queues, events, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}
