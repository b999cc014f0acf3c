/** One run: a room, its steps, what must hold after each of them, and the rest that has to come when faults cease. */
import type { LabEvent } from '@fadump-lab/shared/contracts'
import { seededRandom, VirtualClock, type Clock } from '@fadump-lab/shared/runtime'
import { drawConfiguration, type Configuration } from './configuration.ts'
import { hasCanary, invariantsOf } from './invariants/index.ts'
import { Ledger } from './ledger.ts'
import { Oracle, type OracleEvents } from './oracle.ts'
import { Performer } from './perform.ts'
import { SimulatedRoom } from './room.ts'
import { drawSteps, type Step } from './steps.ts'
import { Trace } from './trace.ts'
import {
  isToBeVerified,
  storedDirectories,
  waitsFor,
  type Invariant,
  type InvariantName,
  type Violation,
  type World,
} from './world.ts'

export interface RunOptions {
  readonly seed: number
  /** How many steps are drawn. */
  readonly steps: number
  /** Positions of the drawn steps that are taken; all when absent. */
  readonly only?: ReadonlySet<number>
  readonly print?: (line: string) => void
}

export interface RunReport {
  readonly seed: number
  readonly events: number
  readonly hash: string
  readonly crashes: number
  /** The first thing that did not hold. */
  readonly violation?: Violation
  /** Steps whose time came. */
  readonly stepsBegun: number
}

/** Virtual time in which a room must come to rest when faults have ceased: longer than any back-off and idle timeout. */
const restMsMax = 4 * 3_600_000
const lookMs = 5_000
/** Looks in a row that find nothing under way. */
const quietLooks = 2
const settleMs = 3_000

export async function simulate(options: RunOptions): Promise<RunReport> {
  const random = seededRandom(options.seed)
  const configuration = drawConfiguration(random.fork('configuration'))
  const steps = drawSteps(random.fork('steps'), configuration, options.steps)
  const run = new Run(options, configuration)
  return run.carryOut(steps)
}

/** What a run of this seed is made of. */
export function planOf(seed: number, count: number): readonly Step[] {
  const random = seededRandom(seed)
  return drawSteps(random.fork('steps'), drawConfiguration(random.fork('configuration')), count)
}

class Run {
  readonly #options: RunOptions
  readonly #configuration: Configuration
  readonly #trace: Trace
  readonly #world: World
  readonly #performer: Performer
  readonly #invariants: readonly Invariant[]
  readonly #clock = new VirtualClock()
  #violation: Violation | undefined
  #stepsBegun = 0

