/** The container engine as an operator has it: the containers of one compose project, by its command line. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)
const outputBytesMax = 256 * 2 ** 20
/** A command that the engine does not answer within this time has failed. */
const commandTimeoutMs = 120_000

/** One container of the project. */
export interface Container {
  readonly name: string
  readonly service: string
  /** Counts from 1. */
  readonly instance: number
}

/** The names of a container's networks, with what it is called there. */
export type Networks = ReadonlyMap<string, readonly string[]>

export interface ContainerState {
  /** `running`, `exited`, `paused`, `restarting`, … */
  readonly status: string
  /** `healthy`, `unhealthy`, `starting`, or empty for a container without a healthcheck. */
  readonly health: string
  /** Starts by the engine itself after a death. */
  readonly restarts: number
  readonly exitCode: number
  readonly isOutOfMemory: boolean
}

export class Engine {
  readonly project: string

  constructor(project: string) {
    this.project = project
  }

  /** What the command writes. Errors: the engine's own words. */
  async docker(...args: readonly string[]): Promise<string> {
    const options = { maxBuffer: outputBytesMax, timeout: commandTimeoutMs }
    const { stdout } = await run('docker', [...args], options)
    return stdout
  }

  /** Containers of services, running or not, by name; not those that have done their work, such as `init`. */
  async containers(): Promise<readonly Container[]> {
    const label = (name: string) => `{{.Label "com.docker.compose.${name}"}}`
    const format = [
      '{{.Names}}',
      label('service'),
      label('container-number'),
      label('oneoff'),
    ].join('\t')
    const list = await this.docker('ps', '-a', ...this.#ownOnly(), '--format', format)
    return list
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('\t'))
      .filter(([, service, , oneoff]) => service !== 'init' && oneoff !== 'True')
      .map(([name = '', service = '', instance]) => ({ name, service, instance: Number(instance) }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  async state({ name }: Container): Promise<ContainerState> {
    const format =
      '{{.State.Status}}\t{{if .State.Health}}{{.State.Health.Status}}{{end}}\t{{.RestartCount}}\t{{.State.ExitCode}}\t{{.State.OOMKilled}}'
    const text = (await this.docker('inspect', '--format', format, name)).trimEnd()
    const [status = '', health = '', restarts, exitCode, oom] = text.split('\t')
    return {
      status,
      health,
      restarts: Number(restarts),
      exitCode: Number(exitCode),
      isOutOfMemory: oom === 'true',
    }
  }

  /** What a shell line in the container writes. */
  exec({ name }: Container, line: string): Promise<string> {
    return this.docker('exec', name, 'sh', '-c', line)
  }

  /** SIGKILL of all processes of the container, from inside: the engine takes it for a crash and starts it again. */
  async killProcesses(container: Container): Promise<void> {
    // The shell that kills dies with the others, so the command always fails.
    await this.exec(container, 'kill -9 -1').catch(() => undefined)
  }

  async networks({ name }: Container): Promise<Networks> {
    const text = await this.docker(
      'inspect',
      '--format',
      '{{json .NetworkSettings.Networks}}',
      name,
    )
    const networks = JSON.parse(text) as Readonly<
      Record<string, { readonly Aliases: readonly string[] | null }>
    >
    return new Map(Object.entries(networks).map(([each, { Aliases }]) => [each, Aliases ?? []]))
  }

  /** Connects again as compose has connected: without its aliases nobody would find the service. */
  async connect(container: Container, network: string, aliases: readonly string[]): Promise<void> {
    const called = aliases.flatMap((alias) => ['--alias', alias])
    await this.docker('network', 'connect', ...called, network, container.name)
  }

  async disconnect(container: Container, network: string): Promise<void> {
    await this.docker('network', 'disconnect', network, container.name)
  }

  /** What the operator's `redis-cli` answers on a Redis server of the room. */
  async redis(server: Container, ...command: readonly string[]): Promise<string> {
    const words = command.map((word) => `'${word}'`).join(' ')
    const password = '$(cat /run/secrets/operator.password)'
    const cli = `redis-cli --no-auth-warning --user operator --pass "${password}"`
    return (await this.exec(server, `${cli} ${words}`)).trimEnd()
  }

  /** Whatever a fault has left half done: the container runs, in its networks. */
  async revive(container: Container, networks: Networks): Promise<void> {
    const { status } = await this.state(container)
    if (status === 'paused') await this.docker('unpause', container.name)
    if (status === 'exited' || status === 'created') await this.docker('start', container.name)
    const present = await this.networks(container)
    for (const [network, aliases] of networks) {
      if (!present.has(network)) await this.connect(container, network, aliases)
    }
  }

  #ownOnly(): readonly string[] {
    return ['--filter', `label=com.docker.compose.project=${this.project}`]
  }
}
