/** One row of the machine room's event stream per transition. */
import type { HypervisorContext } from './deps.ts'
import type { Transition } from './partition/lifecycle.ts'

type EventDeps = Pick<HypervisorContext, 'events' | 'clock' | 'logger'>

interface Origin {
  readonly subject: string
  readonly correlationId: string
}

/** A transition that has happened stays one even if the event stream cannot take the row: that is logged instead. */
export async function appendTransitions(
  deps: EventDeps,
  transitions: readonly (Omit<Transition, 'aggregate'> & {
    readonly aggregate: Transition['aggregate'] | 'frame' | 'image'
  })[],
  origin: Origin,
): Promise<void> {
  for (const transition of transitions) {
    const event = {
      time: deps.clock.iso(),
      service: 'hypervisor',
      subject: origin.subject,
      correlationId: origin.correlationId,
      ...transition,
    } as const
    deps.logger.info({ event }, 'transition')
    try {
      await deps.events.append(event)
    } catch (error) {
      deps.logger.error({ err: error, event }, 'an event could not be appended')
    }
  }
}