  constructor(options: RunOptions, configuration: Configuration) {
    this.#options = options
    this.#configuration = configuration
    this.#trace = new Trace(this.#clock, options.print)
    const random = seededRandom(options.seed)
    const room = new SimulatedRoom({
      configuration,
      random: random.fork('room'),
      clock: this.#clock,
      trace: this.#trace,
      onLog: (line) => this.#onLog(line),
      onEvent: (event) => this.#onEvent(event),
    })
    room.network.onMessage = ({ from, to, request, outcome }) =>
      this.#trace.tell({ who: from, subject: to, event: request, detail: outcome })
    const ledger = new Ledger(this.#clock, (dump, offset) =>
      isToBeVerified(this.#world, dump, offset),
    )
    const time = { clock: this.#clock, canJump: configuration.families.has('clock') }
    const oracle = new Oracle(room.memory, this.#oracleEvents(ledger), time)
    this.#world = {
      room,
      oracle,
      ledger,
      violate: (invariant, text) => this.#violate(invariant, text),
    }
    this.#performer = new Performer(this.#world, this.#trace, random.fork('performer'))
    this.#invariants = invariantsOf(this.#world)
  }

  #oracleEvents(ledger: Ledger): OracleEvents {
    return {
      onCrash: (partition, dump) => ledger.crashed(partition, dump),
      onParting: (partition, dump, reason) => {
        if (reason !== undefined) ledger.mayGo(partition, reason)
        for (const { onParting } of this.#invariants) onParting?.(dump)
        ledger.parted(partition, dump)
      },
    }
  }

  async carryOut(steps: readonly Step[]): Promise<RunReport> {
    this.#tellConfiguration()
    try {
      await this.#clock.runUntil(this.#script(steps))
    } catch (error) {
      this.#violate('I4', error instanceof Error ? (error.stack ?? error.message) : String(error))
    }
    const crashes = this.#world.oracle.crashes.size
    await this.#world.room.close()
    this.#world.oracle.close()
    const violation = this.#violation
    return {
      seed: this.#options.seed,
      events: this.#trace.events,
      hash: this.#trace.digest(),
      crashes,
      ...(violation === undefined ? {} : { violation }),
      stepsBegun: this.#stepsBegun,
    }
  }

  async #script(steps: readonly Step[]): Promise<void> {
    const { room } = this.#world
    await room.start()
    await Promise.all(this.#configuration.partitions.map((partition) => this.#create(partition.id)))
    await room.clock.sleep(settleMs)
    for (const [position, step] of steps.entries()) {
      await room.clock.sleep(step.afterMs)
      if (this.#violation !== undefined) return
      this.#stepsBegun = position + 1
      await this.#take(position, step)
    }
    await this.#ceaseFaults()
    await this.#comeToRest(room.clock)
    // What a collector could not tidy up, the next one does.
    for (const name of room.names) if (name.startsWith('collector')) room.kill(name, 0)
    await this.#comeToRest(room.clock)
    if (this.#violation !== undefined) return
    await this.#check('afterStep')
    await this.#check('atRest')
  }

  async #take(position: number, step: Step): Promise<void> {
    if (this.#options.only?.has(position) === false) return
    this.#performer.begin(step)
    await this.#check('afterStep')
  }

  async #check(moment: 'afterStep' | 'atRest'): Promise<void> {
    for (const invariant of this.#invariants) await invariant[moment]?.()
  }

  async #create(id: string): Promise<void> {
    const plan = this.#configuration.partitions.find((partition) => partition.id === id)
    if (plan === undefined) return
    const { contentSeed, populatedBytes, ...form } = plan
    const { api } = this.#world.room
    await api.createPartition({
      body: {
        ...form,
        maximumMemoryBytes: form.memoryBytes + 512 * 1024 ** 2,
        captureTarget: 'local',
        content: { seed: contentSeed, populatedBytes },
      },
    })
    await api.activate({ params: { partition: id } })
  }

  async #ceaseFaults(): Promise<void> {
    const { room } = this.#world
    await this.#performer.done()
    this.#trace.tell({ who: 'you', subject: 'room', event: 'faults cease' })
    room.network.healAll()
    room.disarmAll()
    room.disk.failures.clear()
    room.disk.unlimit()
    room.memory.isDown = false
    await room.allUp()
    await room.healthy()
  }

  /** What was begun has to come to its end by itself. */
  async #comeToRest(clock: Clock): Promise<void> {
    const end = clock.now() + restMsMax
    for (let quiet = 0; quiet < quietLooks;) {
      await clock.sleep(lookMs)
      if (this.#violation !== undefined) return
      const busy = await this.#busy()
      quiet = busy === undefined ? quiet + 1 : 0
      if (clock.now() > end) {
        return this.#violate('I4', `no rest within ${restMsMax / 3_600_000} hours: ${busy}`)
      }
    }
    this.#trace.tell({ who: 'you', subject: 'room', event: 'at rest' })
  }

  /** What is still under way. */
  async #busy(): Promise<string | undefined> {
    const { room, oracle } = this.#world
    if (!room.names.every((name) => room.isUp(name))) return 'a process is down'
    const jobs = await room.queues.unfinished()
    if (jobs > 0) return `${jobs} jobs`
    for (const { id } of this.#configuration.partitions) {
      const state = (await oracle.firmware(id))?.state
      if (state === 'dumping' || state === 'starting' || state === 'capture-starting') {
        return `${id} is ${state}`
      }
    }
    return this.#waiting()
  }

  /** A dump that its partition keeps until it can be collected. */
  async #waiting(): Promise<string | undefined> {
    for (const stored of storedDirectories(this.#world)) {
      const reason = waitsFor(stored)
      if (reason === undefined) continue
      const firmware = await this.#world.oracle.firmware(stored.partition)
      if (firmware?.pendingDump === stored.id) return `${stored.id} waits for ${reason}`
    }
    return undefined
  }

  #onEvent(event: LabEvent): void {
    const { service, subject, aggregate, from, to, detail } = event
    const move = from === undefined && to === undefined ? '' : `${from ?? ''} → ${to ?? ''}`
    const facts = Object.entries(detail ?? {}).map(([key, value]) => `${key}=${String(value)}`)
    this.#trace.tell({
      who: service,
      subject,
      event: `${aggregate}.${event.event}`,
      detail: [move, ...facts].join(' ').trim(),
    })
    this.#world.ledger.onEvent(event)
    this.#world.oracle.onEvent(event)
    this.#performer.onEvent(event)
    for (const { onEvent } of this.#invariants) onEvent?.(event)
  }

  #onLog(line: string): void {
    if (hasCanary(line)) this.#violate('I5', `memory is in a log line: ${line.slice(0, 200)}`)
  }

  #violate(invariant: InvariantName, text: string): void {
    if (this.#violation !== undefined) return
    this.#violation = { invariant, text }
    this.#trace.tell({
      who: 'simulator',
      subject: invariant,
      event: 'does not hold:',
      detail: text,
    })
  }

  #tellConfiguration(): void {
    const { partitions, families, ...rest } = this.#configuration
    const facts = Object.entries(rest).map(([key, value]) => `${key}=${value}`)
    this.#trace.tell({
      who: 'simulator',
      subject: 'room',
      event: 'configuration',
      detail: [...facts, ...families].join(' '),
    })
    for (const { id, ...plan } of partitions) {
      const detail = Object.entries(plan).map(([key, value]) => `${key}=${value}`)
      this.#trace.tell({
        who: 'simulator',
        subject: id,
        event: 'partition',
        detail: detail.join(' '),
      })
    }
  }
}
