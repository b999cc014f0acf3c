/** What a soak does to one partition: the operations that the console has, and nothing else. */
import {
  type Dump,
  type HmcJob,
  isProblem,
  type ProblemSlug,
  type newPartition,
  type NewPartition,
  type Partition,
} from '@fadump-lab/shared/contracts'
import { retry, UnavailableError, withinDeadline } from '@fadump-lab/shared/runtime'
import type { z } from 'zod'
import { isAway, isAwayOrEnded, patient } from '../patience.ts'
import type { PlannedCause } from './plan.ts'
import { pageBytes } from './oracle/expected-page.ts'
import type { SoakDeps, SoakTools } from './soak-tools.ts'

export type PartitionForm = z.input<typeof newPartition>
/** What a scenario has otherwise than the rest of the fleet. */
export type PartitionChange = Partial<
  Pick<
    z.input<typeof newPartition>,
    'bootArguments' | 'dumpService' | 'capture' | 'maximumMemoryBytes' | 'captureTarget'
  >
>

/** One step, e.g. a boot or a capture, may take so long; a crash in a storm waits for all others. */
export const stepTimeoutMs = 600_000
const pollMs = 4
const pollMsMax = 250

/** The state in which a partition is when the job is done; crashes are waited for otherwise. */
const ends: Readonly<Partial<Record<HmcJob['operation'], Partition['state']>>> = {
  activate: 'running',
  restart: 'running',
  shutdown: 'not-activated',
}

/** Below /sys: 1 registers, 0 takes it back. */
export const registeredFile = 'kernel/fadump_registered'

const patience = { attemptsMax: 30, backoffMs: 50, backoffMsMax: 500 } as const

export class Hands {
  readonly partition: string
  readonly correlationId: string
  readonly #tools: SoakTools
  readonly #signal: AbortSignal
  /** Whether a power failure may have switched it off. */
  readonly #lostMemory: () => boolean
  /** Which refusals pass. */
  readonly #isAway: (error: unknown) => boolean

  constructor(
    tools: SoakTools,
    partition: string,
    run: {
      readonly correlationId: string
      readonly signal: AbortSignal
      readonly lostMemory?: () => boolean
      readonly endsProcesses?: boolean
    },
  ) {
    this.#tools = tools
    this.partition = partition
    this.correlationId = run.correlationId
    this.#signal = run.signal
    this.#lostMemory = run.lostMemory ?? (() => false)
    this.#isAway = run.endsProcesses === true ? isAwayOrEnded : isAway
  }

