/** Faults of containers one after the other, every few seconds, drawn from a seed. */
import {
  containerFaults,
  drawFault,
  type ContainerFaultName,
  type FaultTools,
} from './container-faults.ts'
import type { Container, Engine } from './engine.ts'
import type { Clock, Random } from '@fadump-lab/shared/runtime'

export interface Strike {
  readonly fault: ContainerFaultName
  readonly container: Container
}

export interface ScheduleOptions {
  readonly names: readonly ContainerFaultName[]
  /** Between the end of a fault and the next one, at most. */
  readonly pauseMsMax: number
  /** Told before it is done; what it answers is told when it is over, with the engine's words when it could not do it. */
  readonly onStrike: (strike: Strike) => (refusal?: string) => void
}

const pauseMsMin = 500
/** One fault of so many does not wait until the room has recovered from the one before. */
const overlapsOneIn = 4
const healthyTimeoutMs = 180_000
const pollMs = 500

/** Names without an end: each of them once, in an order that is drawn, and then by their weights. */
export function* namesToStrike(
  random: Random,
  names: readonly ContainerFaultName[],
): Generator<ContainerFaultName, void> {
  if (names.length === 0) return
  const left = [...names]
  while (left.length > 0) yield* left.splice(random.int(left.length), 1)
  for (;;) yield drawFault(random, names)
}

/** Strikes until `signal` aborts; then everything runs and is healthy again. */
export async function strikeUntil(
  tools: FaultTools,
  options: ScheduleOptions,
  signal: AbortSignal,
): Promise<void> {
  const { engine, clock, random } = tools
  const containers = await engine.containers()
  for (const name of namesToStrike(random, options.names)) {
    // On a busy machine nothing would ever be up otherwise; now and then a fault hits what still recovers.
    if (random.int(overlapsOneIn) !== 0) await allHealthy(engine, clock, signal)
    const pauseMs = pauseMsMin + random.int(options.pauseMsMax)
    await clock.sleep(pauseMs, signal).catch(() => undefined)
    const able = containersFor(name, containers)
    const container = await oneThatRuns(tools, able, signal)
    if (signal.aborted) break
    if (container === undefined) continue
    const ended = options.onStrike({ fault: name, container })
    ended(await carryOut(tools, name, container))
    // Firmware that dies together with the RAM takes what it knows along: that is the end of a machine, no fault of it.
    if (name === 'power-failure') await allHealthy(engine, clock)
  }
  await allHealthy(engine, clock)
}

/** Those that the fault may hit. */
export function containersFor(
  name: ContainerFaultName,
  containers: readonly Container[],
): readonly Container[] {
  const services: readonly string[] = containerFaults[name].services
  return containers.filter(({ service }) => services.includes(service))
}

/** `undefined`: there is none to choose from, or the end has come. */
async function oneThatRuns(
  { engine, clock, random }: FaultTools,
  able: readonly Container[],
  signal: AbortSignal,
): Promise<Container | undefined> {
  while (!signal.aborted && able.length > 0) {
    const container = able[random.int(able.length)]
    if (container !== undefined && (await isRunning(engine, container))) return container
    await clock.sleep(pollMs, signal).catch(() => undefined)
  }
  return undefined
}

/** An engine that refuses, in the middle even, is no fault of the room: the container is brought back. */
async function carryOut(
  tools: FaultTools,
  fault: ContainerFaultName,
  container: Container,
): Promise<string | undefined> {
  const { engine } = tools
  const networks = await engine.networks(container)
  try {
    await containerFaults[fault].strike(tools, container)
    return undefined
  } catch (error) {
    await engine.revive(container, networks)
    return error instanceof Error ? error.message : String(error)
  }
}

async function isRunning(engine: Engine, container: Container): Promise<boolean> {
  return (await engine.state(container)).status === 'running'
}

/** Returns early when `signal` aborts. Errors: names those that are not. */
export async function allHealthy(
  engine: Engine,
  clock: Clock,
  signal?: AbortSignal,
): Promise<void> {
  const deadline = clock.now() + healthyTimeoutMs
  for (;;) {
    const waiting: string[] = []
    for (const container of await engine.containers()) {
      const { health, status } = await engine.state(container)
      if (health !== 'healthy') waiting.push(`${container.name} ${status} ${health}`)
    }
    if (waiting.length === 0 || signal?.aborted === true) return
    if (clock.now() > deadline) {
      throw new Error(`not healthy within ${healthyTimeoutMs / 1000} s: ${waiting.join(', ')}`)
    }
    await clock.sleep(pollMs)
  }
}
