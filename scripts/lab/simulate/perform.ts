/** Carries out one step: what an operator, a fault or a crash does to the room. */
import {
  type FirmwareFaultName,
  firmwareFaults,
  type HmcJob,
  isProblem,
  type LabEvent,
  newFault,
  Problem,
} from '@fadump-lab/shared/contracts'
import type { Random } from '@fadump-lab/shared/runtime'
import { hasCanary } from './invariants/index.ts'
import { canary } from './oracle.ts'
import { describeAction, type Action, type Moment, type Step } from './steps.ts'
import type { Trace } from './trace.ts'
import { fileOf, storedDirectories, type World } from './world.ts'

/** How long somebody waits for an answer of the console. */
const patienceMs = 120_000
const noAnswer = 'no answer'
/** How long a step waits for its moment. */
const momentMs = 60_000

/** Whether a fault of firmware shows in what it dumps. */
function isOfDump(name: FirmwareFaultName): boolean {
  const { where } = firmwareFaults[name]
  return where === 'preserve' || where === 'register save area'
}

type Handlers = {
  readonly [Kind in Action['do']]: (
    action: Extract<Action, { readonly do: Kind }>,
  ) => Promise<string | undefined>
}

export class Performer {
  readonly #world: World
  readonly #trace: Trace
  readonly #random: Random
  /** Work that goes on after its step. */
  readonly #running = new Set<Promise<void>>()
  readonly #waiting = new Set<{
    readonly moment: Moment
    readonly come: (subject: string) => void
  }>()
  #faults = 0

  constructor(world: World, trace: Trace, random: Random) {
    this.#world = world
    this.#trace = trace
    this.#random = random
  }

  /** Begins the step, or waits for its moment; its outcome is told when it is known. */
  begin({ action, at }: Step): void {
    const running = this.#carryOut(action, at).finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  /** What services tell; steps wait for some of it. */
  onEvent({ event, subject }: LabEvent): void {
    for (const { moment, come } of this.#waiting) if (moment === event) come(subject)
  }

  async #carryOut(planned: Action, at: Step['at']): Promise<void> {
    const action = at === undefined ? planned : await this.#inTime(planned, at)
    this.#tell(action, 'begins')
    const handler = this.#handlers[action.do] as (given: Action) => Promise<string | undefined>
    await this.#finish(action, handler(action))
  }

  /** The action, when its moment has come: on the partition that the moment is about, if it is on one. */
  async #inTime(action: Action, at: NonNullable<Step['at']>): Promise<Action> {
    const subject = await this.#comes(at.moment)
    if (subject === undefined) return action
    await this.#room.clock.sleep(at.afterMs)
    const partition = this.#room.configuration.partitions.find(
      ({ id }) => subject === id || subject.startsWith(`${id}-`),
    )
    return 'partition' in action && partition !== undefined
      ? { ...action, partition: partition.id }
      : action
  }

  /** The subject of the next event of that name; `undefined` when there is none for a while. */
  async #comes(moment: Moment): Promise<string | undefined> {
    const { promise, resolve } = Promise.withResolvers<string | undefined>()
    const waiting = { moment, come: resolve }
    this.#waiting.add(waiting)
    using _timer = this.#room.clock.schedule(momentMs, () => resolve(undefined))
    const subject = await promise
    this.#waiting.delete(waiting)
    return subject
  }

  /** Resolves when everything that was begun has come to its end. */
  async done(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  get running(): number {
    return this.#running.size
  }

  async #finish(action: Action, work: Promise<string | undefined>): Promise<void> {
    try {
      const outcome = await work
      if (outcome !== undefined) this.#tell(action, outcome)
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      const isOrdinary = error instanceof Problem || text === noAnswer
      if (!isOrdinary) this.#world.violate('I4', `${describeAction(action)} met ${text}`)
      const kind = error instanceof Problem ? error.slug : 'failed'
      if (hasCanary(text)) this.#world.violate('I5', `memory is in an answer: ${text}`)
      this.#tell(action, `${kind}: ${text.slice(0, 120)}`)
    }
  }

  #tell(action: Action, outcome: string): void {
    const { do: verb } = action
    const subject =
      'partition' in action ? action.partition : 'service' in action ? action.service : 'room'
    const detail = outcome === 'begins' ? describeAction(action) : `${verb}: ${outcome}`
    this.#trace.tell({ who: 'you', subject, event: outcome === 'begins' ? 'do' : 'done', detail })
  }

  readonly #handlers: Handlers = {
    activate: ({ partition }) => this.#job((params) => this.#api.activate(params), partition),
    restart: ({ partition }) => this.#job((params) => this.#api.restart(params), partition),
    shutdown: ({ partition }) => this.#shutdown(partition, false),
    'power-off': ({ partition }) => this.#shutdown(partition, true),
    'dump-restart': ({ partition }) => this.#dumpRestart(partition),
    'kill-partition': ({ partition }) =>
      this.#answered((signal) => this.#api.killPartition({ params: { partition }, signal })),
    migrate: ({ partition }) =>
      this.#answered((signal) => this.#api.migratePartition({ params: { partition }, signal })),
    reboot: ({ partition, action }) => {
      this.#world.ledger.mayGo(partition, `an operator's ${action}`)
      return this.#answered((signal) =>
        this.#world.room.kernelApi.shutdown({ params: { partition }, body: { action }, signal }),
      )
    },
    crash: async ({ partition, cause }) => {
      await this.#plant(partition)
      return this.#job((params) => this.#api.crash({ ...params, body: { cause } }), partition)
    },
    plant: ({ partition }) => this.#plant(partition),
    write: ({ partition, file, text }) => {
      if (file.endsWith('release_mem')) this.#world.ledger.mayGo(partition, 'an operator wrote 1')
      const params = { partition, '*': file }
      return this.#answered((signal) =>
        this.#api.writePartitionFile({ params, body: text, signal, query: {} }),
      )
    },
    'firmware-fault': ({ partition, name, value }) => {
      if (isOfDump(name)) this.#world.oracle.distrust(partition)
      return this.#answered((signal) =>
        this.#api.armFault({
          body: { name, scope: { partition }, ...(value === undefined ? {} : { value }) },
          signal,
        }),
      )
    },
    kill: ({ service, operations, downMs }) => {
      this.#room.kill(service, downMs, operations)
      return Promise.resolve(undefined)
    },
    stop: async ({ service, downMs }) => {
      await this.#room.stop(service, downMs)
      return undefined
    },
    cut: async ({ from, to, kind, forMs }) => {
      this.#room.network.cut(from, to, kind)
      await this.#room.clock.sleep(forMs)
      this.#room.network.heal(from, to)
      return 'healed'
    },
    fault: ({ service, fault }) => {
      const { name, ...rest } = fault
      this.#room
        .faultsOf(service)
        .arm(`f-${(this.#faults += 1)}`, newFault.parse({ name, ...rest }))
      return Promise.resolve(undefined)
    },
    'disk-fails': async ({ operation, times }) => {
      this.#room.disk.failures.set(operation, times)
      return undefined
    },
    'disk-full': async ({ leftBytes, forMs }) => {
      const { disk, clock } = this.#room
      disk.limit(leftBytes)
      await clock.sleep(forMs)
      disk.unlimit()
      return 'there is room again'
    },
    'power-cut': ({ downMs }) => {
      for (const name of this.#room.names) {
        if (name.startsWith('collector')) this.#room.kill(name, downMs)
      }
      this.#room.disk.powerCut(this.#random.fork(`power cut ${this.#trace.events}`))
      return Promise.resolve(undefined)
    },
    rot: ({ nth }) => Promise.resolve(this.#rot(nth)),
    'memory-lost': async () => {
      for (const { id } of this.#room.configuration.partitions) {
        this.#world.ledger.mayGo(id, 'memory was lost')
      }
      this.#room.memory.lose()
      this.#world.ledger.resets.clear()
      this.#world.oracle.forget()
      return this.#room.healthy()
    },
    'store-down': async ({ forMs }) => {
      this.#room.memory.isDown = true
      await this.#room.clock.sleep(forMs)
      this.#room.memory.isDown = false
      return 'the store answers'
    },
    delete: ({ nth }) => this.#withDump(nth, (dump, signal) => this.#delete(dump, signal)),
    pin: ({ nth }) =>
      this.#withDump(nth, async (dump, signal) => {
        await this.#api.pinDump({ params: { dump }, signal })
        this.#pinned(dump, true)
      }),
    unpin: ({ nth }) =>
      this.#withDump(nth, (dump, signal) => {
        this.#pinned(dump, false)
        return this.#api.unpinDump({ params: { dump }, signal })
      }),
    scrub: () => this.#answered((signal) => this.#api.startScrub({ signal })),
    redeliver: ({ queue }) => Promise.resolve(this.#room.queues.redeliver(queue) ?? 'no job'),
  }

  get #room() {
    return this.#world.room
  }

  get #api() {
    return this.#world.room.api
  }

  async #plant(partition: string): Promise<string> {
    const text = `${canary}${partition}-${this.#random.hex(12)}`
    return (await this.#world.oracle.plant(partition, text)) ? 'planted' : 'not running'
  }

  async #shutdown(partition: string, immediate: boolean): Promise<string> {
    this.#world.ledger.mayGo(partition, 'an operator switched it off')
    return this.#job(
      (params) => this.#api.shutdownPartition({ ...params, body: { immediate } }),
      partition,
    )
  }

  async #dumpRestart(partition: string): Promise<string> {
    const { oracle, ledger } = this.#world
    const before = await oracle.boot(partition)
    const job = await this.#job((params) => this.#api.dumpRestart(params), partition)
    if (before !== undefined) ledger.resets.set(partition, before)
    return job
  }

  async #job(
    start: (request: {
      readonly params: { readonly partition: string }
      readonly signal: AbortSignal
    }) => Promise<HmcJob>,
    partition: string,
  ): Promise<string> {
    const job = await this.#patiently((signal) => start({ params: { partition }, signal }))
    return job.id
  }

  async #withDump(
    nth: number,
    run: (dump: string, signal: AbortSignal) => Promise<unknown>,
  ): Promise<string> {
    const known = [...this.#world.ledger.dumps.keys()]
    const dump = known[nth % Math.max(1, known.length)]
    if (dump === undefined) return 'no dump'
    await this.#patiently((signal) => run(dump, signal))
    return dump
  }

  async #answered(run: (signal: AbortSignal) => Promise<unknown>): Promise<string> {
    await this.#patiently(run)
    return 'ok'
  }

  #pinned(dump: string, isPinned: boolean): void {
    const record = this.#world.ledger.dumps.get(dump)
    if (record !== undefined) record.isPinned = isPinned
  }

  /** One that is not refused may be carried out, whatever the answer is. */
  async #delete(dump: string, signal: AbortSignal): Promise<void> {
    const record = this.#world.ledger.dumps.get(dump)
    try {
      await this.#api.deleteDump({ params: { dump }, signal })
    } catch (error) {
      if (isProblem(error, 'wrong-state')) throw error
      if (record !== undefined) record.isRemoved = true
      throw error
    }
    if (record !== undefined) record.isRemoved = true
  }

  async #patiently<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const late = new AbortController()
    using _timer = this.#room.clock.schedule(patienceMs, () => late.abort(new Error(noAnswer)))
    return await run(late.signal)
  }

  #rot(nth: number): string {
    const stored = storedDirectories(this.#world).filter(({ dump }) => dump?.step === 'complete')
    const chosen = stored[nth % Math.max(1, stored.length)]
    const vmcore = chosen === undefined ? undefined : fileOf(chosen.directory, 'vmcore')
    const record = chosen === undefined ? undefined : this.#world.ledger.dumps.get(chosen.id)
    if (chosen === undefined || vmcore === undefined || record === undefined) return 'no dump'
    record.isRotten = true
    vmcore.content.flipBit(nth)
    vmcore.durable = vmcore.content.snapshot()
    return chosen.id
  }
}