  get #call() {
    return { params: { partition: this.partition }, correlationId: this.correlationId }
  }

  get #operation() {
    return { partition: this.partition, correlationId: this.correlationId }
  }

  get deps(): SoakDeps {
    return this.#tools.deps
  }

  state(): Promise<Partition> {
    return this.#again(() => this.deps.hypervisor.getPartition(this.#call))
  }

  /** `undefined` when there is no such partition. */
  async find(): Promise<Partition | undefined> {
    try {
      return await this.state()
    } catch (error) {
      if (isProblem(error, 'not-found')) return undefined
      throw error
    }
  }

  /** Those of this partition. */
  dumps(): Promise<Dump[]> {
    const { correlationId } = this
    const query = { partition: this.partition }
    return this.#again(() => this.deps.collector.listDumps({ query, correlationId }))
  }

  /** One that is gone already is as well: the answer to an earlier try was lost. Errors: refusals. */
  async deleteDump(dump: string): Promise<void> {
    const { correlationId } = this
    try {
      await this.deps.collector.deleteDump({ params: { dump }, correlationId })
    } catch (error) {
      if (!isProblem(error, 'not-found')) throw error
    }
  }

  async create(form: PartitionForm): Promise<void> {
    const { correlationId } = this
    await this.#order('already-exists', () =>
      this.deps.hypervisor.createPartition({ body: form, correlationId }),
    )
  }

  /** Off and gone, whatever state it is in. */
  async remove(): Promise<void> {
    const now = await this.find()
    if (now === undefined) return
    if (now.state !== 'not-activated') await this.powerOff()
    await this.until('not activated', ({ state }) => state === 'not-activated')
    await this.#again(() => this.deps.hypervisor.deletePartition(this.#call))
  }

  async powerOff(): Promise<void> {
    await this.#again(() => this.deps.hypervisor.powerOffPartition(this.#call))
  }

  activate(): Promise<HmcJob | undefined> {
    return this.#ended(this.#again(() => this.#tools.operations.activate(this.#operation)))
  }

  restart(): Promise<HmcJob | undefined> {
    return this.#ended(this.#again(() => this.#tools.operations.restart(this.#operation)))
  }

  shutdown(): Promise<HmcJob | undefined> {
    const immediately = { ...this.#operation, immediate: true }
    return this.#ended(this.#again(() => this.#tools.operations.shutdown(immediately)))
  }

  /** Gives the order; what it resolves with waits for the end of the console's job. */
  async order(cause: PlannedCause): Promise<() => Promise<HmcJob | undefined>> {
    const { operations } = this.#tools
    const started = await (cause === 'dump-restart'
      ? operations.dumpRestart(this.#operation)
      : operations.crash({ ...this.#operation, crash: { cause } }))
    return () => this.#ended(Promise.resolve(started))
  }

  /** Another crash while the console's job of the first one goes on. */
  async crashAgain(): Promise<void> {
    await this.deps.kernel.crash({ ...this.#call, body: { cause: 'panic' } })
  }

  async systemReset(): Promise<void> {
    await this.deps.hypervisor.systemReset(this.#call)
  }

  async kill(): Promise<void> {
    await this.#again(() => this.deps.hypervisor.killPartition(this.#call))
  }

  async migrate(): Promise<void> {
    await this.#again(() => this.deps.hypervisor.migratePartition(this.#call))
  }

  async changeBootArguments(bootArguments: NewPartition['bootArguments']): Promise<void> {
    const call = { ...this.#call, body: { bootArguments } }
    await this.#again(() => this.deps.hypervisor.changeBootSettings(call))
  }

  /** Below /sys. */
  async read(path: string): Promise<string> {
    const params = { partition: this.partition, '*': path }
    const { correlationId } = this
    const text = await this.#again(() => this.deps.kernel.readFile({ params, correlationId }))
    return text.trim()
  }

  /** Whoever writes what can be written once looks at what has come of it. Errors: refusals. */
  async write(path: string, body: string): Promise<void> {
    const params = { partition: this.partition, '*': path }
    const { correlationId } = this
    await this.#order('errno', () => this.deps.kernel.writeFile({ params, body, correlationId }))
  }

  proc(file: string): Promise<string> {
    const params = { partition: this.partition, file }
    const { correlationId } = this
    return this.#again(() => this.deps.kernel.readProc({ params, correlationId }))
  }

  /** As the partition is. */
  rehearse(): ReturnType<SoakDeps['kernel']['rehearse']> {
    return this.#again(() => this.deps.kernel.rehearse({ ...this.#call, body: {} }))
  }

  /** Lets user space write; the numbers of the pages in the order of writing. */
  async workload(seed: number, pages: number): Promise<bigint[]> {
    const body = { seed, pages }
    const { ranges } = await this.#again(() =>
      this.deps.kernel.runWorkload({ ...this.#call, body }),
    )
    const page = BigInt(pageBytes)
    return ranges.flatMap(({ start, end }) =>
      Array.from(
        { length: Number((end - start) / page) },
        (_, index) => start / page + BigInt(index),
      ),
    )
  }

  /**
   * Looks again and again until the partition is as wanted. Errors: when that takes too long, with what was seen last; that a
   * power failure has switched it off, unless `wanted` switches it on again.
   */
  async until(
    what: string,
    wanted: (now: Partition) => boolean | Promise<boolean>,
    power: 'fails' | 'is switched on' = 'fails',
  ): Promise<Partition> {
    const over = new AbortController()
    const signal = AbortSignal.any([over.signal, this.#signal])
    const seen: { last?: Partition } = {}
    const looking = this.#poll(wanted, signal, {
      endsWithPower: power === 'fails',
      seen: (now) => void (seen.last = now),
    })
    try {
      return await this.#within(`${this.partition}: ${what}`, looking)
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      throw new Error(`${error.message}; last seen: ${describe(seen.last)}`, { cause: error })
    } finally {
      over.abort(new Error(`nobody waits any more for ${what}`))
    }
  }

  async #poll(
    wanted: (now: Partition) => boolean | Promise<boolean>,
    signal: AbortSignal,
    {
      endsWithPower,
      seen,
    }: { readonly endsWithPower: boolean; readonly seen: (now: Partition) => void },
  ): Promise<Partition> {
    for (let pause = pollMs; ; pause = Math.min(pause * 1.5, pollMsMax)) {
      signal.throwIfAborted()
      const now = await patient(() => this.state())
      if (now !== undefined) seen(now)
      if (now !== undefined && (await patient(async () => wanted(now))) === true) return now
      if (endsWithPower && now?.state === 'not-activated' && this.#lostMemory()) {
        throw new Error(`${this.partition} was switched off by a power failure`)
      }
      await this.deps.clock.sleep(pause, signal)
    }
  }

  /** A service that is away for the moment is asked again. Not for orders to crash: those would be two. */
  #again<T>(ask: (attempt: number) => Promise<T>): Promise<T> {
    const { clock } = this.deps
    return retry(ask, { clock, signal: this.#signal, shouldRetry: this.#isAway, ...patience })
  }

  /** An order whose answer was lost has been carried out when the next is refused as `done`. */
  async #order(done: ProblemSlug, give: () => Promise<unknown>): Promise<void> {
    await this.#again(async (attempt) => {
      try {
        await give()
      } catch (error) {
        if (attempt === 1 || !isProblem(error, done)) throw error
      }
    })
  }

  /** Where no console remembers the job, the partition tells. */
  async #ended(started: Promise<HmcJob>): Promise<HmcJob | undefined> {
    const { id, operation } = await started
    const what = `${operation} of ${this.partition}`
    const job = await this.#within(what, this.#tools.jobs.ended(id))
    if (job !== undefined) return job
    const end = ends[operation]
    if (end !== undefined) await this.until(what, ({ state }) => state === end)
    return undefined
  }

  #within<T>(what: string, work: Promise<T>): Promise<T> {
    return withinDeadline(work, { clock: this.deps.clock, timeoutMs: stepTimeoutMs, what })
  }
}

/** What of a partition tells where it is stuck. */
function describe(now: Partition | undefined): string {
  if (now === undefined) return 'nothing, nobody has answered'
  const { state, registration, epoch, crashes, pendingDump = 'no dump', lastFailure } = now
  const failure = lastFailure === undefined ? '' : `, ${lastFailure}`
  return `${state} in boot ${epoch}, ${registration}, ${crashes} crashes, ${pendingDump} pending${failure}`
}
