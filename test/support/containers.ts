/** The machine room as `docker compose up` starts it, in a project and on a port of its own. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { hmcRoutes, type Partition } from '@fadump-lab/shared/contracts'
import { createClient } from '@fadump-lab/shared/http'
import { bearer } from '@fadump-lab/shared/identity'
import * as compose from 'docker-compose'
import { eventually } from './eventually.ts'
import { RoomClient } from './room.ts'
import { repositoryRoot } from './tools.ts'

const run = promisify(execFile)
const outputBytesMax = 256 * 2 ** 20
const settledTimeoutMs = 180_000

export interface ContainerOptions {
  /** Further compose files, relative to the top of the repository. */
  readonly overrides?: readonly string[]
  readonly profiles?: readonly string[]
  /** Whether faults of the registry can be armed; default: no. */
  readonly faults?: boolean
  /** For `--scale`. */
  readonly scale?: Readonly<Record<string, number>>
}

export class ContainerRoom implements AsyncDisposable {
  readonly api: RoomClient
  readonly project: string
  readonly url: string
  readonly #options: compose.IDockerComposeOptions
  #token = ''

  constructor(
    parts: { readonly project: string; readonly port: number; readonly faults?: boolean },
    files: readonly string[],
    profiles: readonly string[] = [],
  ) {
    this.project = parts.project
    this.url = `http://127.0.0.1:${parts.port}`
    this.api = new RoomClient(this.url, (route) => bearer(this.#token)(route))
    this.#options = {
      cwd: repositoryRoot,
      config: [...files],
      composeOptions: ['-p', parts.project],
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        PUBLISH: `127.0.0.1:${parts.port}`,
        TAG: process.env['TAG'] ?? 'test',
        ...(profiles.length === 0 ? {} : { COMPOSE_PROFILES: profiles.join(',') }),
        LOG_LEVEL: 'info',
        FAULTS_ENABLED: String(parts.faults ?? false),
      },
    }
  }

  get token(): string {
    return this.#token
  }

  /** Resolves when all are healthy. */
  async up(scale: Readonly<Record<string, number>> = {}): Promise<void> {
    const scales = Object.entries(scale).flatMap(([name, count]) => ['--scale', `${name}=${count}`])
    await this.#compose('up', ['-d', '--wait', ...scales])
    await this.logOn()
  }

  async build(): Promise<void> {
    await this.#compose('build', [])
  }

  /** A console that starts again knows no tokens any more. */
  async logOn(): Promise<void> {
    const password = await this.administratorPassword()
    const { logOn } = createClient(hmcRoutes, { baseUrl: this.url })
    this.#token = (await logOn({ body: { name: 'admin', password } })).token
  }

  async administratorPassword(): Promise<string> {
    const file = '/run/secrets/administrator.password'
    return (await this.exec('hmc-api', ['cat', file])).trim()
  }

  /** What the command writes. `instance` counts from 1. */
  async exec(service: string, command: readonly string[], instance = 1): Promise<string> {
    const { stdout } = await this.docker('exec', this.container(service, instance), ...command)
    return stdout
  }

  container(service: string, instance = 1): string {
    return `${this.project}-${service}-${instance}`
  }

  /** SIGKILL of everything in the container, from inside: so the engine takes it for a crash and starts it again. */
  async kill(service: string, instance = 1): Promise<void> {
    const name = this.container(service, instance)
    const before = await this.inspect(name, '{{.RestartCount}}')
    await this.exec(service, ['sh', '-c', 'kill -9 -1'], instance).catch(() => undefined)
    await eventually(
      `${service} has been started again`,
      async () => (await this.inspect(name, '{{.RestartCount}}')) !== before,
      settledTimeoutMs,
    )
    await this.healthy(service, instance)
    if (service === 'hmc-api') await this.logOn()
  }

  async healthy(service: string, instance = 1): Promise<void> {
    const name = this.container(service, instance)
    await eventually(
      `${service} is healthy`,
      async () => (await this.inspect(name, '{{.State.Health.Status}}')) === 'healthy',
      settledTimeoutMs,
    )
  }

