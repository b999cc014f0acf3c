/** The services behind the console as scripted values: each read of a partition or dump takes the next one. */
import {
  collectorRoutes,
  dump,
  hypervisorRoutes,
  lparKernelRoutes,
  partition,
  Problem,
  type Dump,
  type Partition,
} from '@fadump-lab/shared/contracts'
import type { Client, Service, Tls } from '@fadump-lab/shared/http'
import { newRoomKeys } from '@fadump-lab/shared/identity'
import { createHeapEventLog, type EventLog } from '@fadump-lab/shared/queue'
import { seededRandom, systemClock, type Clock } from '@fadump-lab/shared/runtime'
import { createLogger, createMetrics } from '@fadump-lab/shared/telemetry'
import { buildHmcApi, Sessions, Users, usersInMemory, type HmcApiDeps } from '../index.ts'

/** A partition as the hypervisor answers; override what the test is about. */
export function aPartition(change: Record<string, unknown> = {}): Partition {
  return partition.decode({
    id: 'p1',
    memoryBytes: 2 ** 31,
    processors: 2,
    rmaBytes: 2 ** 28,
    state: 'running',
    registration: 'registered',
    epoch: 3,
    crashes: 0,
    correlationId: 'c1',
    ...change,
  } as never)
}

export function aDump(change: Record<string, unknown> = {}): Dump {
  return dump.decode({
    id: 'p1-00000000-1',
    partition: 'p1',
    frame: 'server-1',
    status: 'complete',
    step: 'complete',
    sizeBytes: 100,
    transferredBytes: 100,
    storedBytes: 100,
    attempts: 1,
    released: true,
    startedAt: '2026-01-01T00:00:00Z',
    correlationId: 'c1',
    ...change,
  } as never)
}

export interface Script {
  /** Successive answers; the last one is repeated. */
  readonly partitions?: readonly (Partition | Problem)[]
  readonly dumps?: readonly (Dump | Problem)[]
  /** Refusals by operation name. */
  readonly refusals?: Readonly<Record<string, Problem>>
}

/** The started console, what it called, and its event log. */
export interface ScriptedConsole extends Service {
  readonly events: EventLog
  readonly called: readonly string[]
  /** Lets a request in as an operator. */
  readonly headers: { readonly authorization: string }
  readonly users: Users
  readonly sessions: Sessions
}

/** How long a session of the scripted console lasts. */
export const sessionTtlMs = 3_600_000

/** The console over scripted services; `called` lists the operations it used, in order. */
export async function startedConsole(
  script: Script,
  options: {
    readonly jobTimeoutMs?: number
    readonly clock?: Clock
    readonly limits?: HmcApiDeps['limits']
    readonly tls?: Tls
  } = {},
): Promise<ScriptedConsole> {
  const called: string[] = []
  const answer = <Value>(values: readonly (Value | Problem)[], fallback: Value) => {
    const rest = [...values]
    return (): Promise<Value> => {
      const value = rest.length > 1 ? rest.shift() : (rest[0] ?? fallback)
      return value instanceof Problem ? Promise.reject(value) : Promise.resolve(value as Value)
    }
  }
  const reads = {
    getPartition: answer(script.partitions ?? [], aPartition()),
    getDump: answer(script.dumps ?? [], aDump()),
  }
  const client = <Rs extends object>(routes: Rs): Client<never> =>
    Object.fromEntries(
      Object.keys(routes).map((name) => [
        name,
        () => {
          called.push(name)
          const refusal = script.refusals?.[name]
          if (refusal !== undefined) return Promise.reject(refusal)
          const read = reads[name as keyof typeof reads] as (() => Promise<unknown>) | undefined
          return read === undefined ? Promise.resolve([]) : read()
        },
      ]),
    ) as never
  const events = createHeapEventLog()
  const random = seededRandom(1)
  const clock = options.clock ?? systemClock
  const sessions = new Sessions({ clock, random, ttlMs: sessionTtlMs })
  const users = await Users.open(usersInMemory(), random)
  const deps: HmcApiDeps = {
    identity: newRoomKeys(random).identityOf('hmc-api'),
    users,
    sessions,
    hypervisor: client(hypervisorRoutes),
    kernel: client(lparKernelRoutes),
    collector: client(collectorRoutes),
    events,
    clock,
    random,
    logger: createLogger({ service: 'hmc-api', level: 'silent' }),
    metrics: createMetrics({ processMetrics: false }),
    jobTimeoutMs: options.jobTimeoutMs ?? 10_000,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
  }
  const service = await buildHmcApi(deps)
  const { token } = sessions.open({ name: 'olga', role: 'operator' })
  const headers = { authorization: `Bearer ${token}` }
  return { ...service, events, called, users, sessions, headers }
}
