/**
 * Faults in the lives of partitions: the console sees in the event stream that their moment has come, and then does
 * what a user could do at that very moment.
 */
import type {
  BootSettings,
  LabEvent,
  Partition,
  ServiceFaultName,
} from '@fadump-lab/shared/contracts'
import type { Aim, FaultPlan } from '@fadump-lab/shared/faults'
import { KeyedMutex, retry } from '@fadump-lab/shared/runtime'
import type { HmcApiDeps } from '../deps.ts'
import { isAway } from '../patience.ts'

/** Partitions of which something is remembered, each; the oldest is forgotten first. */
const partitionsMax = 4096
/** After the event stream has gone away. */
const retryMs = 1000
/** More receive rings than any capture kernel of the lab has memory for. */
const hungry = {
  captureTarget: 'network',
  capture: { card: 'ehea', ports: 64, queues: 16 },
} as const
/** States in which a boot has read its settings, or is given up. */
const readsNoMore: readonly (string | undefined)[] = [
  'capturing',
  'error',
  'terminated',
  'not-activated',
]

type Moment = 'captureUp' | 'up' | 'registeredAfterDump'

interface MomentRow {
  /** Which faults act then, of several the first. After a dump the kernel that captured it runs on. */
  readonly faults: readonly ServiceFaultName[]
  /** Whether it has not passed yet. */
  readonly isNow: (partition: Partition) => boolean
}

const moments: Readonly<Record<Moment, MomentRow>> = {
  captureUp: {
    faults: ['crash-in-capture-kernel'],
    isNow: ({ state }) => state === 'capturing',
  },
  up: {
    faults: ['capture-oom', 'crash-loop'],
    isNow: ({ state }) => state === 'running',
  },
  registeredAfterDump: {
    faults: ['capture-oom', 'crash-loop', 'second-crash'],
    isNow: ({ state, registration }) => state === 'running' && registration === 'registered',
  },
}

/** A service that is away for the moment is asked again; all attempts together last 20 s. */
const patience = { attemptsMax: 12, backoffMs: 100, backoffMsMax: 2_000 } as const

/** What it looks at and acts on. */
export interface LifeFaultsDeps extends Pick<HmcApiDeps, 'events' | 'clock' | 'logger'> {
  readonly hypervisor: Pick<HmcApiDeps['hypervisor'], 'getPartition' | 'changeBootSettings'>
  readonly kernel: Pick<HmcApiDeps['kernel'], 'crash'>
}

interface Act {
  readonly name: ServiceFaultName
  readonly partition: string
  readonly isNow: MomentRow['isNow']
  readonly aim: Aim
}

export class LifeFaults implements AsyncDisposable {
  readonly #deps: LifeFaultsDeps
  readonly #plan: FaultPlan
  readonly #stop = new AbortController()
  /** Their dump has been released, and they have not registered since. */
  readonly #released = new Set<string>()
  /** What to give back when the capture kernel has read the changed ones. */
  readonly #settings = new Map<string, BootSettings>()
  readonly #turns = new KeyedMutex()
  readonly #under = new Set<Promise<void>>()
  readonly #done: Promise<void>

  constructor(deps: LifeFaultsDeps, plan: FaultPlan) {
    this.#deps = deps
    this.#plan = plan
    this.#done = this.#follow()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('the console stops'))
    await this.#done
    await Promise.all(this.#under)
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop
    const { events, clock, logger } = this.#deps
    let after: string | undefined
    while (!signal.aborted) {
      try {
        for await (const { id, event } of events.follow(after, signal)) {
          after = id
          this.#look(event)
        }
      } catch (error) {
        logger.warn({ err: error }, 'the event stream is away: life faults wait for it')
      }
      await clock.sleep(retryMs, signal).catch(() => undefined)
    }
  }

  #look(event: LabEvent): void {
    const partition = event.subject
    if (event.aggregate === 'partition' && readsNoMore.includes(event.to)) {
      this.#inTurn(partition, () => this.#giveBack(partition))
    }
    const moment = this.#momentOf(event)
    if (moment === undefined) return
    const { faults, isNow } = moments[moment]
    for (const name of faults) {
      const aim = this.#plan.aim(name, { what: `${partition}: ${event.event}`, partition })
      if (aim === undefined) continue
      this.#inTurn(partition, () => this.#act({ name, partition, isNow, aim }))
      return
    }
  }

  #momentOf({ aggregate, subject, event, to }: LabEvent): Moment | undefined {
    if (aggregate === 'registration' && to === 'registered') {
      return this.#released.delete(subject) ? 'registeredAfterDump' : undefined
    }
    if (aggregate !== 'partition') return undefined
    if (event === 'released') remember(this.#released, subject)
    if (event !== 'booted') return undefined
    return to === 'capturing' ? 'captureUp' : 'up'
  }

  async #act(act: Act): Promise<void> {
    const { partition, name, aim } = act
    const progress = { isStruck: false }
    try {
      await this.#patiently(() => this.#strike(act, progress))
    } catch (error) {
      const { logger } = this.#deps
      logger.warn({ err: error, fault: name, partition }, 'a fault could not act on its partition')
    }
    if (!progress.isStruck) aim.miss()
  }

  /** Once it is struck, whether an order without an answer was carried out is seen in the partition: its boot is over. */
  async #strike(
    { name, partition, isNow, aim }: Act,
    progress: { isStruck: boolean },
  ): Promise<void> {
    const { hypervisor, kernel } = this.#deps
    const params = { partition }
    const now = await hypervisor.getPartition({ params })
    if (!isNow(now)) return
    if (!progress.isStruck) aim.strike()
    progress.isStruck = true
    if (name === 'capture-oom') {
      const { capture = {}, captureTarget } = now
      if (!this.#settings.has(partition)) this.#keep(partition, { capture, captureTarget })
      await hypervisor.changeBootSettings({ params, body: hungry })
    }
    await kernel.crash({ params, query: { epoch: now.epoch }, body: { cause: 'sysrq' } })
  }

  #patiently(task: () => Promise<void>): Promise<void> {
    const { clock } = this.#deps
    return retry(task, { clock, signal: this.#stop.signal, shouldRetry: isAway, ...patience })
  }

  /** Of one partition one thing after the other; no partition waits for another. */
  #inTurn(partition: string, task: () => Promise<void>): void {
    const work = this.#turns.run(partition, task).finally(() => this.#under.delete(work))
    this.#under.add(work)
  }

  /** The next boot is to find the old settings. */
  async #giveBack(partition: string): Promise<void> {
    const body = this.#settings.get(partition)
    if (body === undefined) return
    this.#settings.delete(partition)
    const { hypervisor } = this.#deps
    try {
      await this.#patiently(async () => {
        await hypervisor.changeBootSettings({ params: { partition }, body })
      })
    } catch (error) {
      this.#deps.logger.warn({ err: error, partition }, 'capture settings could not be given back')
    }
  }

  #keep(partition: string, settings: BootSettings): void {
    this.#settings.delete(partition)
    this.#settings.set(partition, settings)
    const [oldest] = this.#settings.keys()
    if (this.#settings.size > partitionsMax && oldest !== undefined) this.#settings.delete(oldest)
  }
}

function remember(set: Set<string>, value: string): void {
  set.delete(value)
  set.add(value)
  const [oldest] = set
  if (set.size > partitionsMax && oldest !== undefined) set.delete(oldest)
}
