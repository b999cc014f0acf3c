/** A soak of the containers of a compose project: driven from outside over REST, while containers are lost. */
import { SoakRun, type SoakTools } from '@fadump-lab/hmc-api'
import { newSoak, type Soak, type SoakReport } from '@fadump-lab/shared/contracts'
import { seededRandom, type Clock, type Random } from '@fadump-lab/shared/runtime'
import { invariant } from '@fadump-lab/shared/units'
import type { z } from 'zod'
import { UsageError } from '../../command.ts'
import type { ContainerFaultName } from './container-faults.ts'
import { Console } from './console.ts'
import { ContainerLevels } from './container-levels.ts'
import { ContainerStrikes, type ToldStrike } from './container-strikes.ts'
import { publishedAt } from './docker-words.ts'
import { Engine } from './engine.ts'
import { EventFeed } from './event-feed.ts'
import { remoteTools } from './remote-tools.ts'

export interface ComposeSoakOptions {
  readonly project: string
  readonly asked: z.input<typeof newSoak>
  /** What happens to containers; empty: nothing does. */
  readonly containerFaults: readonly ContainerFaultName[]
  readonly clock: Clock
  /** Of the name of the soak, and of its seed when none is given. */
  readonly random: Random
  readonly onStrike?: (strike: ToldStrike) => void
  readonly onError?: (error: unknown) => void
}

/** A soak under way. */
export interface ComposeSoak {
  readonly soak: () => Soak
  /** Crashes under way are ended, no further one begins. */
  readonly stop: () => void
  readonly report: Promise<SoakReport>
}

/** The compose file of this repository calls its project so. */
export const usualProject = 'fadump-lab'
const passwordFile = '/run/secrets/administrator.password'
const consolePort = '8080/tcp'

/** Errors: `UsageError` for a project that is not there or takes no faults. */
export async function startComposeSoak(options: ComposeSoakOptions): Promise<ComposeSoak> {
  const { project, clock, random } = options
  const asked = newSoak.parse(options.asked)
  const engine = new Engine(project)
  const console = await openConsole(engine, clock)
  if (asked.faults !== 'none') await requireFaults(console, project)
  const seed = asked.seed ?? random.int(2 ** 32)
  const run = new SoakRun(toolsOf(options, { engine, console, seed }), {
    id: `soak-${random.hex(3)}`,
    asked,
    seed,
    correlationId: `soak-${random.hex(3)}`,
    signal: new AbortController().signal,
  })
  return {
    soak: () => run.soak,
    stop: () => run.stop(),
    report: run.run().then(() => {
      const { report } = run
      invariant(report !== undefined, 'a soak that has run has a report')
      const lost = `${console.lost} requests had no answer and were sent again, or looked after`
      const notes = [...(report.notes ?? []), lost]
      return { ...report, notes, replay: replayOf(report.replay, options) }
    }),
  }
}

function toolsOf(
  { clock, containerFaults, onStrike, onError }: ComposeSoakOptions,
  room: { readonly engine: Engine; readonly console: Console; readonly seed: number },
): SoakTools {
  const { engine, console, seed } = room
  const feed = new EventFeed(console, clock)
  const random = seededRandom(seed).fork('containers')
  const strikes = new ContainerStrikes({ engine, clock, random }, containerFaults, onStrike)
  const outside = {
    run: (elapsed: () => number, signal: AbortSignal) => strikes.run(elapsed, signal),
    between: (fromMs: number, toMs: number) => strikes.between(fromMs, toMs),
    lostMemory: (fromMs: number, toMs: number) => strikes.lostMemory(fromMs, toMs),
    counts: strikes.counts.bind(strikes),
    silent: () => strikes.silent(),
    caughtUp: () => feed.caughtUp(),
  }
  const logger = { error: (details: unknown) => onError?.(details) }
  return {
    ...remoteTools(console, { clock, feed, logger }),
    levels: () => new ContainerLevels(engine, clock, containerFaults.includes('power-failure')),
    outside,
  }
}

async function openConsole(engine: Engine, clock: Clock): Promise<Console> {
  const { project } = engine
  const start = `start it with FAULTS_ENABLED=true docker compose -p ${project} up --wait`
  const containers = await engine.containers().catch((cause: unknown) => {
    throw new UsageError('no container engine answers to `docker ps`', { cause })
  })
  const container = containers.find(({ service }) => service === 'hmc-api')
  if (container === undefined) {
    throw new UsageError(`the compose project ${project} has no container of hmc-api: ${start}`)
  }
  if ((await engine.state(container)).status !== 'running') {
    throw new UsageError(`the console of the compose project ${project} does not run: ${start}`)
  }
  const address = publishedAt(await engine.docker('port', container.name, consolePort))
  if (address === undefined) {
    throw new UsageError(`${container.name} publishes no port ${consolePort} on IPv4`)
  }
  const password = (await engine.exec(container, `cat ${passwordFile}`)).trim()
  return new Console({ url: `http://${address}`, user: 'admin', password, clock })
}

async function requireFaults(console: Console, project: string): Promise<void> {
  const { processes } = await console.ask((routes) => routes.listFaults({}))
  const without = processes.filter(({ isEnabled }) => isEnabled !== true)
  if (without.length === 0) return
  const names = [...new Set(without.map(({ service }) => service))].join(', ')
  throw new UsageError(
    `${names} of ${project} take no faults: start them with FAULTS_ENABLED=true docker compose -p ${project} up --wait, or soak with --faults none`,
  )
}

function replayOf(replay: string, { project, containerFaults }: ComposeSoakOptions): string {
  const names = containerFaults.length === 0 ? 'none' : containerFaults.join(',')
  const place = project === usualProject ? '--compose' : `--compose ${project}`
  return `${replay} --container-faults ${names} ${place}`
}
