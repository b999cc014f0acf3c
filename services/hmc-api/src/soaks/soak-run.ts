/** One soak from its frame to its report. */
import {
  soakMachine,
  type FaultName,
  type NewSoak,
  type SoakBaseLevel,
  type Soak,
  type SoakCrash,
  type SoakProgress,
  type SoakReport,
} from '@fadump-lab/shared/contracts'
import { invariant } from '@fadump-lab/shared/units'
import { runCrash, type Berth, type CrashContext } from './crash-run.ts'
import { Hands } from './hands.ts'
import { partitionOfEvent } from './moments.ts'
import { clearLate } from './late-dumps.ts'
import { SoakPlan } from './plan.ts'
import { reportOf } from './report-of.ts'
import type { Levels, SoakTools } from './soak-tools.ts'
import { Barrier, Turnstile } from './round.ts'
import { reasonsOf } from './verdict.ts'

type SoakEvent = Parameters<typeof soakMachine.next>[1]

const failuresTold = 20
/** The window of the rate. */
const rateMs = 10_000
/** What a frame has to have for each partition beside its memory: blocks that are added. */
const spareBytes = 256 * 1024 * 1024
const processorsPerPartition = 8

export class SoakRun {
  readonly tools: SoakTools
  readonly plan: SoakPlan
  readonly #berths: readonly Berth[]
  readonly #rows: SoakCrash[] = []
  readonly #stopping = new AbortController()
  readonly #console: AbortSignal
  readonly #startedMs: number
  readonly #endedAt: number[] = []
  readonly #levels: Levels
  #soak: Soak
  #report: SoakReport | undefined
  #begun = 0
  /** Dumps that are left for people to look at. */
  #kept = 0

