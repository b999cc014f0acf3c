/** An event stream that goes away as planned, and the events as steps at which a process can end. */
import type { LabEvent } from '../contracts/index.ts'
import type { EventLog } from '../queue/index.ts'
import { UnavailableError } from '../runtime/index.ts'
import { partitionOfDump } from './exchange.ts'
import type { FaultTools } from './fault-tools.ts'
import type { Outage } from './outage.ts'

export function faultyEvents(inner: EventLog, tools: FaultTools, isAway: Outage): EventLog {
  const append = async (event: LabEvent, what: string) => {
    if (isAway({ what, partition: partitionOf(event) })) throw unanswered(what)
    return inner.append(event)
  }
  return {
    append: (event) => {
      const what = `append ${event.event}`
      const occasion = { what, partition: partitionOf(event) }
      // A fault can name the step, or the step with this event.
      return tools.step({ ...occasion, at: 'events.append' }, () =>
        tools.step({ ...occasion, at: `events.append:${event.event}` }, () => append(event, what)),
      )
    },
    read: async (after, limit) => {
      tools.checkAlive()
      return inner.read(after, limit)
    },
    follow: (after, signal) => inner.follow(after, signal),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  }
}

/** As a Redis that does not answer. */
export function unanswered(what: string): UnavailableError {
  return new UnavailableError(`Redis does not answer: ${what} (planned)`)
}

const ofPartitions: readonly LabEvent['aggregate'][] = ['partition', 'registration', 'kernel']

export function partitionOf({ aggregate, subject, detail }: LabEvent): string | undefined {
  if (aggregate === 'dump') return partitionOfDump(subject)
  if (ofPartitions.includes(aggregate)) return subject
  const named = detail?.['partition']
  return typeof named === 'string' ? named : undefined
}
