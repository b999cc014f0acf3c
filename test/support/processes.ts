/** The machine room as processes of their own on a real Redis: what containers do, without containers. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hmcRoutes } from '@fadump-lab/shared/contracts'
import { createClient } from '@fadump-lab/shared/http'
import {
  bearer,
  callersFile,
  dumpKeyFile,
  keyFiles,
  newRoomKeys,
  type RoomKeys,
} from '@fadump-lab/shared/identity'
import { systemClock, systemRandom } from '@fadump-lab/shared/runtime'
import type { LogLevel } from '@fadump-lab/shared/telemetry'
import { startRedisServer } from './redis-server.ts'
import { RoomClient } from './room.ts'
import { repositoryRoot } from './tools.ts'

export const serviceNames = ['hypervisor', 'lpar-kernel', 'dump-collector', 'hmc-api'] as const
export type ServiceName = (typeof serviceNames)[number]

const readyTimeoutMs = 60_000
const pollMs = 50

export interface ProcessRoom extends AsyncDisposable {
  readonly api: RoomClient
  readonly dumpRoot: string
  /** Base URL of the service. */
  url(name: ServiceName): string
  readonly redisUrl: string
  readonly keys: RoomKeys
  /** What lets a request of any user in, until the console ends. */
  token(): string
  /** SIGKILL; resolves when the process is gone. */
  kill(name: ServiceName): Promise<void>
  /** Starts the service again on its port; resolves when it is ready. */
  start(name: ServiceName): Promise<void>
  /** The process of the service that runs now. */
  child(name: ServiceName): ChildProcess
  /** Of that process. */
  pid(name: ServiceName): number
  /** The last lines that the services wrote to standard error, for a failing test. */
  log(): string
  /** All that they wrote. */
  wholeLog(): string
}

/** Starts Redis and the four services, each ready. */
export async function startProcessRoom(
  options: {
    readonly logLevel?: LogLevel
    /** Further variables of all services. */
    readonly env?: Readonly<Record<string, string>>
  } = {},
): Promise<ProcessRoom> {
  await using stack = new AsyncDisposableStack()
  const redis = stack.use(await startRedisServer())
  const dumpRoot = await mkdtemp(join(tmpdir(), 'fadump-processes-'))
  stack.defer(() => rm(dumpRoot, { recursive: true, force: true }))
  const keyRoot = await mkdtemp(join(tmpdir(), 'fadump-keys-'))
  stack.defer(() => rm(keyRoot, { recursive: true, force: true }))
  const keys = newRoomKeys(systemRandom())
  for (const [name, text] of Object.entries({ ...keyFiles(keys), [passwordFile]: password })) {
    await writeFile(join(keyRoot, name), text, { mode: 0o600 })
  }
  const ports = await freePorts()
  const url = (name: ServiceName): string => `http://127.0.0.1:${ports[name]}`
  const env = {
    REDIS_MEMORY_URL: redis.url,
    REDIS_CONTROL_URL: redis.url,
    HYPERVISOR_URL: url('hypervisor'),
    LPAR_KERNEL_URL: url('lpar-kernel'),
    DUMP_COLLECTOR_URL: url('dump-collector'),
    DUMP_ROOT: dumpRoot,
    LOG_LEVEL: options.logLevel ?? 'warn',
    CALLERS_FILE: join(keyRoot, callersFile),
    DUMP_KEY_FILE: join(keyRoot, dumpKeyFile),
    USERS_FILE: join(keyRoot, 'users.json'),
    ADMINISTRATOR_PASSWORD_FILE: join(keyRoot, passwordFile),
    REQUESTS_PER_MINUTE_MAX: '100000000',
    ...options.env,
  }
  let token = ''
  const running = new Map<ServiceName, ChildProcess>()
  const lines: string[] = []
  const start = async (name: ServiceName): Promise<void> => {
    const child = spawn(process.execPath, [join(repositoryRoot, 'services', name, 'src/main.ts')], {
      env: {
        PATH: process.env['PATH'],
        ...env,
        CREDENTIAL_FILE: join(keyRoot, `${name}.key`),
        PORT: String(ports[name]),
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => lines.push(`${name}: ${text}`))
    running.set(name, child)
    await ready(url(name), child)
    if (name === 'hmc-api') token = await logOn(url(name))
  }
  const kill = async (name: ServiceName): Promise<void> => {
    const child = running.get(name)
    running.delete(name)
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
  stack.defer(async () => {
    await Promise.all(serviceNames.map(kill))
  })
  for (const name of serviceNames) await start(name)
  const kept = stack.move()
  return {
    api: new RoomClient(url('hmc-api'), (route) => bearer(token)(route)),
    dumpRoot,
    url,
    redisUrl: redis.url,
    keys,
    token: () => token,
    kill,
    start,
    child: (name) => childOf(running, name),
    pid: (name) => {
      const { pid } = childOf(running, name)
      if (pid === undefined) throw new Error(`${name} does not run`)
      return pid
    },
    log: () => lines.slice(-200).join(''),
    wholeLog: () => lines.join(''),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

function childOf(running: ReadonlyMap<ServiceName, ChildProcess>, name: ServiceName): ChildProcess {
  const child = running.get(name)
  if (child === undefined) throw new Error(`${name} does not run`)
  return child
}

const passwordFile = 'administrator-password'
/** Of the user `admin`. */
export const password = 'correct horse battery staple'

/** A console that starts again knows no tokens any more. */
async function logOn(baseUrl: string): Promise<string> {
  const { logOn } = createClient(hmcRoutes, { baseUrl })
  return (await logOn({ body: { name: 'admin', password } })).token
}

async function ready(url: string, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + readyTimeoutMs
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`${url} ended with ${child.exitCode}`)
    const answer = await fetch(`${url}/livez`).catch(() => undefined)
    if (answer?.ok === true) return
    await systemClock.sleep(pollMs)
  }
  throw new Error(`${url} was not alive within ${readyTimeoutMs} ms`)
}

/** A port per service that was free a moment ago; all are held open until the last one is known. */
async function freePorts(): Promise<Record<ServiceName, number>> {
  const servers = await Promise.all(
    serviceNames.map(async (name) => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return { name, server, port: (server.address() as AddressInfo).port }
    }),
  )
  await Promise.all(
    servers.map(async ({ server }) => {
      server.close()
      await once(server, 'close')
    }),
  )
  const ports = Object.fromEntries(servers.map(({ name, port }) => [name, port]))
  return ports as Record<ServiceName, number>
}