  constructor(
    tools: SoakTools,
    given: {
      readonly id: string
      readonly asked: NewSoak
      readonly seed: number
      readonly correlationId: string
      /** Aborts when the console stops. */
      readonly signal: AbortSignal
    },
  ) {
    this.tools = tools
    this.#levels = tools.levels()
    this.plan = new SoakPlan(given.asked, given.seed, given.id)
    this.#berths = this.plan.fleet.map((planned) => ({ planned }))
    this.#console = given.signal
    this.#startedMs = tools.deps.clock.now()
    const planned = given.asked.only?.length ?? given.asked.crashes
    this.#soak = {
      id: given.id,
      state: 'preparing',
      seed: given.seed,
      asked: given.asked,
      startedAt: tools.deps.clock.iso(),
      progress: {
        ...(planned === undefined ? {} : { planned }),
        partitions: 0,
        begun: 0,
        ended: 0,
        dumps: 0,
        absent: 0,
        failed: 0,
        transferredBytes: 0,
        perSecond: 0,
      },
      failures: [],
      correlationId: given.correlationId,
    }
  }

  get soak(): Soak {
    const { progress } = this.#soak
    const since = this.elapsed() - rateMs
    const recent = this.#endedAt.filter((at) => at > since).length
    const seconds = Math.max(1, Math.min(rateMs, this.elapsed())) / 1000
    return { ...this.#soak, progress: { ...progress, perSecond: recent / seconds } }
  }

  /** `undefined` until the soak is over. */
  get report(): SoakReport | undefined {
    return this.#report
  }

  /** Crashes under way are ended, no further one begins. */
  stop(): void {
    this.#stopping.abort(new Error('the soak was stopped'))
  }

  elapsed(): number {
    return Math.max(0, this.tools.deps.clock.now() - this.#startedMs)
  }

  /** Carries it out. Whatever happens, the fleet is taken down. */
  async run(): Promise<void> {
    const following = new AbortController()
    const listening = this.#listen(following.signal)
    const elapsed = () => this.elapsed()
    await this.#levels.begin()
    const watching = this.#levels.watch(elapsed, following.signal)
    await this.#guarded(async () => {
      await this.#makeFrame()
      await this.#tell('prepared')
      await this.#whileStruck(() => this.#crashAll())
    })
    await this.#tell('settle')
    await this.#takeDown()
    following.abort(new Error('the soak is over'))
    await Promise.all([listening, watching])
    const base: SoakBaseLevel[] = []
    await this.#guarded(async () => void base.push(...(await this.#levels.compare(this.#kept))))
    await this.#end(base)
  }

  /** What goes wrong makes the soak red, and it goes on with what is next. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#fail(
        `the soak itself failed: ${error instanceof Error ? error.message : String(error)}`,
      )
      this.tools.deps.logger.error({ err: error, soak: this.#soak.id }, 'soak failed')
    }
  }

  /** What strikes from outside does so as long as `work` goes on; afterwards everything is up. */
  async #whileStruck(work: () => Promise<void>): Promise<void> {
    const over = new AbortController()
    const striking = this.tools.outside?.run(() => this.elapsed(), over.signal)
    const working = work().finally(() => over.abort(new Error('all have crashed')))
    await Promise.all([working, striking])
  }

  async #makeFrame(): Promise<void> {
    const memoryBytes = this.plan.fleet.reduce(
      (sum, each) => sum + each.memoryBytes + spareBytes,
      0,
    )
    const processors = this.plan.fleet.length * processorsPerPartition
    const { correlationId, id } = this.#soak
    await this.tools.deps.hypervisor.createFrame({
      body: { id, memoryBytes, processors },
      correlationId,
    })
  }

  /** The event log, as it is written: every crash gets its own rows. */
  async #listen(signal: AbortSignal): Promise<void> {
    const { events, logger } = this.tools.deps
    const byId = new Map(this.#berths.map((berth) => [berth.planned.id, berth]))
    try {
      for await (const { event } of events.follow(undefined, signal)) {
        byId.get(partitionOfEvent(event))?.story?.tell(event, this.tools.deps.clock.now())
      }
    } catch (error) {
      if (!signal.aborted) logger.error({ err: error }, 'the event log broke off')
    }
  }

  async #crashAll(): Promise<void> {
    const numbers = this.#numbers()
    if (this.plan.together > 1) return this.#inRounds(numbers)
    const throttle = new Turnstile(this.plan.asked.concurrency)
    const busy = new Map<string, Promise<void>>()
    const worker = async (): Promise<void> => {
      for (const number of numbers) {
        const crash = this.plan.crash(number)
        const { id } = crash.partition
        const before = busy.get(id) ?? Promise.resolve()
        const mine = before.then(() => this.#crash(number, { throttle }))
        busy.set(id, mine)
        await mine
      }
    }
    await Promise.all(Array.from({ length: this.plan.asked.concurrency }, worker))
  }

  async #inRounds(numbers: Iterator<number>): Promise<void> {
    const throttle = new Turnstile(this.plan.asked.concurrency)
    for (;;) {
      const round: number[] = []
      while (round.length < this.plan.together) {
        const next = numbers.next()
        if (next.done === true) break
        round.push(next.value)
      }
      if (round.length === 0) return
      const together = new Barrier(round.length)
      const atRest = new Barrier(round.length)
      await Promise.all(round.map((number) => this.#crash(number, { throttle, together, atRest })))
    }
  }

  /** Numbers of crashes, until one of the bounds is reached. */
  *#numbers(): Generator<number, void> {
    const { only, crashes = Infinity, seconds = Infinity } = this.plan.asked
    if (only !== undefined) {
      for (const number of only) if (!this.#isOver(Infinity)) yield number
      return
    }
    for (let number = 1; number <= crashes; number += 1) {
      if (this.#isOver(seconds)) return
      yield number
    }
  }

  #isOver(seconds: number): boolean {
    return (
      this.#stopping.signal.aborted || this.#console.aborted || this.elapsed() >= seconds * 1000
    )
  }

  async #crash(
    number: number,
    wait: { readonly throttle: Turnstile; readonly together?: Barrier; readonly atRest?: Barrier },
  ): Promise<void> {
    const crash = this.plan.crash(number)
    const berth = this.#berths[crash.partition.index]
    invariant(berth !== undefined, `there is a berth for ${crash.partition.id}`)
    this.#begun += 1
    this.#advance({ begun: this.#begun })
    const context: CrashContext = {
      tools: this.tools,
      frame: this.#soak.id,
      signal: this.#console,
      correlationId: `${this.#soak.id}-crash-${number}`,
      elapsed: () => this.elapsed(),
      together: async () => wait.together?.arrive(),
      atRest: async () => wait.atRest?.arrive(),
      throttle: wait.throttle,
      losesEvents: this.tools.outside !== undefined || this.#has('redis-control-restart'),
      endsProcesses: this.#has('process-abort'),
      keepFailed: this.plan.asked.keepFailed,
    }
    const row = await runCrash(context, berth, crash)
    this.#rows.push(row)
    await this.#count(row)
  }

  #has(name: FaultName): boolean {
    return this.plan.faults.some(({ fault }) => fault.name === name)
  }

  async #count(row: SoakCrash): Promise<void> {
    const { progress } = this.#soak
    this.#endedAt.push(row.endedAtMs)
    while ((this.#endedAt[0] ?? Infinity) < row.endedAtMs - rateMs) this.#endedAt.shift()
    this.#advance(progressWith(progress, row))
    if (!row.passed) for (const reason of reasonsOf(row)) this.#fail(reason)
    await this.#append('crash', {
      crash: row.number,
      partition: row.partition,
      scenario: row.scenario,
      outcome: row.outcome,
      passed: row.passed,
    })
  }

  #advance(change: Partial<Soak['progress']>): void {
    this.#soak = { ...this.#soak, progress: { ...this.#soak.progress, ...change } }
  }

  #fail(reason: string): void {
    const { failures } = this.#soak
    if (failures.length >= failuresTold) return
    this.#soak = { ...this.#soak, failures: [...failures, reason.slice(0, 1024)] }
  }

  async #end(base: readonly SoakBaseLevel[]): Promise<void> {
    const report = this.#write(base)
    this.#report = report
    const ends = { passed: 'pass', failed: 'fail', stopped: 'stop' } as const
    await this.#tell(ends[report.verdict])
  }

  async #takeDown(): Promise<void> {
    const { correlationId, id } = this.#soak
    const throttle = new Turnstile(this.plan.asked.concurrency)
    const signal = this.#console
    const failed = new Set(this.#rows.flatMap((row) => (row.passed ? [] : [row.partition])))
    const remove = async ({ planned }: Berth): Promise<void> => {
      const hands = new Hands(this.tools, planned.id, { correlationId, signal })
      try {
        await hands.remove()
        const isKept = this.plan.asked.keepFailed && failed.has(planned.id)
        const left = isKept ? (await hands.dumps()).length : 0
        this.#kept += left
        if (!isKept) for (const reason of await clearLate(hands)) this.#fail(reason)
      } catch (error) {
        this.#fail(`${planned.id} cannot be taken down: ${String(error)}`)
      }
    }
    await Promise.all(this.#berths.map((berth) => throttle.run(() => remove(berth))))
    const params = { frame: id }
    await this.tools.deps.hypervisor
      .deleteFrame({ params, correlationId })
      .catch((error: unknown) => this.#fail(`frame ${id} cannot be removed: ${String(error)}`))
  }

  #write(base: readonly SoakBaseLevel[]): SoakReport {
    return reportOf({
      soak: this.#soak,
      plan: this.plan,
      crashes: this.#rows.toSorted((a, b) => a.number - b.number),
      base,
      memory: this.#levels.samples,
      completedAt: this.tools.deps.clock.iso(),
      isStopped: this.#stopping.signal.aborted || this.#console.aborted,
      ...(this.tools.outside === undefined ? {} : { outside: this.tools.outside }),
    })
  }

  async #tell(event: SoakEvent): Promise<void> {
    const from = this.#soak.state
    const to = soakMachine.next(from, event)
    if (to === undefined) return
    const isFinal = to === 'passed' || to === 'failed' || to === 'stopped'
    this.#soak = {
      ...this.#soak,
      state: to,
      ...(isFinal ? { completedAt: this.tools.deps.clock.iso() } : {}),
    }
    const { begun, ended, failed } = this.#soak.progress
    await this.#append(event, { begun, ended, failed }, { from, to })
  }

  async #append(
    event: string,
    detail: Readonly<Record<string, string | number | boolean>>,
    change: { readonly from?: string; readonly to?: string } = {},
  ): Promise<void> {
    const { clock, events, logger } = this.tools.deps
    const { id, correlationId } = this.#soak
    const row = { time: clock.iso(), service: 'hmc-api', aggregate: 'soak', subject: id } as const
    await events
      .append({ ...row, event, ...change, correlationId, detail: { ...detail } })
      .catch((error: unknown) => logger.error({ err: error, soak: id }, 'event not recorded'))
  }
}

function progressWith(before: SoakProgress, row: SoakCrash): Partial<SoakProgress> {
  const isDump = row.passed && row.outcome === 'dump'
  const isAbsent = row.passed && row.outcome === 'absent'
  return {
    ended: before.ended + 1,
    dumps: before.dumps + Number(isDump),
    absent: before.absent + Number(isAbsent),
    failed: before.failed + Number(!row.passed),
    transferredBytes: before.transferredBytes + (row.transferredBytes ?? 0),
  }
}