  async restart(service: string): Promise<void> {
    await this.#compose('restart', [service])
    await this.healthy(service)
  }

  async inspect(what: string, format: string): Promise<string> {
    return (await this.docker('inspect', '--format', format, what)).stdout.trim()
  }

  docker(...args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
    return run('docker', [...args], { maxBuffer: outputBytesMax })
  }

  /** As the operator of a Redis server. */
  async redis(server: string, ...command: readonly string[]): Promise<string> {
    const words = command.map((word) => `'${word}'`).join(' ')
    const password = '$(cat /run/secrets/operator.password)'
    const line = `redis-cli --no-auth-warning --user operator --pass ${password} ${words}`
    return (await this.exec(server, ['sh', '-c', line])).trimEnd()
  }

  /** Jobs of a queue that somebody has claimed, and how many of them still have their lease. */
  async claims(queue: string): Promise<{ readonly claimed: number; readonly leased: number }> {
    const script = `
      local jobs = redis.call("LRANGE", KEYS[1] .. ":active", 0, -1)
      local leased = 0
      for _, id in ipairs(jobs) do leased = leased + redis.call("EXISTS", KEYS[1] .. ":" .. id .. ":lock") end
      return {#jobs, leased}`
    const answer = await this.redis('redis-control', 'EVAL', script, '1', `{queue}:${queue}`)
    const [claimed = Number.NaN, leased = Number.NaN] = answer.split('\n').map(Number)
    return { claimed, leased }
  }

  /** Up, registered, and with no dump waiting. */
  async settled(partition: string): Promise<Partition> {
    let now: Partition | undefined
    await eventually(
      `${partition} runs registered`,
      async () => {
        now = await this.api.partition(partition).catch(() => undefined)
        return now?.state === 'running' && now.registration === 'registered'
      },
      settledTimeoutMs,
    ).catch((cause: unknown) => {
      throw new Error(`${partition} is ${JSON.stringify(now)}`, { cause })
    })
    if (now === undefined) throw new Error(`${partition} has never been seen`)
    return now
  }

  async logs(): Promise<string> {
    const { out, err } = await compose.execCompose('logs', ['--no-color'], this.#options)
    return out + err
  }

  async stop(): Promise<void> {
    await this.#compose('stop', [])
  }

  async down(): Promise<void> {
    await this.#compose('down', ['-v', '--remove-orphans', '-t', '1'])
  }

  /** Containers, networks and volumes of the project. */
  async remains(): Promise<readonly string[]> {
    const filter = ['--filter', `label=com.docker.compose.project=${this.project}`]
    const lists = [
      this.docker('ps', '-aq', ...filter),
      this.docker('network', 'ls', '-q', ...filter),
      this.docker('volume', 'ls', '-q', ...filter),
    ]
    const found = await Promise.all(lists)
    return found.flatMap(({ stdout }) => stdout.split('\n')).filter((line) => line !== '')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down()
  }

  async #compose(command: string, args: string[]): Promise<void> {
    try {
      await compose.execCompose(command, args, this.#options)
    } catch (error) {
      // docker-compose rejects with what the command has printed.
      const text = error instanceof Error ? error.message : JSON.stringify(error)
      throw new Error(`docker compose ${command} failed: ${text}`, { cause: error })
    }
  }
}

/** Builds the images, starts everything, and takes it down with its volumes when disposed. */
export async function startContainerRoom({
  overrides = [],
  profiles = [],
  faults = false,
  scale = {},
}: ContainerOptions = {}): Promise<ContainerRoom> {
  const project = `fadump-test-${process.pid}-${performance.now().toFixed(0)}`
  const files = ['docker-compose.yml', ...overrides]
  const room = new ContainerRoom({ project, port: await freePort(), faults }, files, profiles)
  try {
    await room.build()
    await room.up(scale)
    return room
  } catch (error) {
    const logs = await room.logs().catch(String)
    await room.down()
    throw new Error(`the machine room did not start:\n${logs.slice(-8000)}`, { cause: error })
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
