/** What containers lose in life, as rows: what is done to one container, and how it is mended. */
import type { Clock, Random } from '@fadump-lab/shared/runtime'
import type { Container, Engine } from './engine.ts'

export interface FaultTools {
  readonly engine: Engine
  readonly clock: Clock
  readonly random: Random
}

export interface ContainerFault {
  readonly does: string
  /** Whom it may hit. */
  readonly services: readonly string[]
  /** How often it is drawn, relative to the others. */
  readonly weight: number
  /** The fault is over and the container runs again when it resolves; that it is healthy takes longer. */
  readonly strike: (tools: FaultTools, container: Container) => Promise<void>
}

const applications = ['hypervisor', 'lpar-kernel', 'dump-collector', 'hmc-api'] as const
const lasting = [...applications, 'redis-control'] as const

/** How long a container stays dead before somebody starts it. */
const deadMsMax = 3_000
/** Longer than the lease of a job, which is 15 s. */
const pauseMsMax = 20_000
const cutMsMax = 10_000

async function killContainer(
  { engine, clock, random }: FaultTools,
  container: Container,
): Promise<void> {
  await engine.docker('kill', '--signal', 'KILL', container.name)
  await clock.sleep(random.int(deadMsMax))
  await engine.docker('start', container.name)
}

async function pause({ engine, clock, random }: FaultTools, container: Container): Promise<void> {
  await engine.docker('pause', container.name)
  await clock.sleep(random.int(pauseMsMax))
  await engine.docker('unpause', container.name)
}

async function cutNetwork(
  { engine, clock, random }: FaultTools,
  container: Container,
): Promise<void> {
  const network = `${engine.project}_machine-room`
  const aliases = (await engine.networks(container)).get(network)
  if (aliases === undefined) return
  await engine.disconnect(container, network)
  await clock.sleep(random.int(cutMsMax))
  await engine.connect(container, network, aliases)
}

export const containerFaults = {
  'processes-killed': {
    does: 'SIGKILL of every process in the container; the engine starts it again',
    services: lasting,
    weight: 12,
    strike: ({ engine }, container) => engine.killProcesses(container),
  },
  'container-killed': {
    does: `docker kill -9; started again after at most ${deadMsMax / 1000} s`,
    services: lasting,
    weight: 12,
    strike: killContainer,
  },
  restarted: {
    does: 'docker restart: SIGTERM, and SIGKILL when it takes longer than the grace period',
    services: lasting,
    weight: 2,
    strike: async ({ engine }, container) => {
      await engine.docker('restart', container.name)
    },
  },
  paused: {
    does: `docker pause for at most ${pauseMsMax / 1000} s, longer than a job's lease`,
    services: [...lasting, 'redis-memory'],
    weight: 2,
    strike: pause,
  },
  'network-cut': {
    does: `docker network disconnect for at most ${cutMsMax / 1000} s`,
    services: [...lasting, 'redis-memory'],
    weight: 2,
    strike: cutNetwork,
  },
  'power-failure': {
    does: 'docker kill -9 of redis-memory: the RAM of all partitions is gone',
    services: ['redis-memory'],
    weight: 1,
    strike: killContainer,
  },
} as const satisfies Readonly<Record<string, ContainerFault>>

export type ContainerFaultName = keyof typeof containerFaults
export const containerFaultNames = Object.keys(containerFaults) as readonly ContainerFaultName[]

/** A row of `table` by its weight. */
export function drawFault(
  random: Random,
  names: readonly ContainerFaultName[],
): ContainerFaultName {
  const rows = names.map((name) => ({ name, weight: containerFaults[name].weight }))
  let left = random.int(rows.reduce((sum, { weight }) => sum + weight, 0))
  for (const { name, weight } of rows) {
    if (left < weight) return name
    left -= weight
  }
  throw new RangeError('a schedule of faults needs at least one')
}
