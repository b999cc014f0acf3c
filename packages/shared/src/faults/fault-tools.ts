/** What the decorators of one process share: the plan, time as it is, and the end of the process. */
import type { LabEvent } from '../contracts/index.ts'
import type { EventLog } from '../queue/index.ts'
import type { Clock } from '../runtime/index.ts'
import { FaultPlan, type Occasion, type Strike } from './fault-plan.ts'

/** Thrown by every port of a process that a fault has ended, where the process lives on for others. */
export class ProcessEndedError extends Error {
  override readonly name = 'ProcessEndedError'
}

export interface TellingPlanOptions {
  readonly service: FaultPlan['service']
  /** Undecorated: a strike is told even when it strikes the event stream. */
  readonly events: EventLog
  readonly clock: Clock
  /** Told when a strike could not be appended to the events. */
  readonly onUntold?: (error: unknown) => void
}

/** A plan whose strikes are rows of the event stream: `fault-struck` of aggregate `fault`. */
export function tellingPlan(options: TellingPlanOptions): FaultPlan {
  const { service, events, clock, onUntold = () => undefined } = options
  return new FaultPlan({
    service,
    onStrike: (strike) => {
      events.append(strikeEvent(service, clock, strike)).catch(onUntold)
    },
  })
}

export interface FaultToolsOptions {
  /** It may outlive the process. */
  readonly plan: FaultPlan
  /** Undecorated. */
  readonly clock: Clock
  /** Ends the process; when it returns, all ports of the process refuse from then on. */
  readonly abort: () => void
}

/** Of one process, from its start to its end. */
export class FaultTools {
  readonly plan: FaultPlan
  readonly clock: Clock
  readonly #abort: () => void
  #isEnded = false

  constructor({ plan, clock, abort }: FaultToolsOptions) {
    this.plan = plan
    this.clock = clock
    this.#abort = abort
  }

  get isEnded(): boolean {
    return this.#isEnded
  }

  /** Errors: `ProcessEndedError`. */
  checkAlive(): void {
    if (this.#isEnded) throw new ProcessEndedError('the process has ended (planned)')
  }

  /** Everything from here on is refused. */
  end(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#abort()
  }

  /** One step of a port: `run`, unless the process ends before or after it. Errors: `ProcessEndedError`. */
  async step<T>(occasion: Occasion, run: () => Promise<T>): Promise<T> {
    this.checkAlive()
    const strike = this.plan.strike('process-abort', occasion)
    if (strike === undefined) return run()
    if (strike.value === 1) await run()
    this.end()
    throw new ProcessEndedError(`the process ended at ${occasion.what} (planned)`)
  }
}

function strikeEvent(service: FaultPlan['service'], clock: Clock, strike: Strike): LabEvent {
  const { fault, what, partition, value } = strike
  return {
    time: clock.iso(),
    service,
    aggregate: 'fault',
    subject: fault.id,
    event: 'fault-struck',
    detail: {
      fault: fault.name,
      what,
      value,
      struck: fault.struck,
      ...(partition === undefined ? {} : { partition }),
    },
  }
}
