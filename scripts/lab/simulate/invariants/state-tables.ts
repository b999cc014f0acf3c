/** Every transition that a service tells is one of the declared tables. */
import {
  captureMachine,
  jobMachine,
  partitionMachine,
  type LabEvent,
} from '@fadump-lab/shared/contracts'
import { registrationMachine } from '@fadump-lab/shared/fadump'
import type { Invariant, World } from '../world.ts'

type Next = (state: string, event: string) => string | undefined

const nextOf = (machine: { readonly next: unknown }): Next => machine.next as Next

const tables: Readonly<Partial<Record<LabEvent['aggregate'], Next>>> = {
  partition: nextOf(partitionMachine),
  registration: nextOf(registrationMachine),
  dump: nextOf(captureMachine),
  job: nextOf(jobMachine),
}

export function stateTables(world: World): Invariant {
  return {
    onEvent: ({ aggregate, event, subject, from, to }) => {
      if (from === undefined || to === undefined || from === to) return
      const expected = tables[aggregate]?.(from, event)
      if (expected !== to) {
        world.violate('tables', `${aggregate} ${subject}: ${event} leads from ${from} to ${to}`)
      }
    },
  }
}
